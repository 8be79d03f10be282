/// Big-endian numbers and varints at the end of a buffer. Everything on the wire is written through these.
extension [UInt8] {
    @inline(__always)
    mutating func append<Number: FixedWidthInteger>(bigEndian number: Number) {
        var shift = Number.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
    }

    /// Seven bits a byte, the lowest first, the highest bit says that more follow (LEB128, as in Protocol Buffers).
    @inline(__always)
    mutating func append(varint number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// The length as a varint, then the bytes.
    mutating func append(counted text: String) {
        append(varint: UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    /// The length as a varint, then the bytes.
    mutating func append(counted bytes: ArraySlice<UInt8>) {
        append(varint: UInt64(bytes.count))
        append(contentsOf: bytes)
    }

    /// Overwrites four bytes that were left open for a length.
    mutating func patch(bigEndian number: UInt32, at offset: Int) {
        self[offset] = UInt8(truncatingIfNeeded: number >> 24)
        self[offset + 1] = UInt8(truncatingIfNeeded: number >> 16)
        self[offset + 2] = UInt8(truncatingIfNeeded: number >> 8)
        self[offset + 3] = UInt8(truncatingIfNeeded: number)
    }
}

/// Reads a payload from its beginning. Every read checks first that the bytes are there.
struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// What is not read yet.
    var rest: ArraySlice<UInt8> { bytes[position...] }
    var restCount: Int { bytes.endIndex - position }
    var isAtEnd: Bool { position == bytes.endIndex }

    @inline(__always)
    mutating func byte(_ what: StaticString) throws(WireError) -> UInt8 {
        guard position < bytes.endIndex else { throw WireError(.malformed, "\(what) is cut off") }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func bigEndian<Number: FixedWidthInteger>(
        _ type: Number.Type, _ what: StaticString
    ) throws(WireError) -> Number {
        let end = position + Number.bitWidth / 8
        guard end <= bytes.endIndex else { throw WireError(.malformed, "\(what) is cut off") }
        var number: Number = 0
        while position < end {
            number = number << 8 | Number(truncatingIfNeeded: bytes[position])
            position += 1
        }
        return number
    }

    /// A varint in its shortest form: of two spellings of one number the longer is refused, so that equal messages are
    /// equal bytes.
    mutating func varint(_ what: StaticString) throws(WireError) -> UInt64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte(what)
            let bits = UInt64(byte & 0x7F)
            if shift == 63, bits > 1 { throw WireError(.malformed, "\(what) does not fit into 64 bits") }
            number |= bits << shift
            if byte < 0x80 {
                if byte == 0, shift > 0 { throw WireError(.malformed, "\(what) is written longer than it has to be") }
                return number
            }
            if shift == 63 { throw WireError(.malformed, "\(what) does not fit into 64 bits") }
            shift += 7
        }
    }

    mutating func bytes(_ count: Int, _ what: StaticString) throws(WireError) -> ArraySlice<UInt8> {
        guard count <= restCount else { throw WireError(.malformed, "\(what) is cut off") }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// A varint length of at most `bytesMax`, then so many bytes.
    mutating func counted(bytesMax: Int, _ what: StaticString) throws(WireError) -> ArraySlice<UInt8> {
        let count = try varint(what)
        guard count <= UInt64(bytesMax) else {
            throw WireError(.malformed, "\(what) has \(count) bytes, more than \(bytesMax)")
        }
        return try bytes(Int(count), what)
    }

    mutating func countedText(bytesMax: Int, _ what: StaticString) throws(WireError) -> String {
        try Self.text(counted(bytesMax: bytesMax, what), what)
    }

    /// Everything that is left.
    mutating func takeRest() -> ArraySlice<UInt8> {
        defer { position = bytes.endIndex }
        return rest
    }

    func expectEnd(_ what: StaticString) throws(WireError) {
        if !isAtEnd { throw WireError(.malformed, "\(restCount) bytes stand after \(what)") }
    }

    static func text(_ bytes: ArraySlice<UInt8>, _ what: StaticString) throws(WireError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw WireError(.malformed, "\(what) is not UTF-8")
        }
        return text
    }
}
