import ClipModel
import Store

/// One SQL statement. With a name it is prepared once per connection, and again after a reconnect.
struct Statement: Sendable {
    let name: String?
    let sql: String

    init(_ name: String, _ sql: String) {
        self.name = name
        self.sql = sql
    }

    /// A statement that is not worth preparing.
    init(unprepared sql: String) {
        name = nil
        self.sql = sql
    }

    func with(_ parameters: any Parameter...) -> Call { Call(statement: self, parameters: parameters.map(\.parameter)) }
}

/// A statement with its parameters, in the text form that libpq sends.
struct Call: Sendable {
    let statement: Statement
    private(set) var parameters: [String?]

    /// Further parameters, after those that it has.
    mutating func add(_ more: any Parameter...) { parameters += more.map(\.parameter) }
}

/// What can be a parameter.
protocol Parameter { var parameter: String? { get } }

extension String: Parameter {
    /// PostgreSQL has no text with U+0000 in it, and libpq would cut there: the replacement character stands for it.
    var parameter: String? { utf8.contains(0) ? replacing("\0", with: "\u{FFFD}") : self }
}

extension Optional: Parameter where Wrapped: Parameter {
    var parameter: String? { self?.parameter }
}

extension Array: Parameter where Element: Parameter {
    /// An array literal. Every element is quoted, so only quotes and backslashes are special.
    var parameter: String? {
        let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
        var literal = Array<UInt8>("{".utf8)
        for (index, element) in enumerated() {
            if index > 0 { literal.append(UInt8(ascii: ",")) }
            guard let text = element.parameter else {
                literal += "NULL".utf8
                continue
            }
            literal.append(quote)
            for byte in text.utf8 {
                if byte == quote || byte == backslash { literal.append(backslash) }
                literal.append(byte)
            }
            literal.append(quote)
        }
        literal.append(UInt8(ascii: "}"))
        return String(decoding: literal, as: UTF8.self)
    }
}

extension Bool: Parameter { var parameter: String? { self ? "t" : "f" } }
extension Int: Parameter { var parameter: String? { String(self) } }
extension Int64: Parameter { var parameter: String? { String(self) } }
extension Double: Parameter { var parameter: String? { String(self) } }
/// Milliseconds since 1970; SQL reads them with `time_of`.
extension Timestamp: Parameter { var parameter: String? { String(millisecondsSinceEpoch) } }
extension Identifier: Parameter { var parameter: String? { rawValue } }
extension NodeID: Parameter { var parameter: String? { rawValue } }
extension NodeSchedulability: Parameter { var parameter: String? { rawValue } }
extension Region: Parameter { var parameter: String? { rawValue } }
extension ClientName: Parameter { var parameter: String? { rawValue } }
extension KeyID: Parameter { var parameter: String? { rawValue } }
extension BlobName: Parameter { var parameter: String? { rawValue } }
