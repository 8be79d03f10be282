import NIOCore
import NIOEmbedded
import Testing

@testable import RedisLimits

/// The parts that need no socket.
@Suite struct RedisMachineTests {
    // MARK: Answers

    private static let values: [(String, RESPValue)] = [
        ("+OK\r\n", .text("OK")), ("-ERR no\r\n", .error("ERR no")), (":-12\r\n", .integer(-12)),
        ("$5\r\na\r\nbc\r\n", .bytes(Array("a\r\nbc".utf8))), ("$0\r\n\r\n", .bytes([])), ("$-1\r\n", .bytes(nil)),
        ("*-1\r\n", .list(nil)), ("*0\r\n", .list([])),
        ("*3\r\n:1\r\n*1\r\n$1\r\nx\r\n+y\r\n", .list([.integer(1), .list([.bytes([120])]), .text("y")])),
    ]

    @Test func `answers are found wherever the stream is cut`() throws {
        let stream = Self.values.map(\.0).joined()
        for size in 1...stream.utf8.count {
            var parser = RESPParser()
            var found: [RESPValue] = []
            var rest = ByteBuffer(string: stream)
            while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 {
                parser.append(piece)
                while let value = try parser.next() { found.append(value) }
            }
            #expect(found == Self.values.map(\.1), "in pieces of \(size)")
        }
    }

    @Test func `a Redis that is always late is told from one that hung once`() {
        var pipeline = RedisPipeline<Int>(waitingMax: 10)
        let start = NIODeadline.now()
        func at(_ milliseconds: Int64) -> NIODeadline { start + .milliseconds(milliseconds) }
        for round in 0..<3 {
            let time = Int64(round) * 100
            for waiter in [1, 2] {
                let isSent = pipeline.send(waiter, until: at(time + 50))
                #expect(isSent)
            }
            #expect(pipeline.expire(at: at(time + 60)) == [1, 2])
            #expect(pipeline.stallsInRow == round + 1, "two who wait at the same time are one stall")
            for _ in 1...2 { guard case .nobody = pipeline.answered() else { Issue.record("somebody"); return } }
        }
        let isSent = pipeline.send(3, until: at(350))
        #expect(isSent)
        guard case .to(3) = pipeline.answered() else { Issue.record("nobody"); return }
        #expect(pipeline.stallsInRow == 0)
    }

    @Test(arguments: [false, true])
    func `a Redis that is late again and again is given up, unless it is in time once`(isInTimeOnce: Bool) throws {
        var configuration = RedisConfiguration(address: try #require(RedisAddress("unix:///redis")), prefix: "p")
        configuration.stallsInRowMax = 3
        let watch = RedisConnection.Watch()
        let channel = EmbeddedChannel(handler: RedisHandler(configuration, watch))
        func ask() throws -> EventLoopFuture<RESPValue> {
            let answer = channel.eventLoop.makePromise(of: RESPValue.self)
            let bytes = RESPCommand(["PING"]).bytes
            try channel.writeOutbound(RedisCall(bytes: bytes, patience: .milliseconds(50), answer: answer))
            return answer.futureResult
        }
        func answer() throws { try channel.writeInbound(ByteBuffer(string: ":1\r\n")) }
        for round in 1...3 {
            #expect(watch.end == nil, "round \(round)")
            if round == 3, isInTimeOnce {
                let inTime = try ask()
                try answer()
                #expect(try inTime.wait() == .integer(1))
            }
            let late = try ask()
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(60))
            let error = #expect(throws: RedisError.self) { try late.wait() }
            #expect(error?.code == .late)
            if watch.end == nil { try answer() }
        }
        #expect(watch.end?.detail == (isInTimeOnce ? nil : "it is too slow"))
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test(
        arguments: [
            "?\r\n", "\r\n", ":x\r\n", "$-2\r\n", "$99999999\r\n", "*65\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
            "$1\r\nabc", "+OK\n", "+" + String(repeating: "a", count: 1100), ":99999999999999999999\r\n",
        ])
    func `what no answer of ours could be is an error at once`(text: String) {
        var parser = RESPParser()
        parser.append(ByteBuffer(string: text))
        #expect(throws: RedisError.self) { try parser.next() }
    }

    @Test func `a command counts bytes and not characters`() {
        let command = RESPCommand(["GET", "ñ\r\n"])
        #expect(String(buffer: command.bytes) == "*2\r\n$3\r\nGET\r\n$4\r\nñ\r\n\r\n")
    }

    // MARK: Who waits

    private func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .milliseconds(milliseconds) }

    private func receiver(_ answer: RedisPipeline<Int>.Answer) -> String {
        switch answer {
        case .to(let waiter): "\(waiter)"
        case .nobody: "nobody"
        case .unexpected: "unexpected"
        }
    }

