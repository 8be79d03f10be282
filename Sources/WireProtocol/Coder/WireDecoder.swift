/// Bytes to values; see `WireEncoder`.
///
/// Fields that the type does not know are skipped, optional fields that are absent are nil, the order of fields does
/// not matter: two neighbouring releases understand each other.
package struct WireDecoder: Sendable {
    package let limits: CodingLimits
    /// What types find in `Decoder.userInfo`: a distributed actor looks there for its actor system.
    package let userInfo: [CodingUserInfoKey: any Sendable]

    package init(limits: CodingLimits = .standard, userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
        self.limits = limits
        self.userInfo = userInfo
    }

    /// The value of a whole message. Throws `WireError`, whatever the bytes are.
    package func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        try decode(type, from: bytes[...])
    }

    /// The value of a whole message that is part of something larger; nothing is copied.
    package func decode<Value: Decodable>(_ type: Value.Type, from bytes: ArraySlice<UInt8>) throws -> Value {
        try DecodingSession.decode(type, from: bytes, limits: limits, userInfo: userInfo)
    }

    /// The next of several messages that each follow their length; it is removed from `bytes`.
    package func decodeCounted<Value: Decodable>(
        _ type: Value.Type, from bytes: inout ArraySlice<UInt8>
    ) throws -> Value {
        var reader = ByteReader(bytes)
        let message = try reader.counted(bytesMax: bytes.count, "a message")
        let value = try decode(type, from: message)
        bytes = reader.rest
        return value
    }
}
