/// One value on its way to bytes.
///
/// A class, because every container that a type holds writes into the same message. All that changes is one value, so
/// that each field takes one access to it: Swift checks every access to a class's storage for overlap, and a field in
/// pieces would be checked ten times.
final class EncodingSession {
    var message: EncodedMessage
    /// Fields and indices from the place of an error outwards.
    var pathOfError: [String] = []
    private var nesting = 0

    private init(_ message: consuming EncodedMessage) { self.message = message }

    /// Appends one message. On an error `output` is as it was.
    static func encode<Value: Encodable>(_ value: Value, limits: CodingLimits, into output: inout [UInt8]) throws {
        let start = output.count
        let session = EncodingSession(EncodedMessage(limits: limits, after: output))
        // The session is the only owner, so that appending does not copy.
        output = []
        defer { swap(&output, &session.message.bytes) }
        do {
            session.message.begin()
            try session.encode(value)
            try session.message.finish(from: start)
        } catch {
            session.message.bytes.removeLast(session.message.bytes.count - start)
            throw session.described(error)
        }
    }

    /// A value of any type, where the buffer ends.
    func encode<Value: Encodable>(_ value: Value) throws {
        if try message.appendKnown(value) { return }
        let (level, position) = (message.depth, message.bytes.count)
        nesting += 1
        // Twice, because a value in a value that is no container (a raw value, an optional) counts here.
        guard nesting <= 2 * message.limits.depthMax else {
            throw WireError(.tooDeep, "more than \(2 * message.limits.depthMax) values inside each other")
        }
        try value.encode(to: ValueEncoder(session: self, level: level, position: position))
        try message.closeValue(to: level, from: position)
        nesting -= 1
    }

    private func described(_ error: any Error) -> WireError {
        let place = pathOfError.isEmpty ? "" : " (at \(pathOfError.reversed().joined(separator: ".")))"
        if let error = error as? WireError { return WireError(error.code, error.detail + place) }
        return WireError(.refusedByType, "\(error)" + place)
    }
}
