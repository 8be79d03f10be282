/// One message on its way to a value: the bytes, the names they use, and what was spent of the limits.
///
/// Nothing is parsed ahead but the names. A container knows where it ends, so what nobody asks for is stepped over
/// without being looked at.
final class DecodingSession {
    /// What is at the first byte of a value.
    struct Head {
        let type: WireType
        let number: UInt64
        let start: Int
        /// Behind the first byte and its number.
        let content: Int
        /// Behind the value.
        let end: Int
    }

    private struct Name {
        let start: Int
        let length: Int
    }

    /// Where a lookup in a record goes on: behind the field that was found last.
    private struct Trail {
        var start: Int32 = -1
        var next: Int32 = 0
    }

    /// All that changes while a message is read, as one value: each field takes one access to it (`EncodingSession`).
    private struct Progress {
        /// By depth. Two records of one depth that are read in turns only lose their place.
        var trails = InlineArray<64, Trail>(repeating: Trail())
        var elements = 0

        /// Where to go on in the record that begins at `start`.
        @inline(__always)
        func next(_ start: Int, _ depth: Int) -> Int {
            let trail = trails[depth & 63]
            return Int(trail.start) == start ? Int(trail.next) : start
        }

        @inline(__always)
        mutating func found(_ start: Int, _ depth: Int, next: Int) {
            trails[depth & 63] = Trail(start: Int32(truncatingIfNeeded: start), next: Int32(truncatingIfNeeded: next))
            elements += 1
        }
    }

    let bytes: ArraySlice<UInt8>
    let limits: CodingLimits
    let userInfo: [CodingUserInfoKey: any Sendable]
    /// Fields and indices from the place of an error outwards.
    var pathOfError: [String] = []

    private let names: [Name]
    private var progress = Progress()
    var nesting = 0
    /// The first name of a record in which no name was known to the type that asked: most likely a newer enum case.
    private var unknownCase: String?

    private init(
        _ bytes: ArraySlice<UInt8>, _ names: [Name], _ limits: CodingLimits,
        _ userInfo: [CodingUserInfoKey: any Sendable]
    ) {
        self.bytes = bytes
        self.names = names
        self.limits = limits
        self.userInfo = userInfo
    }

    static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: ArraySlice<UInt8>, limits: CodingLimits,
        userInfo: [CodingUserInfoKey: any Sendable]
    ) throws -> Value {
        // Offsets are kept in 32 bits. No frame comes near.
        guard bytes.endIndex < Int(Int32.max) else { throw WireError(.tooMany, "a message over 2 GiB") }
        let (value, names) = try open(bytes, limits)
        let session = DecodingSession(bytes, names, limits, userInfo)
        do {
            let head = try session.head(at: value.lowerBound, before: value.upperBound)
            guard head.end == value.upperBound else {
                throw WireError(.trailingBytes, "\(value.upperBound - head.end) bytes after the value")
            }
            return try session.decode(type, head, depth: 0)
        } catch {
            throw session.described(error)
        }
    }
}

// MARK: - The message

extension DecodingSession {
    /// Where the value stands, and the names that follow it.
    private static func open(
        _ bytes: ArraySlice<UInt8>, _ limits: CodingLimits
    ) throws -> (value: Range<Int>, names: [Name]) {
        var position = bytes.startIndex
        let length = try bytes.varint(&position, before: bytes.endIndex)
        if length == 0 { return (position..<bytes.endIndex, []) }
        guard length < UInt64(bytes.endIndex - position) else { throw bytes.truncated(position) }
        let value = position..<position + Int(length)
        position = value.upperBound
        let count = try bytes.varint(&position, before: bytes.endIndex)
        // A name takes a byte at least, so this also bounds what is allocated by what has arrived.
        guard count <= UInt64(limits.namesMax), count <= UInt64(bytes.endIndex - position) else {
            throw WireError(.tooMany, "\(count) names")
        }
        var names: [Name] = []
        names.reserveCapacity(Int(count))
        for _ in 0..<count {
            let length = try bytes.varint(&position, before: bytes.endIndex)
            guard length <= UInt64(bytes.endIndex - position) else { throw bytes.truncated(position) }
            names.append(Name(start: position, length: Int(length)))
            position += Int(length)
        }
        guard position == bytes.endIndex else {
            throw WireError(.trailingBytes, "\(bytes.endIndex - position) bytes after the names")
        }
        return (value, names)
    }

    private func described(_ error: any Error) -> WireError {
        let place = pathOfError.isEmpty ? "" : " (at \(pathOfError.reversed().joined(separator: ".")))"
        switch error {
        case let error as WireError: return WireError(error.code, error.detail + place)
        case let error as DecodingError:
            if let unknownCase { return WireError(.unknownCase, "case \(unknownCase)" + place) }
            // What the library throws for a raw value that has no case; there is nothing else to know it by.
            if case .dataCorrupted(let context) = error, context.debugDescription.hasPrefix("Cannot initialize ") {
                return WireError(.unknownCase, context.debugDescription + place)
            }
            return WireError(.refusedByType, "\(error)" + place)
        default: return WireError(.refusedByType, "\(error)" + place)
        }
    }
}

