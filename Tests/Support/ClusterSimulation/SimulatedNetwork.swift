import Synchronization
import WireProtocol

/// A network between nodes: connections that deliver in order or not at all, as TCP's do, on paths that are slow,
/// lossy, cut in one direction, clogged or reset.
///
/// What is lost on the way is sent again by TCP, so loss is delay here; order inside a connection holds, and messages
/// of different connections overtake each other.
package final class SimulatedNetwork: Sendable {
    /// One direction between two machines.
    package struct Path: Hashable, Sendable {
        /// Time on the way, drawn evenly.
        package var delay = Duration.microseconds(100)...Duration.microseconds(500)
        /// How often a piece is lost and sent again, which takes `retransmission` each time.
        package var loss = 0.0
        package var retransmission = Duration.milliseconds(200)
        /// Nothing passes until it is mended; what was sent waits.
        package var isCut = false
        /// Nothing passes before this moment.
        package var cloggedUntil = Duration.zero
        /// How often a piece arrives in two parts.
        package var splits = 0.1
        /// How often a bit is turned on the way.
        package var flips = 0.0
        /// TLS notices a turned bit and closes the connection; without it the bit arrives.
        package var isAuthenticated = true

        package init() {}
    }

    /// What a machine answers to who connects.
    package enum Machine: Hashable, Sendable {
        /// The process listens.
        case listening
        /// The machine runs and the process does not: refused.
        case refusing
        /// The machine is off: silence.
        case silent
    }

    package struct Limits: Hashable, Sendable {
        package var outboundBytesMax = 1 << 20
        package var inboundBytesMax = 256 << 10
        package var connectTimeLimit = Duration.seconds(3)
    }

    struct Address: Hashable, Sendable {
        let host: String
        let port: Int
    }

    private struct State {
        var random: SeededGenerator
        var paths: [String: Path] = [:]
        var usual = Path()
        var listeners: [Address: SimulatedTransport.Listener] = [:]
        var machines: [String: Machine] = [:]
        /// Of every connection that stands, both ends, by their numbers.
        var connections: [Int: SimulatedConnection] = [:]
        var last = 0
        var counts = Counts()
    }

    /// How often things happened: a run that never meets a fault proves nothing.
    package struct Counts: Hashable, Sendable {
        package var connections = 0
        package var refusals = 0
        package var silences = 0
        package var pieces = 0
        package var losses = 0
        package var splits = 0
        package var flips = 0
        package var resets = 0
        package var waits = 0
    }

    package let scheduler: Scheduler
    package let limits: Limits
    private let state: Mutex<State>

    package init(_ scheduler: Scheduler, seed: UInt64, limits: Limits = Limits()) {
        self.scheduler = scheduler
        self.limits = limits
        state = Mutex(State(random: SeededGenerator(seed)))
    }

    package var counts: Counts { state.withLock { $0.counts } }

    // MARK: Faults

    /// Changes one direction.
    package func change(from one: String, to other: String, _ body: (inout Path) -> Void) {
        state.withLock { state in body(&state.paths["\(one)>\(other)", default: state.usual]) }
        for connection in standing(from: one, to: other) { connection.pathChanged() }
    }

    /// Changes all paths, those that were changed before too.
    package func changeAll(_ body: (inout Path) -> Void) {
        state.withLock { state in
            body(&state.usual)
            for key in state.paths.keys.sorted() { body(&state.paths[key, default: state.usual]) }
        }
        for connection in state.withLock({ $0.connections.sorted { $0.key < $1.key }.map(\.value) }) {
            connection.pathChanged()
        }
    }

    package func cut(_ one: String, _ other: String) {
        change(from: one, to: other) { $0.isCut = true }
        change(from: other, to: one) { $0.isCut = true }
    }

    package func mend(_ one: String, _ other: String) {
        change(from: one, to: other) { $0.isCut = false }
        change(from: other, to: one) { $0.isCut = false }
    }

    package func clog(from one: String, to other: String, for duration: Duration) {
        let until = scheduler.now + duration
        change(from: one, to: other) { $0.cloggedUntil = max($0.cloggedUntil, until) }
        scheduler.at(until) { for connection in self.standing(from: one, to: other) { connection.pathChanged() } }
    }

    /// Ends every connection between the two, as a firewall that forgets its table does.
    package func reset(_ one: String, _ other: String) {
        for connection in standing(from: one, to: other) + standing(from: other, to: one) {
            state.withLock { $0.counts.resets += 1 }
            connection.broken(SimulatedReset())
        }
    }

    /// What a machine answers from now on. When its process is gone, its kernel ends its connections; when it is off,
    /// nobody tells the peers.
    package func set(_ host: String, _ machine: Machine) {
        let ended = state.withLock { state -> [SimulatedConnection] in
            state.machines[host] = machine
            if machine == .listening { return [] }
            state.listeners = state.listeners.filter { $0.key.host != host }
            return state.connections.sorted { $0.key < $1.key }.map(\.value).filter { $0.host == host }
        }
        for connection in ended { connection.processEnded(tellingPeer: machine == .refusing) }
    }

    // MARK: What transports and connections use

    func path(from one: String, to other: String) -> Path {
        state.withLock { $0.paths["\(one)>\(other)"] ?? $0.usual }
    }

    func count(_ body: (inout Counts) -> Void) { state.withLock { body(&$0.counts) } }

    func draw<Answer: Sendable>(_ body: (inout SeededGenerator) -> Answer) -> Answer {
        state.withLock { body(&$0.random) }
    }

    func listen(_ address: Address, _ listener: SimulatedTransport.Listener) {
        state.withLock { state in
            state.listeners[address] = listener
            state.machines[address.host] = .listening
        }
    }

    func stopListening(_ address: Address, _ listener: SimulatedTransport.Listener) {
        state.withLock { state in
            if state.listeners[address] === listener { state.listeners[address] = nil }
        }
    }

    func answer(_ address: Address) -> (machine: Machine, listener: SimulatedTransport.Listener?) {
        state.withLock { ($0.machines[address.host] ?? .silent, $0.listeners[address]) }
    }

    func add(_ connection: SimulatedConnection) -> Int {
        state.withLock { state in
            state.last += 1
            state.connections[state.last] = connection
            return state.last
        }
    }

    func remove(_ number: Int) { state.withLock { $0.connections[number] = nil } }

    private func standing(from one: String, to other: String) -> [SimulatedConnection] {
        state.withLock { state in
            state.connections.sorted { $0.key < $1.key }.map(\.value).filter {
                $0.host == one && $0.peerHost == other
            }
        }
    }
}

/// The connection was reset.
package struct SimulatedReset: Error {}
