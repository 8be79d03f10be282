/// What a decoder takes before it gives up, whatever the bytes claim.
package struct CodingLimits: Hashable, Sendable {
    /// Lists and records inside each other; 64. Types that hold themselves would otherwise run out of stack.
    package var depthMax = 64

    /// Elements of all lists and fields of all records of a message; 262,144. An empty record is one byte on the wire
    /// and hundreds in memory.
    package var elementsMax = 1 << 18

    /// Bytes of one text; 1 MiB.
    package var stringBytesMax = 1 << 20

    /// Different field names of a message; 65,536.
    package var namesMax = 1 << 16

    package init() {}

    package static let standard = CodingLimits()
}

/// Values to bytes, compactly (docs/protocol.md, "Values").
///
/// Any `Encodable` works. A value becomes one message: its fields carry their names, each name is written once, and
/// later uses are one byte. Two encodings of equal values are equal bytes, but for sets and dictionaries, whose order
/// is the process's.
package struct WireEncoder: Sendable {
    package let limits: CodingLimits

    package init(limits: CodingLimits = .standard) { self.limits = limits }

    /// One message. Throws `WireError`.
    package func encode(_ value: some Encodable) throws -> [UInt8] {
        var bytes: [UInt8] = []
        // Most messages are smaller: they are allocated once.
        bytes.reserveCapacity(192)
        try encode(value, into: &bytes)
        return bytes
    }

    /// Appends one message, which ends where the bytes end: who reads it has to know its length. On an error the buffer
    /// is as it was.
    package func encode(_ value: some Encodable, into bytes: inout [UInt8]) throws {
        try EncodingSession.encode(value, limits: limits, into: &bytes)
    }

    /// Appends a varint length and one message: several can follow each other (arguments of a call).
    package func encodeCounted(_ value: some Encodable, into bytes: inout [UInt8]) throws {
        let start = bytes.count
        bytes.append(0)
        do {
            try encode(value, into: &bytes)
        } catch {
            bytes.removeLast(bytes.count - start)
            throw error
        }
        bytes.closeCounted(from: start)
    }
}
