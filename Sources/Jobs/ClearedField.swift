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

    /// `body`, the request for a revision, with null where something is cleared.
    package static func encode(_ body: some Encodable, clearing fields: Set<ClearedField>) throws -> [UInt8] {
        let encoded = try JSONEncoder().encode(body)
        guard !fields.isEmpty, var object = try JSONSerialization.jsonObject(with: encoded) as? [String: Any] else {
            return Array(encoded)
        }
        for field in fields {
            var nested = object[field.parent] as? [String: Any] ?? [:]
            nested[field.rawValue] = NSNull()
            object[field.parent] = nested
        }
        return Array(try JSONSerialization.data(withJSONObject: object, options: .sortedKeys))
    }

    /// Those that a JSON object with `captions` and `scenes` says to be null.
    package static func nulls(in edits: [UInt8]) throws -> Set<ClearedField> {
        let object = try JSONSerialization.jsonObject(with: Data(edits)) as? [String: Any] ?? [:]
        return Set(allCases.filter { $0.parent == "edits" && object[$0.rawValue] is NSNull })
    }
}
