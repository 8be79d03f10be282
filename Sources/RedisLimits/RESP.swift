import NIOCore

/// One answer of Redis. Source: "RESP protocol spec", version 2 (redis.io/docs/latest/develop/reference/protocol-spec).
enum RESPValue: Hashable, Sendable {
    case text(String)
    case error(String)
    case integer(Int)
    /// Nil: there is none.
    case bytes([UInt8]?)
    case list([RESPValue]?)
}

/// Cuts a stream of bytes into answers, whatever pieces it comes in.
///
/// Our answers are some thirty bytes. What is longer or deeper than they could ever be is an error and not a reason to
/// take memory.
struct RESPParser: Sendable {
    static let lineBytesMax = 1024
    static let bulkBytesMax = 64 << 10
    static let elementsMax = 64
    static let depthMax = 4

    private var held = ByteBuffer()

    init() {}

    mutating func append(_ bytes: ByteBuffer) {
        var bytes = bytes
        held.writeBuffer(&bytes)
    }

    /// The next whole answer; nil while there is none. After an error the connection has no more meaning.
    mutating func next() throws(RedisError) -> RESPValue? {
        var rest = held
        guard let value = try Self.value(&rest, depth: 0) else { return nil }
        held = rest
        held.discardReadBytes()
        return value
    }

    private static func value(_ rest: inout ByteBuffer, depth: Int) throws(RedisError) -> RESPValue? {
        guard depth < depthMax else { throw RedisError(.unusable, "an answer in \(depthMax) others") }
        guard let line = try line(&rest) else { return nil }
        let body = line.dropFirst()
        switch line.first {
        case "+": return .text(String(body))
        case "-": return .error(String(body))
        case ":": return .integer(try number(body, in: Int.min...Int.max))
        case "$":
            let count = try number(body, in: -1...bulkBytesMax)
            guard count >= 0 else { return .bytes(nil) }
            guard rest.readableBytes >= count + 2 else { return nil }
            let bytes = rest.readBytes(length: count)
            guard rest.readBytes(length: 2) == [13, 10] else { throw RedisError(.unusable, "bytes without an end") }
            return .bytes(bytes)
        case "*":
            let count = try number(body, in: -1...elementsMax)
            guard count >= 0 else { return .list(nil) }
            var elements: [RESPValue] = []
            for _ in 0..<count {
                guard let element = try value(&rest, depth: depth + 1) else { return nil }
                elements.append(element)
            }
            return .list(elements)
        default: throw RedisError(.unusable, "an answer of no kind")
        }
    }

    /// Up to CR LF, without them.
    private static func line(_ rest: inout ByteBuffer) throws(RedisError) -> String? {
        let view = rest.readableBytesView
        guard let end = view.firstIndex(of: 10) else {
            guard view.count <= lineBytesMax else { throw RedisError(.unusable, "a line without an end") }
            return nil
        }
        let bytes = view[..<end]
        guard bytes.count <= lineBytesMax + 1, bytes.last == 13 else {
            throw RedisError(.unusable, "a line that ends wrongly")
        }
        rest.moveReaderIndex(forwardBy: bytes.count + 1)
        return String(decoding: bytes.dropLast(), as: UTF8.self)
    }

    private static func number(_ text: Substring, in range: ClosedRange<Int>) throws(RedisError) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw RedisError(.unusable, "a number outside \(range)")
        }
        return number
    }
}

/// A command as Redis takes it: a list of byte strings.
struct RESPCommand: Hashable, Sendable {
    let bytes: ByteBuffer

    init(_ words: [String]) {
        var bytes = ByteBuffer()
        bytes.writeString("*\(words.count)\r\n")
        for word in words { bytes.writeString("$\(word.utf8.count)\r\n\(word)\r\n") }
        self.bytes = bytes
    }
}
