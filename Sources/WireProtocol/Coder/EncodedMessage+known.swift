// MARK: - Types that are written without asking them

extension EncodedMessage {
    /// Writes a value of one of the types below and answers true. It saves them the detour through a container each,
    /// and arrays of numbers one container call per number. The types are compared, not cast: a cast asks the runtime
    /// and costs more than most values.
    mutating func appendKnown<Value: Encodable>(_ value: Value) throws -> Bool {
        let type = Value.self
        if type == String.self {
            append(same(value, String.self))
        } else if type == Int.self {
            append(same(value, Int.self))
        } else if type == [UInt8].self {
            append(same(value, [UInt8].self))
        } else if type == [String].self {
            try append(same(value, [String].self))
        } else if type == Bool.self {
            append(same(value, Bool.self))
        } else if type == UInt64.self {
            append(same(value, UInt64.self))
        } else if type == Double.self {
            append(same(value, Double.self))
        } else if type == UInt32.self {
            append(same(value, UInt32.self))
        } else if type == UInt8.self {
            append(same(value, UInt8.self))
        } else {
            return appendKnownNumbers(value)
        }
        return true
    }

    private mutating func appendKnownNumbers<Value: Encodable>(_ value: Value) -> Bool {
        let type = Value.self
        if type == [Int].self {
            append(packed: same(value, [Int].self))
        } else if type == [Double].self {
            append(packed: same(value, [Double].self))
        } else if type == [Float].self {
            append(packed: same(value, [Float].self))
        } else if type == [UInt64].self {
            append(packed: same(value, [UInt64].self))
        } else if type == [Int64].self {
            append(packed: same(value, [Int64].self))
        } else if type == [UInt32].self {
            append(packed: same(value, [UInt32].self))
        } else if type == [Int32].self {
            append(packed: same(value, [Int32].self))
        } else if type == [UInt16].self {
            append(packed: same(value, [UInt16].self))
        } else if type == [Int16].self {
            append(packed: same(value, [Int16].self))
        } else if type == [Int8].self {
            append(packed: same(value, [Int8].self))
        } else if type == [UInt].self {
            append(packed: same(value, [UInt].self))
        } else {
            return false
        }
        return true
    }

    private mutating func append(_ texts: [String]) throws {
        let start = bytes.count
        bytes.append(WireType.list.head())
        bytes.append(0)
        try count(texts.count)
        for text in texts { append(text) }
        bytes.closeContainer(from: start)
    }

    /// An empty list has no width.
    private mutating func append<Number: FixedWidthInteger>(packed numbers: [Number]) {
        guard let first = numbers.first else { return bytes.append(WireType.list.head()) }
        var (lowest, highest) = (first, first)
        for number in numbers {
            lowest = min(lowest, number)
            highest = max(highest, number)
        }
        let kind = PackedKind.narrowest(from: lowest, to: highest)
        bytes.append(.packed, UInt64(1 + kind.width * numbers.count))
        bytes.append(kind.rawValue)
        bytes.reserveCapacity(bytes.count + kind.width * numbers.count)
        switch kind {
        case .unsigned8, .signed8: append(bigEndian: numbers, as: UInt8.self)
        case .unsigned16, .signed16: append(bigEndian: numbers, as: UInt16.self)
        case .unsigned32, .signed32: append(bigEndian: numbers, as: UInt32.self)
        default: append(bigEndian: numbers, as: UInt64.self)
        }
    }

    private mutating func append<Number: FixedWidthInteger, Width: FixedWidthInteger & UnsignedInteger>(
        bigEndian numbers: [Number], as width: Width.Type
    ) {
        for number in numbers { bytes.append(bigEndian: Width(truncatingIfNeeded: number)) }
    }

    private mutating func append(packed numbers: [Double]) {
        if numbers.isEmpty { return bytes.append(WireType.list.head()) }
        bytes.append(.packed, UInt64(1 + 8 * numbers.count))
        bytes.append(PackedKind.double.rawValue)
        for number in numbers { bytes.append(bigEndian: number.bitPattern) }
    }

    private mutating func append(packed numbers: [Float]) {
        if numbers.isEmpty { return bytes.append(WireType.list.head()) }
        bytes.append(.packed, UInt64(1 + 4 * numbers.count))
        bytes.append(PackedKind.float.rawValue)
        for number in numbers { bytes.append(bigEndian: number.bitPattern) }
    }
}

/// `value` as the type that it is: the caller has compared the two types.
@inline(__always)
func same<Value, Known>(_ value: Value, _ type: Known.Type) -> Known {
    assert(Value.self == Known.self)
    // Sound because the types are equal; a cast would look that up again, for fifty nanoseconds.
    return unsafe unsafeBitCast(value, to: type)
}
