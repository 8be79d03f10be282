import ClipModel
import Foundation
import Store

/// What a statement answered, copied out of libpq's memory.
struct Rows: Sendable {
    let columns: [String: Int]
    /// Row after row, each as long as there are columns.
    let cells: [String?]
    let count: Int
    /// Rows that an `INSERT`, `UPDATE` or `DELETE` touched.
    let affected: Int

    var isEmpty: Bool { count == 0 }
    var first: Row? { isEmpty ? nil : row(0) }
    func map<Value>(_ read: (Row) throws -> Value) rethrows -> [Value] { try (0..<count).map { try read(row($0)) } }

    private func row(_ number: Int) -> Row {
        let width = cells.count / count
        return Row(columns: columns, cells: cells[number * width..<(number + 1) * width])
    }
}

/// One row. A column that does not hold what it should is `corrupt`, with its name.
struct Row {
    fileprivate let columns: [String: Int]
    fileprivate let cells: ArraySlice<String?>

    fileprivate init(columns: [String: Int], cells: ArraySlice<String?>) {
        self.columns = columns
        self.cells = cells
    }

    func optional(_ column: String) throws -> String? {
        guard let position = columns[column] else {
            throw PostgresFailure(.corrupt, "the answer has no column \(column)")
        }
        return cells[cells.startIndex + position]
    }

    func text(_ column: String) throws -> String { try read(column) { $0 } }
    func int(_ column: String) throws -> Int { try read(column) { Int($0) } }
    func int64(_ column: String) throws -> Int64 { try read(column) { Int64($0) } }
    func double(_ column: String) throws -> Double { try read(column) { Double($0) } }
    func bool(_ column: String) throws -> Bool { try text(column) == "t" }
    /// A column that holds milliseconds since 1970.
    func time(_ column: String) throws -> Timestamp { Timestamp(millisecondsSinceEpoch: try int64(column)) }

    /// A value that is text, read by its own rules: `try row.read("job", JobID.init)`.
    func read<Value>(_ column: String, _ parse: (String) -> Value?) throws -> Value {
        guard let text = try optional(column) else {
            throw PostgresFailure(.corrupt, "column \(column) is null")
        }
        guard let value = parse(text) else {
            throw PostgresFailure(.corrupt, "column \(column) holds \(text.prefix(80)), which is not a \(Value.self)")
        }
        return value
    }

    func readIfPresent<Value>(_ column: String, _ parse: (String) -> Value?) throws -> Value? {
        try optional(column) == nil ? nil : read(column, parse)
    }

    func timeIfPresent(_ column: String) throws -> Timestamp? {
        try optional(column) == nil ? nil : time(column)
    }

    func json<Value: Decodable>(_ column: String, as type: Value.Type = Value.self) throws -> Value {
        let text = try text(column)
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do {
            return try decoder.decode(type, from: Data(text.utf8))
        } catch {
            throw PostgresFailure(.corrupt, "column \(column) does not hold a \(type): \(error)")
        }
    }

    func json<Value: Decodable & Sendable>(_ column: String, known: Memo) throws -> Value {
        try known.value(of: try text(column)) { _ in try json(column) }
    }

    func jsonIfPresent<Value: Decodable>(_ column: String, as type: Value.Type = Value.self) throws -> Value? {
        try optional(column) == nil ? nil : json(column, as: type)
    }
}

/// A parameter of type `jsonb`.
struct JSON<Value: Encodable>: Parameter {
    let value: Value
    init(_ value: Value) { self.value = value }

    var parameter: String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do {
            return withoutNUL([UInt8](try encoder.encode(value)))
        } catch {
            preconditionFailure("\(Value.self) cannot be written as JSON: \(error)")
        }
    }

    /// `jsonb` refuses U+0000, which JSON may hold as an escape: the replacement character stands for it.
    private func withoutNUL(_ json: [UInt8]) -> String {
        let mayHoldOne = json.indices.contains { place in
            json[place] == UInt8(ascii: "\\") && json[place...].starts(with: "\\u0000".utf8)
        }
        guard mayHoldOne else { return String(decoding: json, as: UTF8.self) }
        var rest = json[...]
        var result: [UInt8] = []
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            if rest.starts(with: "u0000".utf8) {
                rest.removeFirst(5)
                result.append(contentsOf: "\u{FFFD}".utf8)
            } else {
                // The escaped character goes along, so that `\\u0000` (a backslash, then letters) is left alone.
                result.append(byte)
                if let escaped = rest.popFirst() { result.append(escaped) }
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
