import ActorCluster
import ClusterSimulation
import Distributed
import Membership
import Synchronization
import WireProtocol

/// What the actors of these tests did, on all nodes of a world.
final class Effects: Sendable {
    struct Effect: Hashable, Sendable {
        let node: String
        let key: String
        let what: String
    }

    private let state = Mutex<[Effect]>([])

    var all: [Effect] { state.withLock { $0 } }
    func count(_ what: String) -> Int { all.count { $0.what == what } }
    func note(_ node: String, _ key: String, _ what: String) {
        state.withLock { $0.append(Effect(node: node, key: key, what: what)) }
    }
}

/// Answers what it is asked; one per node.
distributed actor Echo {
    typealias ActorSystem = ClusterActorSystem

    private let effects: Effects
    private let clock: any Clock<Duration>

    init(actorSystem: ClusterActorSystem, _ effects: Effects, _ clock: any Clock<Duration>) {
        self.actorSystem = actorSystem
        self.effects = effects
        self.clock = clock
    }

    struct Refusal: Error, CustomStringConvertible { let description: String }

    struct Seen: Codable, Sendable, Hashable {
        var node: String
        var trace: String?
        var remaining: Double?
    }

    distributed func echo(_ text: String) -> String { text }

    distributed func refuse(_ reason: String) throws { throw Refusal(description: reason) }

    /// Waits until it is cancelled, or for so long.
    distributed func linger(milliseconds: Int) async throws -> String {
        effects.note(actorSystem.life.id.rawValue, "echo", "lingers")
        do {
            try await clock.sleep(for: .milliseconds(milliseconds))
        } catch {
            effects.note(actorSystem.life.id.rawValue, "echo", "cancelled")
            throw error
        }
        effects.note(actorSystem.life.id.rawValue, "echo", "lingered")
        return "done"
    }

    /// What travelled along with the call.
    distributed func look() -> Seen {
        let (seconds, attoseconds) = (actorSystem.remainingTime ?? .zero).components
        return Seen(
            node: actorSystem.life.id.rawValue, trace: CallOptions.current.trace?.traceparent,
            remaining: actorSystem.remainingTime == nil ? nil : Double(seconds) + Double(attoseconds) / 1e18)
    }

    /// Asks another node's actor: what travels along travels on.
    distributed func lookThrough(_ other: ClusterActorID) async throws -> Seen {
        try await Echo.resolve(id: other, using: actorSystem).look()
    }

    /// Asks an actor that it was given.
    distributed func ask(_ other: Echo, _ text: String) async throws -> String { try await other.echo(text) }

    /// Gives back the actor that it was given.
    distributed func introduce(_ other: Echo) -> Echo { other }

    /// Takes any number of bytes and says how many.
    distributed func swallow(_ bytes: [UInt8]) -> Int { bytes.count }

    static let targets = [
        "$s17ActorClusterTests4EchoC11lookThroughyAC4SeenV0aB00bA2IDOYaKFTE",
        "$s17ActorClusterTests4EchoC3askySSAC_SStYaKFTE",
        "$s17ActorClusterTests4EchoC4echoyS2SYaKFTE",
        "$s17ActorClusterTests4EchoC4lookAC4SeenVyYaKFTE",
        "$s17ActorClusterTests4EchoC6linger12millisecondsSSSi_tYaKFTE",
        "$s17ActorClusterTests4EchoC6refuseyySSYaKFTE",
        "$s17ActorClusterTests4EchoC7swallowySiSays5UInt8VGYaKFTE",
        "$s17ActorClusterTests4EchoC9introduceyA2CYaKFTE",
    ]
}

/// Counts, under a key.
distributed actor Counter: Passivating {
    typealias ActorSystem = ClusterActorSystem

    private let effects: Effects
    private let clock: any Clock<Duration>
    private let key: String
    private var total = 0

    init(
        actorSystem: ClusterActorSystem, _ key: VirtualActorKey, _ effects: Effects,
        _ clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.actorSystem = actorSystem
        self.clock = clock
        self.effects = effects
        self.key = key.key
        effects.note(actorSystem.life.id.rawValue, key.key, "activated")
    }

    struct Count: Codable, Sendable, Hashable {
        var node: String
        var total: Int
    }

    distributed func add(_ amount: Int) -> Count {
        total += amount
        effects.note(actorSystem.life.id.rawValue, key, "added")
        effects.note(actorSystem.life.id.rawValue, key, "added \(amount)")
        return Count(node: actorSystem.life.id.rawValue, total: total)
    }

    /// As `add`, a while later.
    distributed func addLater(_ amount: Int, milliseconds: Int) async throws -> Count {
        try await clock.sleep(for: .milliseconds(milliseconds))
        return add(amount)
    }

    static let targets = [
        "$s17ActorClusterTests7CounterC3addyAC5CountVSiYaKFTE",
        "$s17ActorClusterTests7CounterC8addLater_12millisecondsAC5CountVSi_SitYaKFTE",
    ]

    func passivate(_ reason: PassivationReason) async {
        let why =
            switch reason {
            case .idle: "idle"
            case .moved: "moved"
            case .stopping: "stopping"
            }
        effects.note(actorSystem.life.id.rawValue, key, "asleep: \(why)")
    }
}