    @Test func `answers go to who has waited longest`() {
        var pipeline = RedisPipeline<Int>(waitingMax: 10)
        for waiter in 1...3 {
            let isSent = pipeline.send(waiter, until: at(50))
            #expect(isSent)
        }
        var receivers: [String] = []
        for _ in 1...4 { receivers.append(receiver(pipeline.answered())) }
        #expect(receivers == ["1", "2", "3", "unexpected"])
        #expect(pipeline.isEmpty && pipeline.nextDeadline == nil)
    }

    @Test func `behind an answer that is overdue nobody waits, and when it has come they do again`() {
        var pipeline = RedisPipeline<Int>(waitingMax: 10)
        var sent = [(1, 50), (2, 60), (3, 70)].map { pipeline.send($0.0, until: at($0.1)) }
        #expect(pipeline.expire(at: at(49)) == [])
        #expect(!pipeline.isStalled && pipeline.stalledSince == nil)
        #expect(pipeline.expire(at: at(60)) == [1, 2])
        #expect(pipeline.isStalled && pipeline.stalledSince == at(50) && pipeline.nextDeadline == at(70))
        sent.append(pipeline.send(4, until: at(110)))
        #expect(pipeline.expire(at: at(65)) == [], "they are told once")
        #expect(receiver(pipeline.answered()) == "nobody")
        #expect(pipeline.isStalled && pipeline.stalledSince == at(60))
        sent.append(pipeline.send(5, until: at(115)))
        #expect(receiver(pipeline.answered()) == "nobody")
        #expect(!pipeline.isStalled && pipeline.stalledSince == nil)
        sent.append(pipeline.send(6, until: at(116)))
        #expect(receiver(pipeline.answered()) == "3")
        #expect(receiver(pipeline.answered()) == "6")
        #expect(sent == [true, true, true, false, false, true])
    }

    @Test func `no more wait than may, and all who wait hear of the end`() {
        var pipeline = RedisPipeline<Int>(waitingMax: 3)
        let sent = (1...4).map { pipeline.send($0, until: at(Int64($0) * 10)) }
        #expect(sent == [true, true, true, false])
        #expect(pipeline.expire(at: at(10)) == [1])
        #expect(pipeline.removeAll() == [2, 3])
        #expect(pipeline.isEmpty && !pipeline.isStalled)
    }

    // MARK: Addresses

    @Test(
        arguments: [
            ("redis://host", "host:6379", nil, nil, 0, false), ("redis://host:1/2", "host:1", nil, nil, 2, false),
            ("rediss://:p%40ss@host/", "host:6379", nil, "p@ss", 0, true),
            ("redis://ana:se:cr%2Fet@[::1]:7000/0", "[::1]:7000", "ana", "se:cr/et", 0, false),
            ("redis://[fd00::2]", "[fd00::2]:6379", nil, nil, 0, false),
            ("unix:///run/redis.sock", "/run/redis.sock", nil, nil, 0, false),
            ("unix://ana:secret@/run/redis.sock", "/run/redis.sock", "ana", "secret", 0, false),
        ] as [(String, String, String?, String?, Int, Bool)])
    func `a URL says where Redis is and who we are, and is shown without that`(
        text: String, shown: String, user: String?, password: String?, database: Int, usesTLS: Bool
    ) throws {
        let address = try #require(RedisAddress(text))
        #expect("\(address)" == shown)
        #expect(address.user == user && address.password == password && address.database == database)
        #expect(address.usesTLS == usesTLS)
    }

    @Test(
        arguments: [
            "", "host:6379", "http://host", "redis://", "redis://:6379", "redis://host:0", "redis://host:70000",
            "redis://::1", "redis://user@host", "redis://user:@host", "redis://host/x", "redis://host/-1",
            "redis://a b", "redis://%zz:p@host", "unix://run/redis.sock", "unix:///",
        ])
    func `what is no such URL is none`(text: String) { #expect(RedisAddress(text) == nil) }

    // MARK: Coming back

    @Test func `pauses grow while connections break, and are short again after one that stood`() throws {
        let address = try #require(RedisAddress("redis://host"))
        var pace = RedisPace(RedisConfiguration(address: address, prefix: "p"))
        var last = Duration.zero
        for _ in 0..<8 {
            let pause = pace.next(stood: .seconds(1), chance: 0.999)
            #expect(pause >= last && pause <= .seconds(5))
            last = pause
        }
        #expect(last > .seconds(4))
        #expect(pace.next(stood: .seconds(5), chance: 0.999) < .milliseconds(301))
        #expect(pace.next(stood: .zero, chance: 0) == .milliseconds(100))
    }
}
