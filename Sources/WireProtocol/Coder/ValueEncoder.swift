/// What a type sees while it encodes itself: a place for one value.
struct ValueEncoder: Encoder {
    let session: EncodingSession
    /// Containers that were open when the place was made.
    let level: Int
    let position: Int

    // Paths are put together only when something goes wrong (`pathOfError`).
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(RecordEncoder<Key>(session, in: level, at: position))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer { ListEncoder(session, in: level, at: position) }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }
}

extension ValueEncoder: SingleValueEncodingContainer {
    func encodeNil() throws {
        try session.message.take(level, position)
        session.message.appendNil()
    }

    func encode<Value: Encodable>(_ value: Value) throws {
        try session.message.take(level, position)
        try session.encode(value)
    }

    func encode(_ value: Bool) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: String) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: Double) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: Float) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: Int) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: Int8) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: Int16) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: Int32) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: Int64) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: Int128) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: UInt) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: UInt8) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: UInt16) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: UInt32) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: UInt64) throws {
        try session.message.append(value, alone: level, position)
    }

    func encode(_ value: UInt128) throws {
        try session.message.append(value, alone: level, position)
    }
}
