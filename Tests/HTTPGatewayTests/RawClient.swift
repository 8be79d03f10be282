import NIOCore
import NIOPosix

/// HTTP/1.1 as bytes on a socket, so that a test can also do what a polite client never would.
struct RawClient: Sendable {
    let port: Int

    struct Reply: Sendable {
        let status: Int
        /// By lower-case name.
        let headers: [String: String]
        let body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// One request on a connection of its own.
    func send(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = []
    ) async throws -> Reply {
        try await connect { wire in
            var fields = headers + [("Connection", "close")]
            if !body.isEmpty || method == "POST" { fields.append(("Content-Length", "\(body.count)")) }
            // In one: an answer that needs no body may close the connection before a second write.
            try await wire.write(head(method, path, fields) + body)
            return try Self.parse(try await wire.readToEnd(), hasBody: method != "HEAD")
        }
    }

    func head(_ method: String, _ path: String, _ headers: [(String, String)]) -> [UInt8] {
        let fields = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
        return Array("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n".utf8)
    }

    /// A connection for as long as `body` runs; leaving it closes the connection, whatever is under way.
    func connect<Answer: Sendable>(_ body: (inout Wire) async throws -> Answer) async throws -> Answer {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var wire = Wire(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            return try await body(&wire)
        }
    }

    struct Wire {
        fileprivate var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        fileprivate let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        private(set) var received: [UInt8] = []

        fileprivate init(
            inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
            outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        ) {
            self.inbound = inbound
            self.outbound = outbound
        }

        func write(_ bytes: [UInt8]) async throws {
            if !bytes.isEmpty { try await outbound.write(ByteBuffer(bytes: bytes)) }
        }

        /// Says that nothing more will be sent.
        func finishWriting() { outbound.finish() }

        /// Reads until what has arrived holds `text`, or the connection ends. Answers everything that has arrived.
        mutating func read(until text: String) async throws -> String {
            while !String(decoding: received, as: UTF8.self).contains(text) {
                guard try await readSome() else { break }
            }
            return String(decoding: received, as: UTF8.self)
        }

        /// Reads until `find` has found what it looks for in all that has arrived; it is told when nothing more comes.
        mutating func read<Found>(
            until find: (_ received: [UInt8], _ isWhole: Bool) -> Found?
        ) async throws -> Found? {
            while true {
                if let found = find(received, false) { return found }
                guard try await readSome() else { return find(received, true) }
            }
        }

        mutating func readToEnd() async throws -> [UInt8] {
            while try await readSome() {}
            return received
        }

        private mutating func readSome() async throws -> Bool {
            guard let buffer = try await inbound.next(isolation: #isolation) else { return false }
            received += buffer.readableBytesView
            return true
        }
    }

    struct Malformed: Error { let bytes: String }

    static func parse(_ bytes: [UInt8], hasBody: Bool = true) throws -> Reply {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = firstIndex(of: Array("\r\n\r\n".utf8), in: bytes[...]) else { throw Malformed(bytes: text) }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, let status = Int(words[1]) else { throw Malformed(bytes: text) }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            let value = String(line[colon...].dropFirst().drop { $0 == " " })
            let name = line[..<colon].lowercased()
            headers[name] = headers[name].map { "\($0), \(value)" } ?? value
        }
        let rest = bytes[(end + 4)...]
        guard hasBody else {
            guard rest.isEmpty else { throw Malformed(bytes: "a body after HEAD") }
            return Reply(status: status, headers: headers, body: [])
        }
        let body = headers["transfer-encoding"] == "chunked" ? try dechunked(rest) : Array(rest)
        return Reply(status: status, headers: headers, body: body)
    }

    private static func dechunked(_ bytes: ArraySlice<UInt8>) throws -> [UInt8] {
        var (rest, body) = (bytes, [UInt8]())
        while true {
            guard let end = firstIndex(of: [13, 10], in: rest),
                let count = Int(String(decoding: rest[rest.startIndex..<end], as: UTF8.self), radix: 16),
                rest.endIndex - end >= count + 4
            else { throw Malformed(bytes: String(decoding: rest.prefix(80), as: UTF8.self)) }
            if count == 0 { return body }
            body += rest[(end + 2)..<(end + 2 + count)]
            rest = rest[(end + 4 + count)...]
        }
    }

    private static func firstIndex(of pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= pattern.count else { return nil }
        return (bytes.startIndex...(bytes.endIndex - pattern.count)).first { bytes[$0...].starts(with: pattern) }
    }
}
