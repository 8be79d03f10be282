import Foundation

/// What of a clip goes back to what it was before a client said anything: it is asked for by null, which the encoding
/// of optionals leaves out.
package enum ClearedField: String, Sendable, CaseIterable {
    /// To what was heard.
    case captions
    /// To the framing that was found.
    case scenes
    /// To none.
    case watermark

    /// The object of the request that it is in.
    private var parent: String {
        switch self {
        case .captions, .scenes: "edits"
        case .watermark: "options"
        }
    }

    /// `body`, the request for a revision, with `edits` as somebody wrote them, so that the server says what it does
    /// not know of that; and with null where something is cleared. Nil: `edits` are no JSON object, or say something
    /// of what is cleared.
    package static func encode(
        _ body: some Encodable, edits: [UInt8]? = nil, clearing fields: Set<ClearedField> = []
    ) throws -> [UInt8]? {
        guard var object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(body)) as? [String: Any] else {
            preconditionFailure("a request is an object")
        }
        if let edits {
            let written = try? JSONSerialization.jsonObject(with: Data(edits)) as? [String: Any]
            guard let written else { return nil }
            object["edits"] = written
        }
        for field in fields {
            var nested = object[field.parent] as? [String: Any] ?? [:]
            let said = nested[field.rawValue]
            guard said == nil || said is NSNull else { return nil }
            nested[field.rawValue] = NSNull()
            object[field.parent] = nested
        }
        return Array(try JSONSerialization.data(withJSONObject: object, options: .sortedKeys))
    }
}
