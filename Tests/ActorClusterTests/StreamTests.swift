import ActorCluster
import ClusterSimulation
import Distributed
import Membership
import Synchronization
import Testing
import WireProtocol

@Suite struct StreamTests {
    /// What handlers saw.
    private final class Heard: Sendable {
        private let state = Mutex<[String]>([])
        var all: [String] { state.withLock { $0 } }
        func note(_ text: String) { state.withLock { $0.append(text) } }
    }

    private func started(
        nodes: Int = 2, _ configure: @escaping (inout ClusterConfiguration) -> Void = { _ in },
        _ handler: @escaping ClusterActorSystem.StreamHandler
    ) throws -> TestWorld {
        try TestWorld(nodes: nodes) { setting in
            setting.configure = configure
            let base = setting.register
            setting.register = { system, clock in
                base(system, clock)
                system.serveStreams("copy", handler)
            }
        }
    }

    private static func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) } }

    @Test func `bytes go both ways, in order, to the end`() throws {
        let tested = try started { stream, argument, from in
            #expect(argument == [1, 2, 3])
            #expect(from.id.rawValue == "node-1")
            while let bytes = try await stream.read() { try await stream.write(bytes) }
            stream.finish()
        }
        let life = tested.world["node-2"].life
        let sent = Self.pattern(3_000_000)
        let received = try tested.world.perform(on: "node-1") { system in
            try await system.withStream(to: life, purpose: "copy", argument: [1, 2, 3]) { stream in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await stream.write(sent)
                        stream.finish()
                    }
                    var all: [UInt8] = []
                    while let bytes = try await stream.read() { all += bytes }
                    try await group.waitForAll()
                    return all
                }
            }
        }
        #expect(received == sent)
        #expect(tested.world["node-1"].system.counts.streamsOpened == 1)
        #expect(tested.world["node-2"].system.counts.streamsServed == 1)
    }

    @Test func `a stalled reader stops its writer and nobody else`() throws {
        let tested = try started { stream, argument, _ in
            if argument == [1] {
                try await Task.yieldUntilCancelled()
            } else {
                while try await stream.read() != nil {}
            }
        }
        let life = tested.world["node-2"].life
        let progress = Progress()
        let stalled = tested.world.begin(on: "node-1") { system in
            try await system.withStream(to: life, purpose: "copy", argument: [1]) { stream in
                while true {
                    try await stream.write(Self.pattern(64 << 10))
                    progress.add(64 << 10)
                }
            }
        }
        tested.world.run(for: .seconds(1))
        let reached = progress.bytes
        let limits = WireLimits.standard
        // What the reader's window holds, and what waits at the writer.
        #expect(reached <= limits.streamWindowBytes + limits.streamOutboundBytesMax)
        tested.world.run(for: .seconds(30))
        #expect(progress.bytes == reached)
        try tested.world.perform(on: "node-1") { system in
            try await system.withStream(to: life, purpose: "copy", argument: [2]) { stream in
                try await stream.write(Self.pattern(5_000_000))
                stream.finish()
                // The handler's end: everything has arrived.
                while try await stream.read() != nil {}
            }
        }
        #expect(!stalled.isDone)
        stalled.cancel()
        tested.world.run(for: .seconds(1))
        #expect(stalled.isDone)
    }

    @Test func `a purpose that nobody serves is refused`() throws {
        let tested = try started { _, _, _ in }
        let life = tested.world["node-2"].life
        let reset = #expect(throws: StreamReset.self) {
            try tested.world.perform(on: "node-1") { system in
                try await system.withStream(to: life, purpose: "other") { _ = try await $0.read() }
            }
        }
        #expect(reset?.code == .notAllowed)
    }

    @Test func `what the handler throws reaches the opener, and the other way round`() throws {
        let heard = Heard()
        let tested = try started { stream, argument, _ in
            if argument == [1] { throw Echo.Refusal(description: "the disk is full") }
            do {
                while try await stream.read() != nil {}
            } catch let reset as StreamReset {
                heard.note(reset.text)
            }
        }
        let life = tested.world["node-2"].life
        let reset = #expect(throws: StreamReset.self) {
            try tested.world.perform(on: "node-1") { system in
                try await system.withStream(to: life, purpose: "copy", argument: [1]) { _ = try await $0.read() }
            }
        }
        #expect(reset?.code == .failed)
        #expect(reset?.text == "the disk is full")
        #expect(throws: Echo.Refusal.self) {
            try tested.world.perform(on: "node-1") { system in
                try await system.withStream(to: life, purpose: "copy", argument: [2]) { stream in
                    try await stream.write([1, 2, 3])
                    throw Echo.Refusal(description: "the user went away")
                }
            }
        }
        tested.world.run(for: .seconds(1))
        #expect(heard.all == ["the user went away"])
    }

    @Test func `more streams than the peer takes are refused here`() throws {
        let tested = try started({ $0.wire.streamsMax = 2 }) { stream, _, _ in
            while try await stream.read() != nil {}
        }
        let life = tested.world["node-2"].life
        let held = (0..<2).map { _ in
            tested.world.begin(on: "node-1") { system in
                try await system.withStream(to: life, purpose: "copy") { while try await $0.read() != nil {} }
            }
        }
        tested.world.run(for: .seconds(1))
        let error = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") { system in
                try await system.withStream(to: life, purpose: "copy") { _ = try await $0.read() }
            }
        }
        #expect(error?.code == .busy)
        for errand in held { errand.cancel() }
        tested.world.run(for: .seconds(1))
        try tested.world.perform(on: "node-1") { system in
            try await system.withStream(to: life, purpose: "copy") { $0.finish() }
        }
    }

    @Test func `a stream whose node dies is broken`() throws {
        let tested = try started { stream, _, _ in while try await stream.read() != nil {} }
        let life = tested.world["node-2"].life
        let errand = tested.world.begin(on: "node-1") { system in
            try await system.withStream(to: life, purpose: "copy") { while try await $0.read() != nil {} }
        }
        tested.world.run(for: .seconds(1))
        tested.world.crash("node-2")
        tested.world.run(for: .seconds(1))
        let reset = #expect(throws: StreamReset.self) { try errand.result?.get() }
        #expect(reset?.code == .connectionLost)
    }

    @Test func `gossip and calls pass while a stream fills its lane`() throws {
        let tested = try started { stream, _, _ in while try await stream.read() != nil {} }
        let (life, echo) = (tested.world["node-2"].life, tested.echo(on: "node-2"))
        let bulk = tested.world.begin(on: "node-1") { system in
            try await system.withStream(to: life, purpose: "copy") { stream in
                for _ in 0..<200 { try await stream.write(Self.pattern(256 << 10)) }
                stream.finish()
                while try await stream.read() != nil {}
            }
        }
        tested.world.run(for: .milliseconds(20))
        #expect(!bulk.isDone)
        let before = tested.world.scheduler.now
        _ = try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo("hola") }
        #expect(tested.world.scheduler.now - before < .milliseconds(20))
        tested.world.run(for: .seconds(10))
        #expect(bulk.isDone)
    }
}

/// Bytes that got through.
private final class Progress: Sendable {
    private let state = Mutex(0)
    var bytes: Int { state.withLock { $0 } }
    func add(_ count: Int) { state.withLock { $0 += count } }
}

extension Task where Success == Never, Failure == Never {
    /// Stands still until it is cancelled.
    fileprivate static func yieldUntilCancelled() async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        for await _ in stream {}
        withExtendedLifetime(continuation) {}
        throw _Concurrency.CancellationError()
    }
}
