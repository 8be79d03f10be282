/// A record while it is written.
struct RecordEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let session: EncodingSession
    /// How many containers are open when this is the innermost; 0 when it could not be opened.
    let level: Int
    let start: Int

    init(_ session: EncodingSession, in level: Int, at position: Int) {
        self.session = session
        let opened = session.message.open(.record, in: level, at: position)
        self.level = opened == nil ? 0 : level + 1
        start = opened ?? 0
    }

    var codingPath: [any CodingKey] { [] }

    mutating func encodeNil(forKey key: Key) throws {
        try session.message.enter(level, start, field: key.stringValue)
        session.message.appendNil()
    }

    mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try session.message.enter(level, start, field: key.stringValue)
        do {
            try session.encode(value)
        } catch {
            session.pathOfError.append(key.stringValue)
            throw error
        }
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        let level = place(for: key.stringValue)
        return KeyedEncodingContainer(RecordEncoder<Nested>(session, in: level, at: session.message.bytes.count))
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        let level = place(for: key.stringValue)
        return ListEncoder(session, in: level, at: session.message.bytes.count)
    }

    mutating func superEncoder() -> any Encoder { promised("super") }

    mutating func superEncoder(forKey key: Key) -> any Encoder { promised(key.stringValue) }

    private func promised(_ name: String) -> ValueEncoder {
        let level = place(for: name)
        return ValueEncoder(session: session, level: level, position: session.message.promise())
    }

    /// The level for a container in this field. What goes wrong is kept: these functions cannot throw.
    private func place(for name: String) -> Int {
        do {
            try session.message.enter(level, start, field: name)
        } catch {
            session.message.fail(error)
        }
        return level
    }

    mutating func encode(_ value: Bool, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: String, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: Double, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: Float, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: Int, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: Int8, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: Int16, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: Int32, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: Int64, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: Int128, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: UInt, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: UInt8, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: UInt16, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: UInt32, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: UInt64, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }

    mutating func encode(_ value: UInt128, forKey key: Key) throws {
        try session.message.append(value, field: key.stringValue, level, start)
    }
}
