/// A message while it is written: the output, the names used so far, and the containers that are open.
///
/// Containers are written where they stand, so only the innermost open one can grow. A type that opens one, goes on
/// with its parent, and comes back, is refused (`interleavedContainers`); synthesised conformances never do.
struct EncodedMessage {
    /// Containers inside each other, however high `CodingLimits.depthMax` is set.
    static let depthCeiling = 64

    let limits: CodingLimits
    var bytes: [UInt8]
    /// The first thing that went wrong where nothing could be thrown.
    var failure: WireError?

    private var names = NameTable()
    private var nextName = 0
    private var elements = 0
    /// Where the open containers begin, outermost first.
    private var starts = InlineArray<64, Int>(repeating: 0)
    private(set) var depth = 0
    /// A place that was promised to a `superEncoder` and has no value yet.
    private var promised = -1

    init(limits: CodingLimits, after bytes: consuming [UInt8]) {
        self.limits = limits
        self.bytes = bytes
    }

    /// Leaves room for the length.
    mutating func begin() { bytes.append(0) }

    /// Without names the length stays 0: the value goes on to the end. With names they follow it.
    mutating func finish(from start: Int) throws {
        if let failure { throw failure }
        if names.count == 0 { return }
        bytes.closeCounted(from: start)
        bytes.append(varint: UInt64(names.count))
        bytes.append(contentsOf: names.bytes)
    }
}

// MARK: - Containers

extension EncodedMessage {
    /// Before anything is written into the container at `level` that begins at `start`.
    @inline(__always)
    mutating func enter(_ level: Int, _ start: Int) throws {
        if depth != level || promised >= 0 { try closeInner(to: level) }
        guard level > 0, starts[level - 1] == start else { throw interleaved() }
        try count(1)
    }

    @inline(__always)
    mutating func count(_ more: Int) throws {
        elements += more
        guard elements <= limits.elementsMax else {
            throw WireError(.tooMany, "more than \(limits.elementsMax) elements")
        }
    }

    /// As `enter`, then the name's number.
    @inline(__always)
    mutating func enter(_ level: Int, _ start: Int, field name: String) throws {
        try enter(level, start)
        let number = names.number(of: name, guess: nextName)
        nextName = number + 1
        guard number < limits.namesMax else { throw WireError(.tooMany, "more than \(limits.namesMax) names") }
        bytes.append(varint: UInt64(number))
    }

    private mutating func closeInner(to level: Int) throws {
        if let failure { throw failure }
        guard level <= depth else { throw interleaved() }
        close(to: level)
    }

    /// Closes the containers that are deeper than `level`.
    private mutating func close(to level: Int) {
        fillPromise()
        while depth > level {
            depth -= 1
            bytes.closeContainer(from: starts[depth])
        }
    }

    private mutating func fillPromise() {
        if promised == bytes.count { bytes.append(WireType.record.head()) }
        promised = -1
    }

    /// After a type has encoded itself: closes what it opened. One that writes nothing is an empty record, as a
    /// synthesised one without fields is.
    mutating func closeValue(to level: Int, from position: Int) throws {
        if let failure { throw failure }
        close(to: level)
        if bytes.count == position { bytes.append(WireType.record.head()) }
    }

    /// Opens a container where a value is due, or finds the one that was opened there before: a class and its
    /// superclass write into one. Nil, with `failure` set, when that cannot be.
    mutating func open(_ type: WireType, in level: Int, at position: Int) -> Int? {
        if promised == position { promised = -1 }
        if depth > level, starts[level] == position, bytes[position] >> 5 == type.rawValue { return position }
        guard depth == level, bytes.count == position, failure == nil else {
            failure = failure ?? interleaved()
            return nil
        }
        guard depth < min(limits.depthMax, Self.depthCeiling) else {
            failure = WireError(.tooDeep, "more than \(limits.depthMax) containers inside each other")
            return nil
        }
        starts[depth] = position
        depth += 1
        bytes.append(type.head())
        bytes.append(0)
        return position
    }

    /// A place for a value that somebody will write later, or nobody.
    mutating func promise() -> Int {
        promised = bytes.count
        return bytes.count
    }

    /// Keeps an error that could not be thrown where it arose; nothing more is written.
    mutating func fail(_ error: any Error) { failure = failure ?? error as? WireError ?? interleaved() }

    func interleaved() -> WireError {
        failure ?? WireError(.interleavedContainers, "a container was written to after its parent went on")
    }

    /// Before a single value is written at `position`.
    mutating func take(_ level: Int, _ position: Int) throws {
        if promised == position { promised = -1 }
        guard depth == level, bytes.count == position else { throw interleaved() }
    }
}

// MARK: - Values

/// A value that is written without asking it. The protocol lets a place and its value be one access to the message.
protocol PlainValue {
    func append(to message: inout EncodedMessage)
}

extension EncodedMessage {
    /// A field of the record at `level` that begins at `start`.
    @inline(__always)
    mutating func append(_ value: some PlainValue, field name: String, _ level: Int, _ start: Int) throws {
        try enter(level, start, field: name)
        value.append(to: &self)
    }

    /// An element of the list at `level` that begins at `start`.
    @inline(__always)
    mutating func append(_ value: some PlainValue, _ level: Int, _ start: Int) throws {
        try enter(level, start)
        value.append(to: &self)
    }

    /// The value that is due at `position`, inside `level` containers.
    @inline(__always)
    mutating func append(_ value: some PlainValue, alone level: Int, _ position: Int) throws {
        try take(level, position)
        value.append(to: &self)
    }
}

extension EncodedMessage {
    @inline(__always)
    mutating func appendNil() { bytes.append(SimpleValue.null.head) }

    @inline(__always)
    mutating func append(_ value: Bool) { bytes.append(value ? SimpleValue.yes.head : SimpleValue.no.head) }

    @inline(__always)
    mutating func append<Number: FixedWidthInteger>(_ value: Number) {
        if value >= 0 {
            bytes.append(.unsigned, UInt64(truncatingIfNeeded: value))
        } else {
            bytes.append(.negative, UInt64(truncatingIfNeeded: ~value))
        }
    }

    mutating func append(_ value: UInt128) {
        if let small = UInt64(exactly: value) { return bytes.append(.unsigned, small) }
        bytes.append(SimpleValue.unsigned128.head)
        bytes.append(bigEndian: value)
    }

    mutating func append(_ value: Int128) {
        if value >= 0 { return append(UInt128(value)) }
        let number = UInt128(truncatingIfNeeded: ~value)
        if let small = UInt64(exactly: number) { return bytes.append(.negative, small) }
        bytes.append(SimpleValue.negative128.head)
        bytes.append(bigEndian: number)
    }

    mutating func append(_ value: Float) {
        bytes.append(SimpleValue.float.head)
        bytes.append(bigEndian: value.bitPattern)
    }

    mutating func append(_ value: Double) {
        bytes.append(SimpleValue.double.head)
        bytes.append(bigEndian: value.bitPattern)
    }

    @inline(__always)
    mutating func append(_ value: String) {
        bytes.append(.text, UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    mutating func append(_ value: [UInt8]) {
        bytes.append(.bytes, UInt64(value.count))
        bytes.append(contentsOf: value)
    }
}

extension Bool: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension String: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension Double: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension Float: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension Int: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension Int8: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension Int16: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension Int32: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension Int64: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension Int128: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension UInt: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension UInt8: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension UInt16: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension UInt32: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension UInt64: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}

extension UInt128: PlainValue {
    func append(to message: inout EncodedMessage) { message.append(self) }
}
