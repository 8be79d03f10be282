/// What a type sees while it decodes itself: one value.
struct ValueDecoder: Decoder {
    let session: DecodingSession
    // Three words, so that an `any Decoder` holds it without an allocation. A message is smaller than 2 GiB.
    private let position: Int32
    private let end: Int32
    private let depth: Int32
    private let kind: PackedKind?

    init(_ session: DecodingSession, _ head: DecodingSession.Head, _ kind: PackedKind? = nil, depth: Int) {
        self.session = session
        self.kind = kind
        self.position = Int32(head.start)
        self.end = Int32(head.end)
        self.depth = Int32(depth)
    }

    // Paths are put together only when something goes wrong (`pathOfError`).
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { session.userInfo.mapValues { $0 } }

    @inline(__always)
    private func head() throws -> DecodingSession.Head {
        if let kind { return session.head(ofPacked: kind, at: Int(position)) }
        return try session.head(at: Int(position), before: Int(end))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(try RecordDecoder<Key>(session, head(), depth: Int(depth) + 1))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try ListDecoder(session, head(), depth: Int(depth) + 1)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }
}

extension ValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool {
        // What cannot be read is not nil; reading it says why.
        guard let head = try? head() else { return false }
        return session.isNil(head)
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try session.decode(type, head(), kind, depth: Int(depth))
    }

    func decode(_ type: Bool.Type) throws -> Bool { try session.bool(head()) }
    func decode(_ type: String.Type) throws -> String { try session.text(head()) }
    func decode(_ type: Double.Type) throws -> Double { try session.double(head()) }
    func decode(_ type: Float.Type) throws -> Float { try session.float(head()) }
    func decode(_ type: Int.Type) throws -> Int { try session.integer(head(), Int.self) }
    func decode(_ type: Int8.Type) throws -> Int8 { try session.integer(head(), Int8.self) }
    func decode(_ type: Int16.Type) throws -> Int16 { try session.integer(head(), Int16.self) }
    func decode(_ type: Int32.Type) throws -> Int32 { try session.integer(head(), Int32.self) }
    func decode(_ type: Int64.Type) throws -> Int64 { try session.integer(head(), Int64.self) }
    func decode(_ type: Int128.Type) throws -> Int128 { try session.integer(head(), Int128.self) }
    func decode(_ type: UInt.Type) throws -> UInt { try session.integer(head(), UInt.self) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try session.integer(head(), UInt8.self) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try session.integer(head(), UInt16.self) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try session.integer(head(), UInt32.self) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try session.integer(head(), UInt64.self) }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try session.integer(head(), UInt128.self) }
}
