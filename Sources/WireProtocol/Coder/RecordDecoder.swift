/// A record while it is read.
struct RecordDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let session: DecodingSession
    private let start: Int
    private let end: Int
    private let depth: Int

    init(_ session: DecodingSession, _ head: DecodingSession.Head, depth: Int) throws {
        guard head.type == .record else {
            throw WireError(.wrongType, "a record was asked for, \(session.name(of: head)) is there")
        }
        try session.checkDepth(depth)
        self.session = session
        self.start = head.content
        self.end = head.end
        self.depth = depth
    }

    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { session.keys(from: start, to: end, as: Key.self) }

    @inline(__always)
    private func find(_ name: String) throws -> DecodingSession.Head? {
        try session.field(name, from: start, to: end, depth: depth)
    }

    @inline(__always)
    private func field(_ key: Key) throws -> DecodingSession.Head {
        let name = key.stringValue
        guard let head = try find(name) else { throw WireError(.missingField, "no field \(name)") }
        return head
    }

    /// A field that may be absent or nil.
    @inline(__always)
    private func optionalField(_ key: Key) throws -> DecodingSession.Head? {
        guard let head = try find(key.stringValue), !session.isNil(head) else { return nil }
        return head
    }

    /// Notes the field for the message of an error that comes from inside it.
    @inline(__always)
    private func inside<Value>(_ name: @autoclosure () -> String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            session.pathOfError.append(name())
            throw error
        }
    }

    func contains(_ key: Key) -> Bool {
        // What cannot be read is not there; reading it says why.
        ((try? find(key.stringValue)) ?? nil) != nil
    }

    func decodeNil(forKey key: Key) throws -> Bool { session.isNil(try field(key)) }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        let head = try field(key)
        return try inside(key.stringValue) {
            try session.decode(type, head, depth: depth)
        }
    }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) {
            try session.decode(type, head, depth: depth)
        }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        KeyedDecodingContainer(try RecordDecoder<Nested>(session, field(key), depth: depth + 1))
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try ListDecoder(session, field(key), depth: depth + 1)
    }

    func superDecoder() throws -> any Decoder {
        guard let head = try find("super") else { throw WireError(.missingField, "no field super") }
        return ValueDecoder(session, head, depth: depth)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        let head = try field(key)
        return ValueDecoder(session, head, depth: depth)
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        let head = try field(key)
        return try inside(key.stringValue) { try session.bool(head) }
    }

    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        let head = try field(key)
        return try inside(key.stringValue) { try session.text(head) }
    }

    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        let head = try field(key)
        return try inside(key.stringValue) { try session.double(head) }
    }

    func decode(_ type: Float.Type, forKey key: Key) throws -> Float {
        let head = try field(key)
        return try inside(key.stringValue) { try session.float(head) }
    }

    func decode(_ type: Int.Type, forKey key: Key) throws -> Int {
        let head = try field(key)
        return try inside(key.stringValue) { try session.integer(head, Int.self) }
    }

    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 {
        let head = try field(key)
        return try inside(key.stringValue) { try session.integer(head, Int8.self) }
    }

    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 {
        let head = try field(key)
        return try inside(key.stringValue) { try session.integer(head, Int16.self) }
    }

    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 {
        let head = try field(key)
        return try inside(key.stringValue) { try session.integer(head, Int32.self) }
    }

    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 {
        let head = try field(key)
        return try inside(key.stringValue) { try session.integer(head, Int64.self) }
    }

    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 {
        let head = try field(key)
        return try inside(key.stringValue) { try session.integer(head, Int128.self) }
    }

    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt {
        let head = try field(key)
        return try inside(key.stringValue) { try session.integer(head, UInt.self) }
    }

    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 {
        let head = try field(key)
        return try inside(key.stringValue) { try session.integer(head, UInt8.self) }
    }

    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 {
        let head = try field(key)
        return try inside(key.stringValue) { try session.integer(head, UInt16.self) }
    }

    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 {
        let head = try field(key)
        return try inside(key.stringValue) { try session.integer(head, UInt32.self) }
    }

    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 {
        let head = try field(key)
        return try inside(key.stringValue) { try session.integer(head, UInt64.self) }
    }

    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 {
        let head = try field(key)
        return try inside(key.stringValue) { try session.integer(head, UInt128.self) }
    }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.bool(head) }
    }

    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.text(head) }
    }

    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.double(head) }
    }

    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.float(head) }
    }

    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.integer(head, Int.self) }
    }

    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.integer(head, Int8.self) }
    }

    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.integer(head, Int16.self) }
    }

    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.integer(head, Int32.self) }
    }

    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.integer(head, Int64.self) }
    }

    func decodeIfPresent(_ type: Int128.Type, forKey key: Key) throws -> Int128? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.integer(head, Int128.self) }
    }

    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.integer(head, UInt.self) }
    }

    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.integer(head, UInt8.self) }
    }

    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.integer(head, UInt16.self) }
    }

    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.integer(head, UInt32.self) }
    }

    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.integer(head, UInt64.self) }
    }

    func decodeIfPresent(_ type: UInt128.Type, forKey key: Key) throws -> UInt128? {
        guard let head = try optionalField(key) else { return nil }
        return try inside(key.stringValue) { try session.integer(head, UInt128.self) }
    }
}
