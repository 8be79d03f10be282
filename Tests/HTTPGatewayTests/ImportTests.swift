import Blobs
import ClipModel
import Foundation
import HTTPClient
import HTTPGateway
import NIOCore
import NIOPosix
import Store
import Testing

/// Videos from addresses: from a real server on the loopback, which is opened for that on purpose.
@Suite(.timeLimit(.minutes(5))) struct ImportTests {
    private static let video = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    private static func configuration(
        _ port: Int, networks: [String] = ["127.0.0.0/8"], change: (inout ImportConfiguration) -> Void = { _ in }
    ) -> GatewayConfiguration {
        var imports = ImportConfiguration(
            addresses: AddressGuard(allowed: networks.compactMap { NetworkRange($0) }), ports: [port, 80, 443])
        change(&imports)
        return GatewayConfiguration(uploadBytesMax: 1 << 20, imports: imports)
    }

    private func fetch(_ door: Door, _ address: String, more: String = "") async throws -> RawClient.Reply {
        let body = #"{"sourceUrl": "\#(address)"\#(more)}"#
        return try await door.client.send("POST", "/api/imports", headers: [Door.jsonType], body: Array(body.utf8))
    }

    @Test func `a video is fetched, and is an upload like any other`() async throws {
        try await withSource { port in
            try await Door.open(Self.configuration(port)) { door in
                for path in ["/La%20charla.mp4?token=1", "/redirect/3", "/relative"] {
                    let reply = try await fetch(door, "http://127.0.0.1:\(port)\(path)")
                    #expect(reply.status == 201, "\(reply.text)")
                    let id = try #require(UploadID(try reply.string("uploadId")))
                    let upload = try #require(try await door.store.upload(id))
                    #expect(try await door.blobs.bytes(of: upload.blob, limitBytes: 1 << 20) == Self.video)
                    #expect(upload.fileName == (path.hasPrefix("/La") ? "La charla.mp4" : "video.mp4"))
                }
                let named = try await fetch(
                    door, "http://127.0.0.1:\(port)/video.mp4", more: #", "fileName": "../../own.mp4""#)
                #expect(try named.string("fileName") == "own.mp4")
            }
        }
    }

    private static let refused: [(path: String, code: String)] = [
        ("/missing", "source_status"), ("/loop", "source_redirects"), ("/to-metadata", "source_address_refused"),
        ("/to-file", "invalid_source_url"), ("/to-port", "invalid_source_url"), ("/large", "source_too_large"),
        ("/large-unsaid", "source_too_large"), ("/cut", "source_unreachable"), ("/empty", "empty_file"),
        ("/drip", "source_too_slow"), ("/endless-page", "source_unreachable"), ("/headers", "source_unreachable"),
        ("/to-password", "invalid_source_url"), ("/partial", "source_status"),
    ]

    @Test(arguments: refused.indices)
    func `what cannot be fetched is refused with why, and leaves nothing behind`(index: Int) async throws {
        let (path, code) = Self.refused[index]
        try await withSource { port in
            let configuration = Self.configuration(port) { $0.secondsMax = path == "/drip" ? 1 : 20 }
            try await Door.open(configuration) { door in
                let reply = try await fetch(door, "http://127.0.0.1:\(port)\(path)")
                #expect((400..<500).contains(reply.status), "\(reply.text)")
                #expect(try reply.string("code") == code, "\(reply.text)")
                #expect(door.files().isEmpty)
            }
        }
    }

    @Test func `no clothing of a private address gets through`() async throws {
        try await withSource { port in
            // Nothing is opened here.
            try await Door.open(Self.configuration(port, networks: [])) { door in
                let hosts = [
                    "127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "[::1]",
                    "[::ffff:127.0.0.1]", "0.0.0.0", "127.0.0.1.", "[::]", "①②⑦.0.0.1",
                ]
                for host in hosts {
                    let reply = try await fetch(door, "http://\(host):\(port)/video.mp4")
                    let code = try reply.string("code")
                    let isRefused = ["source_address_refused", "source_unreachable", "invalid_source_url"].contains(
                        code)
                    #expect(reply.status == 422 && isRefused, "\(host): \(reply.text)")
                }
                for address in ["http://127.0.0.1:\(port)/", "http://localhost:\(port)/"] {
                    #expect(try await fetch(door, address).string("code") == "source_address_refused")
                }
            }
        }
    }

    @Test func `only http and https, without credentials, to the ports that are allowed`() async throws {
        try await Door.open(Self.configuration(80)) { door in
            let addresses = [
                "file:///etc/passwd", "ftp://example.org/a", "gopher://127.0.0.1/", "http://ana:secret@127.0.0.1/",
                "http://127.0.0.1:22/", "not an address", "", "http://", "//127.0.0.1/", "http://127.0.0.1:99999/",
                "http://" + String(repeating: "a", count: 3000),
            ]
            for address in addresses {
                let reply = try await fetch(door, address)
                #expect(reply.status == 422, "\(address): \(reply.text)")
                #expect(try reply.string("code") == "invalid_source_url", "\(address): \(reply.text)")
            }
            let reply = try await door.client.send(
                "POST", "/api/imports", headers: [Door.jsonType], body: Array("[]".utf8))
            #expect(reply.status == 400)
            let strange = try await fetch(door, "http://127.0.0.1/", more: #", "headers": {"Cookie": "a"}"#)
            #expect(try strange.string("code") == "unknown_field" && strange.status == 422)
        }
    }

    @Test func `so many imports run at one time, and the next one comes back later`() async throws {
        try await withSource { port in
            let configuration = Self.configuration(port) { ($0.concurrentMax, $0.secondsMax) = (1, 3) }
            try await Door.open(configuration) { door in
                try await withThrowingTaskGroup(of: RawClient.Reply.self) { group in
                    for _ in 0..<2 {
                        group.addTask { try await fetch(door, "http://127.0.0.1:\(port)/drip") }
                    }
                    let busy = try #require(try await group.next())
                    #expect(try busy.status == 429 && busy.string("code") == "imports_busy")
                    #expect(busy.headers["retry-after"] == "10")
                    let slow = try #require(try await group.next())
                    #expect(try slow.string("code") == "source_too_slow")
                }
                // The place was given back.
                #expect(try await fetch(door, "http://127.0.0.1:\(port)/video.mp4").status == 201)
            }
        }
    }

    @Test func `imports are off unless somebody turns them on`() async throws {
        try await Door.open { door in
            let reply = try await fetch(door, "http://example.org/video.mp4")
            #expect(try reply.string("code") == "imports_off" && reply.status == 403)
        }
    }

    @Test func `addresses that are not public are refused, and all others are not`() throws {
        let guardian = AddressGuard()
        let refused = [
            "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.169.254",
            "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.19.255.255",
            "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1",
            "::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
            "2002:7f00:1::", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "3fff::1", "4000::1",
        ]
        for text in refused {
            let range = try #require(NetworkRange(text))
            #expect(guardian.objection(to: range.address) != nil, "\(text)")
        }
        let public4 = [
            "1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.255.255", "172.32.0.1", "100.128.0.1", "192.0.1.1",
        ]
        for text in public4 + ["2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888"] {
            let range = try #require(NetworkRange(text))
            #expect(guardian.objection(to: range.address) == nil, "\(text)")
        }
        let opened = AddressGuard(allowed: ["10.1.0.0/16", "fd12::/16"].compactMap { NetworkRange($0) })
        #expect(opened.objection(to: try #require(NetworkRange("10.1.255.1")).address) == nil)
        #expect(opened.objection(to: try #require(NetworkRange("10.2.0.1")).address) != nil)
        #expect(opened.objection(to: try #require(NetworkRange("fd12:9::1")).address) == nil)
        for text in ["", "10.0.0.0/33", "10.0.0", "10.0.0.0/", "::/129", "localhost", "10.0.0.0/-1", "010.0.0.1/8/9"] {
            #expect(NetworkRange(text) == nil, "\(text)")
        }
    }

    // MARK: The server

    private func withSource(_ body: @Sendable (Int) async throws -> Void) async throws {
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Source(video: Self.video))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        do { try await body(port) } catch {
            try await server.close()
            throw error
        }
        try await server.close()
    }

    /// Answers one request by its path, and hangs up.
    private final class Source: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let video: [UInt8]
        private var head = ""

        init(video: [UInt8]) { self.video = video }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            head += String(buffer: unwrapInboundIn(data))
            guard head.contains("\r\n\r\n"), let path = head.split(separator: " ").dropFirst().first else { return }
            head = ""
            let port = context.channel.localAddress?.port ?? 0
            answer(String(path), port, context.channel)
        }

        private func answer(_ path: String, _ port: Int, _ channel: any Channel) {
            switch path {
            case "/missing": say("404 Not Found", body: Array("no".utf8), on: channel)
            case "/loop": say("302 Found", ["Location: /loop"], on: channel)
            case "/relative": say("307 Temporary Redirect", ["Location: video.mp4"], on: channel)
            case "/to-metadata": say("302 Found", ["Location: http://169.254.169.254/latest/meta-data"], on: channel)
            case "/to-file": say("302 Found", ["Location: file:///etc/passwd"], on: channel)
            case "/to-port": say("302 Found", ["Location: http://127.0.0.1:22/"], on: channel)
            case "/to-password":
                say("302 Found", ["Location: http://ana:secret@127.0.0.1:\(port)/video.mp4"], on: channel)
            case "/headers":
                let line = String(repeating: "a", count: 1000)
                say("200 OK", (0..<400).map { "X-\($0): \(line)" }, body: [1], on: channel)
            case "/partial": say("206 Partial Content", ["Content-Length: 1"], body: [1], on: channel)
            case "/large": say("200 OK", ["Content-Length: 99999999"], body: [1], on: channel)
            case "/large-unsaid": say("200 OK", [], body: [UInt8](repeating: 1, count: 2 << 20), on: channel)
            case "/cut": say("200 OK", ["Content-Length: 1000"], body: [1, 2, 3], on: channel)
            case "/empty": say("200 OK", ["Content-Length: 0"], on: channel)
            case "/endless-page": say("404 Not Found", [], body: [UInt8](repeating: 1, count: 2 << 20), on: channel)
            // Begins, and says nothing more.
            case "/drip": channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\nx"), promise: nil)
            case let text where text.hasPrefix("/redirect/"):
                let left = Int(text.dropFirst(10)) ?? 0
                let next = left > 1 ? "/redirect/\(left - 1)" : "/video.mp4"
                say("301 Moved Permanently", ["Location: http://127.0.0.1:\(port)\(next)"], on: channel)
            default: say("200 OK", ["Content-Length: \(video.count)"], body: video, on: channel)
            }
        }

        private func say(_ status: String, _ fields: [String] = [], body: [UInt8] = [], on channel: any Channel) {
            let lines = ["HTTP/1.1 \(status)", "Connection: close"] + fields + ["", ""]
            var buffer = ByteBuffer(string: lines.joined(separator: "\r\n"))
            buffer.writeBytes(body)
            channel.writeAndFlush(buffer).whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
