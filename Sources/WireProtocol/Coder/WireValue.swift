/// The first byte of a value: three bits say what it is, five hold a number, or 31 when the number follows.
enum WireType: UInt8 {
    /// The number itself.
    case unsigned = 0
    /// -1 minus the number.
    case negative = 1
    /// The number is a `SimpleValue`.
    case simple = 2
    /// So many bytes follow.
    case bytes = 3
    /// So many bytes of UTF-8 follow.
    case text = 4
    /// Values follow, so many bytes of them.
    case list = 5
    /// Pairs of a name's number and a value follow, so many bytes of them.
    case record = 6
    /// A `PackedKind` and numbers of equal width follow, so many bytes of them.
    case packed = 7

    /// The first byte for a number below 31, and for an empty container.
    @inline(__always)
    func head(_ number: UInt8 = 0) -> UInt8 { rawValue << 5 | number }

    /// From here on the number follows the first byte, less this much.
    static let longFrom: UInt8 = 31
}

/// Values without a number, and numbers of a fixed width.
enum SimpleValue: UInt8 {
    case null = 0
    case no = 1
    case yes = 2
    /// Four bytes, big-endian, IEEE 754.
    case float = 3
    /// Eight bytes.
    case double = 4
    /// Sixteen bytes, for what `unsigned` has no room for.
    case unsigned128 = 5
    /// Sixteen bytes, -1 minus them, for what `negative` has no room for.
    case negative128 = 6

    var head: UInt8 { WireType.simple.head(rawValue) }

    var followingBytes: Int {
        switch self {
        case .null, .no, .yes: 0
        case .float: 4
        case .double: 8
        case .unsigned128, .negative128: 16
        }
    }
}

/// The width of the numbers of a packed list, big-endian like all others.
enum PackedKind: UInt8 {
    case unsigned8 = 1
    case unsigned16 = 2
    case unsigned32 = 3
    case unsigned64 = 4
    case signed8 = 5
    case signed16 = 6
    case signed32 = 7
    case signed64 = 8
    case float = 9
    case double = 10

    var width: Int {
        switch self {
        case .unsigned8, .signed8: 1
        case .unsigned16, .signed16: 2
        case .unsigned32, .signed32, .float: 4
        case .unsigned64, .signed64, .double: 8
        }
    }

    /// The narrowest that holds both ends of a range of numbers.
    static func narrowest<Number: FixedWidthInteger>(from lowest: Number, to highest: Number) -> PackedKind {
        if lowest >= 0 {
            if highest <= Number(clamping: UInt8.max) { return .unsigned8 }
            if highest <= Number(clamping: UInt16.max) { return .unsigned16 }
            return highest <= Number(clamping: UInt32.max) ? .unsigned32 : .unsigned64
        }
        if lowest >= Number(clamping: Int8.min), highest <= Number(clamping: Int8.max) { return .signed8 }
        if lowest >= Number(clamping: Int16.min), highest <= Number(clamping: Int16.max) { return .signed16 }
        let fits = lowest >= Number(clamping: Int32.min) && highest <= Number(clamping: Int32.max)
        return fits ? .signed32 : .signed64
    }
}

extension [UInt8] {
    /// The first byte of a value and the rest of its number.
    @inline(__always)
    mutating func append(_ type: WireType, _ number: UInt64) {
        if number < UInt64(WireType.longFrom) {
            append(type.head(UInt8(truncatingIfNeeded: number)))
        } else {
            append(type.head(WireType.longFrom))
            append(varint: number - UInt64(WireType.longFrom))
        }
    }

    /// Makes a value of everything that was appended from `start` on: a head byte stands there, then a byte that was
    /// left open for the length.
    mutating func closeContainer(from start: Int) {
        let body = count - start - 2
        if body < Int(WireType.longFrom) {
            self[start] |= UInt8(body)
            remove(at: start + 1)
            return
        }
        self[start] |= WireType.longFrom
        putVarint(UInt64(body - Int(WireType.longFrom)), inPlaceAt: start + 1)
    }

    /// Puts the length of everything after `start` into the byte that was left open there.
    mutating func closeCounted(from start: Int) { putVarint(UInt64(count - start - 1), inPlaceAt: start) }

    /// Writes a varint over one byte; what stands behind moves when it takes more.
    private mutating func putVarint(_ number: UInt64, inPlaceAt offset: Int) {
        self[offset] = UInt8(truncatingIfNeeded: number & 0x7F) | (number >= 0x80 ? 0x80 : 0)
        if number < 0x80 { return }
        var more: [UInt8] = []
        more.append(varint: number >> 7)
        insert(contentsOf: more, at: offset + 1)
    }
}
