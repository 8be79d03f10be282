/// A list while it is written.
struct ListEncoder: UnkeyedEncodingContainer {
    let session: EncodingSession
    /// How many containers are open when this is the innermost; 0 when it could not be opened.
    private let level: Int32
    private(set) var written: Int32 = 0
    private let start: Int

    init(_ session: EncodingSession, in level: Int, at position: Int) {
        self.session = session
        let opened = session.message.open(.list, in: level, at: position)
        self.level = opened == nil ? 0 : Int32(level + 1)
        start = opened ?? 0
    }

    var codingPath: [any CodingKey] { [] }
    var count: Int { Int(written) }

    mutating func encodeNil() throws {
        try next()
        session.message.appendNil()
    }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
        try next()
        do {
            try session.encode(value)
        } catch {
            session.pathOfError.append("\(written - 1)")
            throw error
        }
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> {
        let level = place()
        return KeyedEncodingContainer(RecordEncoder<Nested>(session, in: level, at: session.message.bytes.count))
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        let level = place()
        return ListEncoder(session, in: level, at: session.message.bytes.count)
    }

    mutating func superEncoder() -> any Encoder {
        let level = place()
        return ValueEncoder(session: session, level: level, position: session.message.promise())
    }

    @inline(__always)
    private mutating func next() throws {
        try session.message.enter(Int(level), start)
        written += 1
    }

    /// The level for a container in this list. What goes wrong is kept: these functions cannot throw.
    private mutating func place() -> Int {
        do {
            try next()
        } catch {
            session.message.fail(error)
        }
        return Int(level)
    }

    mutating func encode(_ value: Bool) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: String) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: Double) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: Float) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: Int) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: Int8) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: Int16) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: Int32) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: Int64) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: Int128) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: UInt) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: UInt8) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: UInt16) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: UInt32) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: UInt64) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }

    mutating func encode(_ value: UInt128) throws {
        try session.message.append(value, Int(level), start)
        written += 1
    }
}
