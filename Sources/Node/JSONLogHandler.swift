import ClipModel
import Foundation
import Logging
import Synchronization

/// Writes each log record as one line on standard error: a JSON object, or text for people.
///
/// A record is one `write`, so the lines of several threads never mix.
struct JSONLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata
    private let label: String
    private let isText: Bool
    private let now: @Sendable () -> Timestamp

    init(
        label: String, level: Logger.Level, isText: Bool, metadata: Logger.Metadata,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.label = label
        self.logLevel = level
        self.isText = isText
        self.metadata = metadata
        self.now = now
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var facts = metadata
        if let more = event.metadata { facts.merge(more) { _, new in new } }
        if let error = event.error { facts["error"] = "\(error)" }
        let line = isText ? text(event, facts) : json(event, facts)
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    private func text(_ event: LogEvent, _ facts: Logger.Metadata) -> String {
        let pairs = facts.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        return "\(now()) \(event.level) \(event.message)\(pairs)"
    }

    private func json(_ event: LogEvent, _ facts: Logger.Metadata) -> String {
        var fields = ["\"ts\":\(quoted(now().rawValue))", "\"level\":\"\(event.level)\""]
        fields.append("\"message\":\(quoted("\(event.message)"))")
        fields.append("\"logger\":\(quoted(label))")
        for (key, value) in facts.sorted(by: { $0.key < $1.key }) {
            fields.append("\(quoted(key)):\(json(value))")
        }
        return "{" + fields.joined(separator: ",") + "}"
    }

    private func json(_ value: Logger.Metadata.Value) -> String {
        switch value {
        case .string(let text): quoted(text)
        case .stringConvertible(let convertible): quoted("\(convertible)")
        case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .dictionary(let pairs):
            "{" + pairs.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(json($0.value))" }.joined(separator: ",")
                + "}"
        }
    }
}

/// A JSON string (RFC 8259), with control characters escaped so that a record stays one line.
func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": out += "\\\""
        case "\\": out += "\\\\"
        case "\n": out += "\\n"
        case "\r": out += "\\r"
        case "\t": out += "\\t"
        case "\u{0}"..."\u{1f}", "\u{7f}", "\u{2028}", "\u{2029}":
            let hex = String(scalar.value, radix: 16)
            out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out + "\""
}