extension ArraySlice<UInt8> {
    func truncated(_ position: Int) -> WireError {
        WireError(.truncated, "the message ends inside a value that begins before byte \(position - startIndex)")
    }

    /// Seven bits a byte, in the shortest form.
    @inline(__always)
    func varint(_ position: inout Int, before end: Int) throws -> UInt64 {
        guard position < end else { throw truncated(position) }
        let first = self[position]
        position += 1
        return first < 0x80 ? UInt64(first) : try longVarint(first, &position, before: end)
    }

    private func longVarint(_ first: UInt8, _ position: inout Int, before end: Int) throws -> UInt64 {
        var number = UInt64(first & 0x7F)
        var shift: UInt64 = 7
        while true {
            guard position < end else { throw truncated(position) }
            let byte = self[position]
            position += 1
            if shift == 63, byte > 1 { throw WireError(.malformed, "a number over 64 bits") }
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                if byte == 0 { throw WireError(.malformed, "a number that is written longer than it has to be") }
                return number
            }
            shift += 7
        }
    }
}

// MARK: - Values

extension DecodingSession {
    /// What stands at `position`. Its end is inside `end`, whatever the bytes say.
    @inline(__always)
    func head(at position: Int, before end: Int) throws -> Head {
        guard position < end else { throw bytes.truncated(position) }
        let first = bytes[position]
        // Eight types, three bits: there is one for each.
        let type = WireType(rawValue: first >> 5)!
        var content = position + 1
        var number = UInt64(first & 31)
        if number == UInt64(WireType.longFrom) {
            let more = try bytes.varint(&content, before: end)
            guard more <= UInt64.max - 31 else { throw WireError(.malformed, "a number over 64 bits") }
            number = more + 31
        }
        let following: UInt64
        switch type {
        case .unsigned, .negative: following = 0
        case .simple:
            guard let simple = SimpleValue(rawValue: UInt8(clamping: number)) else {
                throw WireError(.malformed, "simple value \(number)")
            }
            following = UInt64(simple.followingBytes)
        case .bytes, .text, .list, .record, .packed: following = number
        }
        guard following <= UInt64(end - content) else { throw bytes.truncated(content) }
        return Head(type: type, number: number, start: position, content: content, end: content + Int(following))
    }

    func isNil(_ head: Head) -> Bool { head.type == .simple && head.number == UInt64(SimpleValue.null.rawValue) }

    func wrongType(_ head: Head, _ wanted: Any.Type) -> WireError {
        WireError(.wrongType, "\(wanted) was asked for, \(name(of: head)) is there")
    }

    /// What there is, for the message of an error.
    func name(of head: Head) -> String { isNil(head) ? "nil" : "\(head.type)" }

    /// Before a container is opened inside `depth - 1` others.
    func checkDepth(_ depth: Int) throws {
        guard depth <= min(limits.depthMax, EncodedMessage.depthCeiling) else {
            throw WireError(.tooDeep, "more than \(limits.depthMax) containers inside each other")
        }
    }

    func bool(_ head: Head) throws -> Bool {
        switch (head.type, SimpleValue(rawValue: UInt8(clamping: head.number))) {
        case (.simple, .yes): return true
        case (.simple, .no): return false
        default: throw wrongType(head, Bool.self)
        }
    }

    @inline(__always)
    func integer<Number: FixedWidthInteger>(_ head: Head, _ type: Number.Type) throws -> Number {
        switch head.type {
        case .unsigned:
            if let number = Number(exactly: head.number) { return number }
        case .negative:
            // -1 minus n is the complement of n, if n has room without the sign.
            if Number.isSigned, let number = Number(exactly: head.number) { return ~number }
        case .simple: return try wideInteger(head, type)
        default: throw wrongType(head, type)
        }
        throw WireError(.numberOutOfRange, "\(head.type == .negative ? "-1-" : "")\(head.number) as \(type)")
    }

    private func wideInteger<Number: FixedWidthInteger>(_ head: Head, _ type: Number.Type) throws -> Number {
        let simple = SimpleValue(rawValue: UInt8(clamping: head.number))
        guard simple == .unsigned128 || simple == .negative128 else { throw wrongType(head, type) }
        let wide = bigEndian(UInt128.self, at: head.content)
        guard wide > UInt128(UInt64.max) else {
            throw WireError(.malformed, "a number that is written longer than it has to be")
        }
        if let number = Number(exactly: wide) {
            if simple == .unsigned128 { return number }
            if Number.isSigned { return ~number }
        }
        throw WireError(.numberOutOfRange, "\(simple == .negative128 ? "-1-" : "")\(wide) as \(type)")
    }

