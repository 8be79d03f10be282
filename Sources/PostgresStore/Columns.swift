import ClipModel

/// A row on its way to the server.
protocol ColumnRow {
    /// Names and types of its columns, in the order in which `write` gives their values.
    static var columns: KeyValuePairs<String, String> { get }
    func write(to columns: inout Columns)
}

extension ColumnRow {
    /// The rows as a statement reads them, from its first parameters: `unnest($1::text[], $2::integer[]) as new(...)`.
    static var rows: String { "\(unnested) as new(\(names))" }
    /// The same with the place of each row, from 1, in the last column.
    static var rowsInOrder: String { "\(unnested) with ordinality as new(\(names), place)" }
    /// The parameter that follows on those of the columns, or one after it.
    static func parameter(after columns: Int = 0) -> String { "$\(self.columns.count + 1 + columns)" }

    private static var names: String { columns.map(\.key).joined(separator: ", ") }
    private static var unnested: String {
        let arrays = columns.enumerated().map { "$\($0 + 1)::\($1.value)[]" }
        return "unnest(\(arrays.joined(separator: ", ")))"
    }
}

/// Rows as one array literal a column. Neither side has to look at names and braces, as it would with rows in JSON: for
/// rows of twenty columns that costs several times as much.
struct Columns {
    private var literals: [[UInt8]]
    /// Of the row that is being written.
    private var column = 0

    init<Row: ColumnRow>(_ rows: [Row]) {
        literals = Array(repeating: Array("{".utf8), count: Row.columns.count)
        for row in rows {
            column = 0
            row.write(to: &self)
            precondition(column == literals.count, "\(Row.self) has \(literals.count) columns, \(column) were written")
        }
    }

    var parameters: [String?] { literals.map { String(decoding: $0, as: UTF8.self) + "}" } }

    mutating func add(_ text: String?) { append(text.map(\.utf8), isQuoted: true) }
    mutating func add(_ number: (some BinaryInteger)?) { append(number.map { String($0).utf8 }, isQuoted: false) }
    mutating func add(_ moment: Timestamp?) { add(moment?.millisecondsSinceEpoch) }
    mutating func add(_ flag: Bool) { append((flag ? "t" : "f").utf8, isQuoted: false) }
    mutating func add(json value: (some Encodable)?) { add(value.flatMap { JSON($0).parameter }) }

    private mutating func append(_ text: String.UTF8View?, isQuoted: Bool) {
        if literals[column].count > 1 { literals[column].append(UInt8(ascii: ",")) }
        if let text, isQuoted { quote(text) } else { literals[column] += text ?? "NULL".utf8 }
        column += 1
    }

    /// As in `Array.parameter`; and as in `String.parameter`, the replacement character stands for U+0000.
    private mutating func quote(_ text: String.UTF8View) {
        let (mark, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
        literals[column].append(mark)
        for byte in text {
            switch byte {
            case 0: literals[column] += "\u{FFFD}".utf8
            case mark, backslash: literals[column] += [backslash, byte]
            default: literals[column].append(byte)
            }
        }
        literals[column].append(mark)
    }
}

extension Statement {
    /// With rows as its first parameters.
    func with(rows: [some ColumnRow], _ more: any Parameter...) -> Call {
        Call(statement: self, parameters: Columns(rows).parameters + more.map(\.parameter))
    }
}
