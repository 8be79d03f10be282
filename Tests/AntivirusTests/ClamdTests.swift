import Antivirus
import Foundation
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// The client against the real daemon, and against strangers that behave badly.
@Suite struct ClamdTests {
    private func client(_ address: ClamdAddress, _ change: (inout ClamdConfiguration) -> Void = { _ in }) -> Clamd {
        var configuration = ClamdConfiguration(address: address)
        change(&configuration)
        return Clamd(configuration, clock: ContinuousClock())
    }

    private func verdict(_ clamd: Clamd, _ bytes: [UInt8]) async throws -> ClamdVerdict {
        try await clamd.scan(Blocks(bytes: bytes))
    }

    private func expect(
        _ code: ClamdError.Code, _ body: () async throws -> Void, at place: SourceLocation = #_sourceLocation
    ) async {
        do {
            try await body()
            Issue.record("nothing was thrown", sourceLocation: place)
        } catch {
            #expect((error as? ClamdError)?.code == code, "\(error)", sourceLocation: place)
        }
    }

    @Test(.enabled(if: ClamdServer.isInstalled), arguments: [false, true])
    func `clamd finds what it knows and passes what it does not, over socket and network`(network: Bool) async throws {
        try await LoopbackPort.held { port in
            try await ClamdServer.inFolder { folder in
                try await ClamdServer.run(in: folder, port: network ? port : nil) { server in
                    let clamd = client(server.address)
                    #expect(try await verdict(clamd, Array("a clean file".utf8)) == .clean)
                    #expect(try await verdict(clamd, []) == .clean)
                    let found = try await verdict(clamd, ClamdServer.eicar)
                    guard case .infected(let signature) = found else { throw Surprise("\(found)") }
                    #expect(signature.hasPrefix("Eicar"), "\(signature)")
                    #expect(try await clamd.version().hasPrefix("ClamAV "))
                }
            }
        }
    }

    @Test(.enabled(if: ClamdServer.isInstalled))
    func `twenty scans through two connections all get their own verdict`() async throws {
        try await ClamdServer.inFolder { folder in
            try await ClamdServer.run(in: folder) { server in
                let clamd = client(server.address) { $0.connectionsMax = 2 }
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<20 {
                        group.addTask {
                            let padding = [UInt8](repeating: UInt8(number), count: 300_000)
                            let bytes = number.isMultiple(of: 3) ? padding + ClamdServer.eicar : padding
                            let isClean = try await clamd.scan(Blocks(bytes: bytes)) == .clean
                            return isClean != number.isMultiple(of: 3)
                        }
                    }
                    for try await isRight in group { #expect(isRight) }
                }
            }
        }
    }