    /// A `Float` is also read as a `Double`: a field may become more exact.
    func double(_ head: Head) throws -> Double {
        switch (head.type, SimpleValue(rawValue: UInt8(clamping: head.number))) {
        case (.simple, .double): return Double(bitPattern: bigEndian(UInt64.self, at: head.content))
        case (.simple, .float): return Double(Float(bitPattern: bigEndian(UInt32.self, at: head.content)))
        default: throw wrongType(head, Double.self)
        }
    }

    /// A `Double` is read as a `Float` only where nothing is lost.
    func float(_ head: Head) throws -> Float {
        switch (head.type, SimpleValue(rawValue: UInt8(clamping: head.number))) {
        case (.simple, .float): return Float(bitPattern: bigEndian(UInt32.self, at: head.content))
        case (.simple, .double):
            let wide = Double(bitPattern: bigEndian(UInt64.self, at: head.content))
            if wide.isNaN { return .nan }
            guard let number = Float(exactly: wide) else {
                throw WireError(.numberOutOfRange, "\(wide) as Float")
            }
            return number
        default: throw wrongType(head, Float.self)
        }
    }

    @inline(__always)
    func bigEndian<Number: FixedWidthInteger>(_ type: Number.Type, at position: Int) -> Number {
        precondition(position >= bytes.startIndex && position + Number.bitWidth / 8 <= bytes.endIndex)
        return unsafe bytes.withUnsafeBytes { buffer in
            // Inside the buffer, as checked above; the load needs no alignment, and every pattern of bits is a number.
            let offset = position - bytes.startIndex
            return unsafe Number(bigEndian: buffer.loadUnaligned(fromByteOffset: offset, as: Number.self))
        }
    }

    @inline(__always)
    func text(_ head: Head) throws -> String {
        guard head.type == .text else { throw wrongType(head, String.self) }
        guard head.number <= UInt64(limits.stringBytesMax) else {
            throw WireError(.tooMany, "a text of \(head.number) bytes, at most \(limits.stringBytesMax)")
        }
        guard let text = String(validating: bytes[head.content..<head.end], as: UTF8.self) else {
            throw WireError(.invalidText, "a text that is not UTF-8")
        }
        return text
    }

    @inline(__always)
    func count(_ more: Int) throws {
        progress.elements += more
        guard progress.elements <= limits.elementsMax else {
            throw WireError(.tooMany, "more than \(limits.elementsMax) elements")
        }
    }
}

// MARK: - Fields

extension DecodingSession {
    /// The value of the field `name` in the record from `start` to `end`, which counts as an element; nil when it has
    /// none.
    ///
    /// Fields usually come in the order in which they are asked for, so the search goes on where the last one ended, to
    /// the end and then from the beginning.
    func field(_ name: String, from start: Int, to end: Int, depth: Int) throws -> Head? {
        let resume = progress.next(start, depth)
        var head = try search(name, from: resume, to: end)
        if head == nil, resume > start { head = try search(name, from: start, to: resume) }
        guard let head else { return nil }
        progress.found(start, depth, next: head.end)
        guard progress.elements <= limits.elementsMax else {
            throw WireError(.tooMany, "more than \(limits.elementsMax) elements")
        }
        return head
    }

    @inline(__always)
    private func search(_ name: String, from start: Int, to end: Int) throws -> Head? {
        var position = start
        let text = name.utf8Span.span
        while position < end {
            let number = try nameNumber(&position, before: end)
            let head = try head(at: position, before: end)
            if isName(number, text) { return head }
            position = head.end
        }
        return nil
    }

    private func nameNumber(_ position: inout Int, before end: Int) throws -> Int {
        let number = try bytes.varint(&position, before: end)
        guard number < UInt64(names.count) else { throw WireError(.malformed, "name \(number) of \(names.count)") }
        return Int(number)
    }

    @inline(__always)
    private func isName(_ number: Int, _ text: Span<UInt8>) -> Bool {
        let name = names[number]
        guard name.length == text.count else { return false }
        for index in text.indices where bytes[name.start + index] != text[index] { return false }
        return true
    }

    /// The fields that the type knows, in their order.
    func keys<Key: CodingKey>(from start: Int, to end: Int, as type: Key.Type) -> [Key] {
        var keys: [Key] = []
        var unknown: String?
        var position = start
        // Cannot be told to the caller from here; asking for one of the fields will.
        while position < end, let number = try? nameNumber(&position, before: end),
            let head = try? head(at: position, before: end), (try? count(1)) != nil
        {
            let name = names[number]
            let text = String(decoding: bytes[name.start..<name.start + name.length], as: UTF8.self)
            if let key = Key(stringValue: text) { keys.append(key) } else { unknown = unknown ?? text }
            position = head.end
        }
        if keys.isEmpty, let unknown { unknownCase = unknownCase ?? unknown }
        return keys
    }
}
