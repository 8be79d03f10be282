import ActorCluster
import ClusterSimulation
import Distributed
import Membership
import Testing
import WireProtocol

@Suite struct CallTests {
    @Test func `a call to another node is answered`() throws {
        let tested = try TestWorld()
        let echo = tested.echo(on: "node-2")
        let answer = try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo("hola") }
        #expect(answer == "hola")
        #expect(tested.world["node-1"].system.counts.callsSent == 1)
        #expect(tested.world["node-2"].system.counts.callsServed == 1)
    }

    @Test func `a call to an actor of this node goes to the actor itself`() throws {
        let tested = try TestWorld()
        let echo = tested.echo(on: "node-1")
        let answer = try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo("hola") }
        #expect(answer == "hola")
        #expect(tested.world["node-1"].system.counts.callsSent == 0)
    }

    @Test func `what the callee throws arrives as its description, cut to a kilobyte`() throws {
        let tested = try TestWorld()
        let echo = tested.echo(on: "node-2")
        let error = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") { try await $0.echo(echo).refuse("not today") }
        }
        #expect(error?.code == .remoteError)
        #expect(error?.detail == "not today")
        let long = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") {
                try await $0.echo(echo).refuse(String(repeating: "x", count: 5000))
            }
        }
        #expect(long?.detail.utf8.count == ReplyOutcome.textBytesMax)
    }

    @Test func `an actor can be an argument`() throws {
        let tested = try TestWorld()
        let (second, third) = (tested.echo(on: "node-2"), tested.echo(on: "node-3"))
        let answer = try tested.world.perform(on: "node-1") { system in
            try await system.echo(second).ask(system.echo(third), "hola")
        }
        #expect(answer == "hola")
        #expect(tested.world["node-2"].system.counts.callsSent == 1)
    }

    @Test func `an actor can be an answer, and an actor of the caller's node is itself again`() throws {
        let tested = try TestWorld()
        let (own, second, third) = (tested.echo(on: "node-1"), tested.echo(on: "node-2"), tested.echo(on: "node-3"))
        let answer = try tested.world.perform(on: "node-1") { system in
            try await system.echo(second).introduce(system.echo(third)).echo("hola")
        }
        #expect(answer == "hola")
        let isItself = try tested.world.perform(on: "node-1") { system in
            try await system.echo(second).introduce(system.echo(own)) === system.echo(own)
        }
        #expect(isItself)
    }

    @Test func `an actor of another type, or one that is gone, is not taken for an argument`() throws {
        let tested = try TestWorld()
        let life = tested.world["node-2"].life
        let effects = tested.effects
        try tested.world.perform(on: "node-2") { system in
            _ = try system.host("counter") {
                Counter(actorSystem: system, VirtualActorKey(kind: "counter", key: "named"), effects)
            }
        }
        for name in ["counter", "nobody"] {
            let error = #expect(throws: ClusterCallError.self) {
                try tested.world.perform(on: "node-1") { system in
                    let other = try system.echo(.named(name, on: life))
                    _ = try await system.echo(.named("echo", on: life)).ask(other, "hola")
                }
            }
            #expect(error?.code == .undecodableArguments)
        }
    }

    @Test func `arguments are read within the limits that are configured, as answers are`() throws {
        let tested = try TestWorld { setting in
            setting.configure = { if $0.life.id.rawValue == "node-2" { $0.coding.stringBytesMax = 100 } }
        }
        let echo = tested.echo(on: "node-2")
        let text = String(repeating: "x", count: 100)
        #expect(try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo(text) } == text)
        let error = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo(text + "x") }
        }
        #expect(error?.code == .undecodableArguments)
    }

    @Test func `nobody of that name is there`() throws {
        let tested = try TestWorld()
        let life = tested.world["node-2"].life
        let error = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") {
                try await $0.echo(.named("nobody", on: life)).echo("hola")
            }
        }
        #expect(error?.code == .noSuchActor)
        #expect(error?.mayHaveRun == false)
    }

    @Test func `a function of one type is not run on an actor of another`() throws {
        let tested = try TestWorld()
        let echo = tested.echo(on: "node-2")
        let error = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") {
                _ = try await Counter.resolve(id: echo, using: $0).add(1)
            }
        }
        #expect(error?.code == .notAllowed)
        #expect(tested.effects.count("added") == 0)
        #expect(tested.world["node-2"].system.counts.callsRefusedNotAllowed == 1)
    }

    @Test func `a released actor is gone, and who watched it is told`() throws {
        let tested = try TestWorld()
        let echo = tested.echo(on: "node-2")
        let watched = tested.world.begin(on: "node-2") { try await $0.terminated(echo) }
        tested.world.run(for: .seconds(1))
        #expect(!watched.isDone)
        tested.world["node-2"].system.release("echo")
        tested.world.run(for: .seconds(1))
        #expect(try watched.result?.get() == .released)
        let error = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo("hola") }
        }
        #expect(error?.code == .noSuchActor)
    }

    @Test func `a call that is larger than a frame does not leave`() throws {
        let tested = try TestWorld()
        let echo = tested.echo(on: "node-2")
        let before = tested.world["node-1"].system.counts.connectionsEnded
        let error = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") {
                _ = try await $0.echo(echo).swallow(Array(repeating: 7, count: 2 << 20))
            }
        }
        #expect(error?.code == .tooLarge)
        // The connection lives on.
        let answer = try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo("hola") }
        #expect(answer == "hola")
        #expect(tested.world["node-1"].system.counts.connectionsEnded == before)
    }

    @Test func `trace and remaining time travel through every call`() throws {
        let tested = try TestWorld()
        let (second, third) = (tested.echo(on: "node-2"), tested.echo(on: "node-3"))
        let trace = try #require(TraceContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
        let seen = try tested.world.perform(on: "node-1") { system in
            try await system.withTrace(trace) {
                try await system.withTimeLimit(.seconds(2)) { try await system.echo(second).lookThrough(third) }
            }
        }
        #expect(seen.node == "node-3")
        #expect(seen.trace == trace.traceparent)
        let remaining = try #require(seen.remaining)
        #expect(1.9...2.0 ~= remaining)
    }

    @Test func `a limit inside a limit can only shorten it`() throws {
        let tested = try TestWorld()
        let echo = tested.echo(on: "node-2")
        let seen = try tested.world.perform(on: "node-1") { system in
            try await system.withTimeLimit(.seconds(1)) {
                try await system.withTimeLimit(.seconds(5)) { try await system.echo(echo).look() }
            }
        }
        #expect(try #require(seen.remaining) <= 1.0)
    }

    // MARK: Time

    @Test func `a call whose time is over is given up at both ends`() throws {
        let tested = try TestWorld()
        let echo = tested.echo(on: "node-2")
        let before = tested.world.scheduler.now
        let error = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") { system in
                try await system.withTimeLimit(.milliseconds(500)) {
                    _ = try await system.echo(echo).linger(milliseconds: 60_000)
                }
            }
        }
        #expect(error?.code == .deadlineExceeded)
        #expect(tested.world.scheduler.now - before < .milliseconds(600))
        tested.world.run(for: .seconds(1))
        #expect(tested.effects.count("cancelled") == 1)
        #expect(tested.effects.count("lingered") == 0)
    }

    @Test func `a callee is cancelled at its own end even when the caller's word does not get through`() throws {
        let tested = try TestWorld()
        let echo = tested.echo(on: "node-2")
        let errand = tested.world.begin(on: "node-1") { system in
            try await system.withTimeLimit(.milliseconds(500)) {
                _ = try await system.echo(echo).linger(milliseconds: 60_000)
            }
        }
        tested.world.run(atMost: .seconds(1)) { tested.effects.count("lingers") == 1 }
        tested.world.network.cut("node-1", "node-2")
        tested.world.run(for: .milliseconds(600))
        #expect(errand.isDone)
        #expect(tested.effects.count("cancelled") == 1)
    }

    @Test func `without a limit of its own a call has the configured one`() throws {
        let tested = try TestWorld { $0.configure = { $0.callTimeLimit = .seconds(3) } }
        let echo = tested.echo(on: "node-2")
        let error = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") { _ = try await $0.echo(echo).linger(milliseconds: 60_000) }
        }
        #expect(error?.code == .deadlineExceeded)
    }

    // MARK: Cancellation

    @Test func `a cancelled caller hears of it at once and the callee is cancelled`() throws {
        let tested = try TestWorld()
        let echo = tested.echo(on: "node-2")
        let errand = tested.world.begin(on: "node-1") { try await $0.echo(echo).linger(milliseconds: 60_000) }
        tested.world.run(atMost: .seconds(1)) { tested.effects.count("lingers") == 1 }
        errand.cancel()
        tested.world.run(for: .milliseconds(1))
        #expect(throws: CancellationError.self) { try errand.result?.get() }
        tested.world.run(for: .milliseconds(100))
        #expect(tested.effects.count("cancelled") == 1)
        #expect(tested.world["node-2"].system.counts.cancelsReceived == 1)
    }

    @Test func `a caller that dies takes its calls along`() throws {
        let tested = try TestWorld()
        let echo = tested.echo(on: "node-2")
        _ = tested.world.begin(on: "node-1") { try await $0.echo(echo).linger(milliseconds: 60_000) }
        tested.world.run(atMost: .seconds(1)) { tested.effects.count("lingers") == 1 }
        tested.world.crash("node-1")
        tested.world.run(for: .seconds(1))
        #expect(tested.effects.count("cancelled") == 1)
    }

    @Test func `a callee that dies leaves an unknown outcome, and a call after it does not leave`() throws {
        let tested = try TestWorld()
        let echo = tested.echo(on: "node-2")
        let errand = tested.world.begin(on: "node-1") { try await $0.echo(echo).linger(milliseconds: 60_000) }
        tested.world.run(atMost: .seconds(1)) { tested.effects.count("lingers") == 1 }
        tested.world.crash("node-2")
        tested.world.run(for: .seconds(1))
        let error = #expect(throws: ClusterCallError.self) { try errand.result?.get() }
        #expect(error?.code == .outcomeUnknown)
        #expect(error?.mayHaveRun == true)
        let after = #expect(throws: ClusterCallError.self) {
            try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo("hola") }
        }
        #expect(after?.code == .unreachable)
        #expect(after?.mayHaveRun == false)
    }

    // MARK: Limits

    @Test func `a peer with as many calls as are allowed is told to come back`() throws {
        let tested = try TestWorld { $0.configure = { $0.wire.callsInFlightMax = 4 } }
        let echo = tested.echo(on: "node-2")
        let errands = (0..<6).map { _ in
            tested.world.begin(on: "node-1") { try await $0.echo(echo).linger(milliseconds: 1_000) }
        }
        tested.world.run(for: .milliseconds(100))
        let refused = errands.compactMap { errand -> ClusterCallError? in
            guard case .failure(let error) = errand.result else { return nil }
            return error as? ClusterCallError
        }
        #expect(refused.map(\.code) == [.busy, .busy])
        #expect(refused.allSatisfy { $0.retryAfter == .milliseconds(50) && !$0.mayHaveRun })
        tested.world.run(for: .seconds(2))
        #expect(errands.count { (try? $0.result?.get()) == "done" } == 4)
        let again = try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo("hola") }
        #expect(again == "hola")
    }

    @Test func `a caller that ignores what it was told is refused by the callee`() throws {
        // The first node's calls are counted by itself first, so its count is the one that is planted wrong.
        let tested = try TestWorld { setting in
            setting.configure = { if $0.life.id.rawValue == "node-2" { $0.wire.callsInFlightMax = 4 } }
            setting.meddle = { name, base in
                name == "node-2" ? MeddlingTransport(base) { [Meddling.allowance($0, calls: 100)] } : base
            }
        }
        let echo = tested.echo(on: "node-2")
        let errands = (0..<6).map { _ in
            tested.world.begin(on: "node-1") { try await $0.echo(echo).linger(milliseconds: 1_000) }
        }
        tested.world.run(for: .seconds(2))
        let codes = errands.compactMap { errand -> ClusterCallError.Code? in
            guard case .failure(let error) = errand.result else { return nil }
            return (error as? ClusterCallError)?.code
        }
        #expect(codes == [.busy, .busy])
        #expect(tested.world["node-2"].system.counts.callsRefusedBusy == 2)
    }

    @Test func `several lanes carry calls when they are configured`() throws {
        let tested = try TestWorld { $0.configure = { $0.callLanes = 3 } }
        let echo = tested.echo(on: "node-2")
        for _ in 0..<20 {
            _ = try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo("hola") }
            tested.world.run(for: .milliseconds(20))
        }
        let lanes = tested.world["node-1"].system.linkStatus.filter { $0.lane.lane == .call }
        #expect(lanes.map(\.lane.number) == [0, 1, 2])
    }
}

/// Frames that are changed on the way.
enum Meddling {
    /// A hello that promises to take so many calls.
    static func allowance(_ frame: FrameCutter.Cut, calls: UInt32) -> [UInt8] {
        guard frame.kind == FrameKind.hello.rawValue else { return frame.bytes }
        var bytes = frame.bytes
        // Behind the magic come fields of a tag, two bytes of length and a value; the allowance is field 8.
        var at = Frame.headerBytes + Hello.magic.count
        while at + 3 <= bytes.count {
            let length = Int(bytes[at + 1]) << 8 | Int(bytes[at + 2])
            if bytes[at] == 8 {
                for (place, shift) in zip(at + 7..<at + 11, [24, 16, 8, 0]) {
                    bytes[place] = UInt8(calls >> UInt32(shift) & 0xff)
                }
            }
            at += 3 + length
        }
        return bytes
    }
}
