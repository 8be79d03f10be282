import ActorCluster
import ClusterSimulation
import Distributed
import Membership
import Synchronization

/// Work that goes on while faults happen: calls from all nodes to actors of nodes and to virtual ones.
///
/// Calls may fail, which is what faults are for. What may not happen: an answer that belongs to another call, and an
/// effect without a call or two for one.
final class Shift {
    let tested: TestWorld
    private let tally = Tally()
    private var errands: [Errand<Void>] = []

    init(_ tested: TestWorld) {
        self.tested = tested
        let (tally, seed) = (tally, tested.world.seed.number)
        for name in tested.world.names {
            let clock = tested.world[name].clock
            errands.append(
                tested.world.begin(on: name) { system in await Worker(system, clock, seed, tally).work() })
        }
    }

    /// The workers end what they are about.
    func stop() { tally.stop() }

    var isOver: Bool { errands.allSatisfy { $0.isDone } }
    var outcomes: [String: Int] { tally.outcomes }

    var violations: [String] {
        let added = tested.effects.all.filter { $0.what.hasPrefix("added ") }
        let twice = Dictionary(grouping: added, by: \.what).filter { $0.value.count > 1 }.keys.sorted()
        return tally.violations + twice.map { "\($0) happened twice" }
            + (added.count > tally.addsBegun ? ["\(added.count) effects of \(tally.addsBegun) calls"] : [])
    }
}

/// What came of the calls.
private final class Tally: Sendable {
    private struct State {
        var isStopped = false
        var outcomes: [String: Int] = [:]
        var violations: [String] = []
        var addsBegun = 0
    }

    private let state = Mutex(State())

    var isStopped: Bool { state.withLock { $0.isStopped } }
    var outcomes: [String: Int] { state.withLock { $0.outcomes } }
    var violations: [String] { state.withLock { $0.violations } }
    var addsBegun: Int { state.withLock { $0.addsBegun } }

    func stop() { state.withLock { $0.isStopped = true } }
    func note(_ outcome: String) { state.withLock { $0.outcomes[outcome, default: 0] += 1 } }
    func violated(_ what: String) { state.withLock { $0.violations.append(what) } }
    func addBegins() { state.withLock { $0.addsBegun += 1 } }
}

private struct Worker: Sendable {
    let system: ClusterActorSystem
    let clock: VirtualClock
    let seed: UInt64
    let tally: Tally

    init(_ system: ClusterActorSystem, _ clock: VirtualClock, _ seed: UInt64, _ tally: Tally) {
        self.system = system
        self.clock = clock
        self.seed = seed
        self.tally = tally
    }

    func work() async {
        let name = system.life.id.rawValue
        var random = SeededGenerator(seed &* 7919 ^ UInt64(name.utf8.last ?? 0))
        while !tally.isStopped, !Task.isCancelled {
            let limit = random.duration(in: .milliseconds(20)...Duration.seconds(3))
            do {
                try await system.withTimeLimit(limit) { try await call(&random, limit) }
                tally.note("ok")
            } catch let error as ClusterCallError {
                tally.note(error.code.rawValue)
                if error.code == .undecodableAnswer || error.code == .undecodableArguments {
                    tally.violated("\(error)")
                }
            } catch {
                tally.note("\(type(of: error))")
            }
            let pause = random.duration(in: .milliseconds(1)...Duration.milliseconds(50))
            guard (try? await clock.sleep(for: pause)) != nil else { return }
        }
    }

    private func call(_ random: inout SeededGenerator, _ limit: Duration) async throws {
        let key = VirtualActorKey(kind: "counter", key: "key-\(random.below(12))")
        let lives = system.members.map(\.life)
        let target = lives.isEmpty ? system.life : lives[random.below(lives.count)]
        let echo = try system.echo(.named("echo", on: target))
        switch random.below(10) {
        case 0..<5:
            // A number of its own, so that an effect that happens twice is seen.
            let amount = Int(random.next() >> 20)
            tally.addBegins()
            _ = try await system.counter(key).add(amount)
        case 5..<7:
            let text = "\(random.next())"
            let answer = try await echo.echo(text)
            if answer != text { tally.violated("\(text) was answered by \(answer)") }
        case 7: _ = try await echo.linger(milliseconds: 2_000)
        case 8: try await giveUp(echo, after: limit / 3)
        default: _ = try await echo.swallow(Array(repeating: 1, count: 50_000))
        }
    }

    /// Begins a call and cancels it.
    private func giveUp(_ echo: Echo, after wait: Duration) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await echo.linger(milliseconds: 2_000) }
            group.addTask { try await clock.sleep(for: wait) }
            try await group.next()
            group.cancelAll()
        }
    }
}

/// How often what seldom happens has happened. What never did was not tested.
final class RarePaths {
    private(set) var all: [String: Int] = [:]

    func add(_ shift: Shift) {
        for (name, count) in shift.outcomes { all["call \(name)", default: 0] += count }
        for counts in shift.tested.world.counts {
            for (name, count) in [
                "connectionsReplaced": counts.connectionsReplaced, "callsRedirected": counts.callsRedirected,
                "callsExpired": counts.callsExpired, "cancelsReceived": counts.cancelsReceived,
                "repliesLate": counts.repliesLate, "activations": counts.activations, "evictions": counts.evictions,
                "silentConnections": counts.silentConnections, "gossipDropped": counts.gossipDropped,
                "callsRefusedWrongOwner": counts.callsRefusedWrongOwner,
                "duplicateConnection": counts.handshakesRefused["duplicateConnection", default: 0],
                "dial refused": counts.dialsFailed["refused", default: 0],
                "dial timed out": counts.dialsFailed["timedOut", default: 0],
            ] { all[name, default: 0] += count }
        }
        let network = shift.tested.world.network.counts
        for (name, count) in [
            "pieces split": network.splits, "resets": network.resets, "bits turned": network.flips,
            "waits": network.waits,
        ] { all[name, default: 0] += count }
    }

    var missing: [String] {
        let wanted = [
            "call ok", "call outcomeUnknown", "call unreachable", "call deadlineExceeded", "connectionsReplaced",
            "callsRedirected", "callsExpired", "cancelsReceived", "repliesLate", "activations", "evictions",
            "silentConnections", "gossipDropped", "duplicateConnection", "callsRefusedWrongOwner", "dial refused",
            "dial timed out", "pieces split", "resets", "bits turned", "waits",
        ]
        return wanted.filter { all[$0, default: 0] == 0 }
    }
}
