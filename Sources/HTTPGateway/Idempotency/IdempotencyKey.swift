import HTTPTypes
import Hummingbird

extension Request {
    /// As the draft standard suggests; enough for a UUID with a prefix.
    static let idempotencyKeyBytesMax = 255

    /// What names this request when it is sent again (draft-ietf-httpapi-idempotency-key-header-07); nil: nothing does.
    func idempotencyKey() throws(Problem) -> String? {
        guard let key = headers[.idempotencyKey] else { return nil }
        let isPrintable = key.utf8.allSatisfy { (UInt8(ascii: "!")...UInt8(ascii: "~")).contains($0) }
        guard isPrintable, (1...Self.idempotencyKeyBytesMax).contains(key.utf8.count) else {
            throw Problem(
                .badRequest, code: "invalid_idempotency_key",
                detail: "Idempotency-Key must have 1 to \(Self.idempotencyKeyBytesMax) ASCII characters, no spaces.",
                hint: "Use a fresh UUID.", field: "Idempotency-Key", closesConnection: hasLongBody)
        }
        return key
    }
}

extension Problem {
    static let idempotencyKeyReused = Problem(
        .unprocessableContent, code: "idempotency_key_reused",
        detail: "This key came with a different request before.",
        hint: "Use a new Idempotency-Key for a new request.", field: "Idempotency-Key")

    /// At whichever node it runs.
    static let idempotencyInProgress = Problem(
        .conflict, code: "idempotency_in_progress", detail: "A request with this key is still running.",
        hint: "Wait as long as Retry-After says, then send the same request again.", field: "Idempotency-Key",
        retryAfterSeconds: 2)
}
