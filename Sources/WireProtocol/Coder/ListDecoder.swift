/// A list while it is read: values one after the other, or packed numbers.
struct ListDecoder: UnkeyedDecodingContainer {
    let session: DecodingSession
    private let kind: PackedKind?
    private let start: Int
    private let end: Int
    private let depth: Int
    private var position: Int
    private(set) var currentIndex = 0

    init(_ session: DecodingSession, _ head: DecodingSession.Head, depth: Int) throws {
        try session.checkDepth(depth)
        if let (kind, content) = try session.packed(head) {
            self.kind = kind
            start = content
        } else if head.type == .list {
            kind = nil
            start = head.content
        } else {
            throw WireError(.wrongType, "a list was asked for, \(session.name(of: head)) is there")
        }
        self.session = session
        self.depth = depth
        end = head.end
        position = start
    }

    var codingPath: [any CodingKey] { [] }
    var isAtEnd: Bool { position >= end }

    /// Counted by stepping over the elements; nil when one of them cannot be stepped over.
    var count: Int? {
        if let kind { return (end - start) / kind.width }
        var (count, place) = (0, start)
        while place < end {
            guard let head = try? session.head(at: place, before: end) else { return nil }
            place = head.end
            count += 1
        }
        return count
    }

    /// The next element, which is passed by `advance`.
    @inline(__always)
    private func next() throws -> DecodingSession.Head {
        guard position < end else { throw WireError(.missingField, "no element \(currentIndex) in a list") }
        if let kind { return session.head(ofPacked: kind, at: position) }
        return try session.head(at: position, before: end)
    }

    @inline(__always)
    private mutating func advance(_ head: DecodingSession.Head) throws {
        try session.count(1)
        position = head.end
        currentIndex += 1
    }

    @inline(__always)
    private mutating func decode<Value>(_ body: (Self, DecodingSession.Head) throws -> Value) throws -> Value {
        do {
            let head = try next()
            let value = try body(self, head)
            try advance(head)
            return value
        } catch {
            session.pathOfError.append("\(currentIndex)")
            throw error
        }
    }

    mutating func decodeNil() throws -> Bool {
        let head = try next()
        guard session.isNil(head) else { return false }
        try advance(head)
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try decode { try $0.session.decode(type, $1, $0.kind, depth: $0.depth) }
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        try decode { KeyedDecodingContainer(try RecordDecoder<Nested>($0.session, $1, depth: $0.depth + 1)) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try decode { try ListDecoder($0.session, $1, depth: $0.depth + 1) }
    }

    mutating func superDecoder() throws -> any Decoder {
        try decode { ValueDecoder($0.session, $1, $0.kind, depth: $0.depth) }
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try decode { try $0.session.bool($1) } }
    mutating func decode(_ type: String.Type) throws -> String { try decode { try $0.session.text($1) } }
    mutating func decode(_ type: Double.Type) throws -> Double { try decode { try $0.session.double($1) } }
    mutating func decode(_ type: Float.Type) throws -> Float { try decode { try $0.session.float($1) } }
    mutating func decode(_ type: Int.Type) throws -> Int { try decode { try $0.session.integer($1, Int.self) } }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try decode { try $0.session.integer($1, Int8.self) } }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try decode { try $0.session.integer($1, Int16.self) } }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try decode { try $0.session.integer($1, Int32.self) } }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try decode { try $0.session.integer($1, Int64.self) } }
    mutating func decode(_ type: Int128.Type) throws -> Int128 {
        try decode { try $0.session.integer($1, Int128.self) }
    }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try decode { try $0.session.integer($1, UInt.self) } }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try decode { try $0.session.integer($1, UInt8.self) } }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 {
        try decode { try $0.session.integer($1, UInt16.self) }
    }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 {
        try decode { try $0.session.integer($1, UInt32.self) }
    }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 {
        try decode { try $0.session.integer($1, UInt64.self) }
    }
    mutating func decode(_ type: UInt128.Type) throws -> UInt128 {
        try decode { try $0.session.integer($1, UInt128.self) }
    }
}