    @Test(.enabled(if: ClamdServer.isInstalled))
    func `a stream that is longer than clamd takes is an error that says what to set`() async throws {
        try await ClamdServer.inFolder { folder in
            try await ClamdServer.run(in: folder, settings: "StreamMaxLength 1M") { server in
                let clamd = client(server.address)
                let whole = try await verdict(clamd, [UInt8](repeating: 1, count: 1 << 20))
                #expect(whole == .clean)
                await #expect {
                    _ = try await verdict(clamd, [UInt8](repeating: 1, count: 8 << 20))
                } throws: { error in
                    // A connection that was closed under us may lose clamd's last words.
                    let error = error as? ClamdError
                    return error?.code == .broken
                        || error?.code == .streamTooLong && error?.detail.contains("StreamMaxLength") == true
                }
                // One byte more is answered, because nothing of ours is left on the way when it closes.
                await expect(.streamTooLong) { _ = try await verdict(clamd, [UInt8](repeating: 1, count: 1 << 20 + 1)) }
            }
        }
    }

    @Test func `nobody there is away, and so is a name that means nothing`() async throws {
        // Held, so that no other test listens there meanwhile.
        try await LoopbackPort.held { port in
            for text in ["/tmp/no-such-clamd.ctl", "127.0.0.1:\(port)"] {
                let clamd = client(try #require(ClamdAddress(text)))
                await expect(.away) { _ = try await clamd.version() }
                await expect(.away) { _ = try await verdict(clamd, [1]) }
            }
        }
    }

    @Test func `one that never answers, one that says nonsense and one that hangs up are told apart`() async throws {
        try await withStranger(answer: nil) { address in
            let clamd = client(address) { $0.answerSecondsMax = 1 }
            await expect(.late) { _ = try await verdict(clamd, [1]) }
        }
        try await withStranger(answer: "HTTP/1.1 400 Bad Request\0") { address in
            await expect(.refused) { _ = try await verdict(client(address), [1]) }
        }
        try await withStranger(answer: "") { address in
            await expect(.broken) { _ = try await verdict(client(address), [1]) }
        }
        try await withStranger(answer: String(repeating: "a", count: 10_000)) { address in
            await expect(.refused) { _ = try await verdict(client(address), [1]) }
        }
    }

    @Test func `a scan that is cancelled while it waits for its turn leaves the turn to others`() async throws {
        try await withStranger(answer: nil) { address in
            let clamd = client(address) { ($0.connectionsMax, $0.answerSecondsMax) = (1, 2) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await expect(.late) { _ = try await verdict(clamd, [1]) } }
                group.addTask {
                    await withTaskGroup(of: Void.self) { inner in
                        inner.addTask { await #expect(throws: (any Error).self) { try await clamd.version() } }
                        inner.cancelAll()
                    }
                }
                try await group.waitForAll()
            }
            await expect(.late) { _ = try await verdict(clamd, [1]) }
        }
    }

    @Test func `lines of clamd are understood`() {
        #expect(ClamdReply("stream: OK") == .clean)
        #expect(ClamdReply("stream: Win.Test.EICAR_HDB-1 FOUND") == .infected(signature: "Win.Test.EICAR_HDB-1"))
        #expect(ClamdReply("stream: a\u{1B}[2J\n FOUND") == .infected(signature: "a?[2J?"))
        #expect(ClamdReply("INSTREAM size limit exceeded. ERROR") == .streamTooLong)
        #expect(ClamdReply("UNKNOWN COMMAND") == .refused("UNKNOWN COMMAND"))
        #expect(ClamdReply("stream: Can't allocate memory ERROR") == .refused("stream: Can't allocate memory ERROR"))
        guard case .infected(let name) = ClamdReply("stream: \(String(repeating: "x", count: 900)) FOUND") else {
            Issue.record("a long name is still a find")
            return
        }
        #expect(name.count == 128)
    }

    @Test func `addresses are paths or host and port`() {
        #expect(ClamdAddress("/run/clamav/clamd.ctl") == .socket(path: "/run/clamav/clamd.ctl"))
        #expect(ClamdAddress("clam:3310") == .network(host: "clam", port: 3310))
        #expect(ClamdAddress("[::1]:3310") == .network(host: "::1", port: 3310))
        for text in ["", "clam", "clam:0", "clam:99999", "::1:3310", ":3310", "/" + String(repeating: "x", count: 107)]
        {
            #expect(ClamdAddress(text) == nil, "\(text)")
        }
    }

    @Test func `streams cover a file and overlap`() {
        let configuration = ClamdConfiguration(
            address: .socket(path: "/x"), streamBytesMax: 100, overlapBytes: 10)
        #expect(configuration.streams(ofBytes: 0) == [])
        #expect(configuration.streams(ofBytes: 100) == [0..<100])
        #expect(configuration.streams(ofBytes: 101) == [0..<100, 90..<101])
        for bytes in Int64(1)...1000 {
            let streams = configuration.streams(ofBytes: bytes)
            #expect(streams.first?.lowerBound == 0 && streams.last?.upperBound == bytes)
            #expect(streams.allSatisfy { $0.count <= 100 && !$0.isEmpty })
            #expect(zip(streams, streams.dropFirst()).allSatisfy { $1.lowerBound == $0.upperBound - 10 })
        }
    }

    /// Listens, reads whatever comes, and answers each connection with `answer`: nil never, "" by hanging up.
    private func withStranger(
        answer: String?, _ body: @Sendable (ClamdAddress) async throws -> Void
    ) async throws {
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Stranger(answer: answer))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        do { try await body(.network(host: "127.0.0.1", port: port)) } catch {
            try await server.close()
            throw error
        }
        try await server.close()
    }
}

/// Says one thing to everybody, whatever they want, and hangs up.
private final class Stranger: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let answer: String?

    init(answer: String?) { self.answer = answer }

    func channelActive(context: ChannelHandlerContext) {
        guard let answer else { return }
        if !answer.isEmpty { context.channel.writeAndFlush(ByteBuffer(string: answer), promise: nil) }
        context.close(mode: .output, promise: nil)
    }
}

struct Surprise: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
