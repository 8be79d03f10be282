import NIOCore
import Synchronization

/// The open connections of a node's door: whose they are, how many each address has, and how they fare.
final class ConnectionTable: Sendable {
    /// What the metrics tell.
    struct Counts: Sendable {
        var open = 0
        /// Closed for being too slow, by reason, and those that were turned away.
        var closed: [String: UInt64] = [:]
    }

    /// Connections from one address that are too many, as a reason in the metrics.
    static let tooMany = "too_many_of_address"

    private struct State {
        var connections: [ObjectIdentifier: Connection] = [:]
        var perAddress: [String: Int] = [:]
        var counts = Counts()
    }

    let limits: ConnectionPace.Limits
    /// Seconds since the door was made.
    let now: @Sendable () -> Double
    private let perAddressMax: Int
    private let proxies: TrustedProxies
    private let state = Mutex(State())

    init(
        limits: ConnectionPace.Limits, perAddressMax: Int, proxies: TrustedProxies,
        now: @escaping @Sendable () -> Double
    ) {
        self.limits = limits
        self.perAddressMax = perAddressMax
        self.proxies = proxies
        self.now = now
    }

    /// Takes a connection in; nil when its address has too many. The connection leaves when its channel closes.
    func enter(_ channel: any Channel) -> Connection? {
        let address = channel.remoteAddress?.ipAddress ?? "local"
        let connection = Connection(channel, address: address, pace: ConnectionPace(limits, now: now()), now: now)
        let isIn = state.withLock { state in
            guard count(&state, address) else { return false }
            state.connections[ObjectIdentifier(channel)] = connection
            state.counts.open += 1
            return true
        }
        guard isIn else { return nil }
        channel.closeFuture.whenComplete { _ in self.leave(channel) }
        return connection
    }

    /// The proxy in front says who the client is: it counts as that client's from now on. False: the client has too
    /// many.
    func rename(_ connection: Connection, to address: String) -> Bool {
        state.withLock { state in
            uncount(&state, connection.address)
            let isIn = count(&state, address)
            // Counted or not, it leaves under this name.
            if !isIn { state.perAddress[Self.group(address), default: 0] += 1 }
            connection.rename(address)
            return isIn
        }
    }

    /// The connection of a channel, or of the one that it is a stream of (HTTP/2).
    func connection(of channel: any Channel) -> (connection: Connection, isStream: Bool)? {
        state.withLock { state in
            if let connection = state.connections[ObjectIdentifier(channel)] { return (connection, false) }
            guard let parent = channel.parent else { return nil }
            return state.connections[ObjectIdentifier(parent)].map { ($0, true) }
        }
    }

    /// Closes what is too slow. Called every second or so.
    func sweep() {
        let now = now()
        for connection in state.withLock({ Array($0.connections.values) }) {
            guard let fault = connection.pace({ $0.fault(now: now) }) else { continue }
            note(fault.rawValue)
            connection.channel.close(promise: nil)
        }
    }

    /// The node has waited long enough for those that are left.
    func closeAll() {
        for connection in state.withLock({ Array($0.connections.values) }) { connection.channel.close(promise: nil) }
    }

    func note(_ reason: String) { state.withLock { $0.counts.closed[reason, default: 0] += 1 } }

    var counts: Counts { state.withLock { $0.counts } }

    private func leave(_ channel: any Channel) {
        state.withLock { state in
            guard let connection = state.connections.removeValue(forKey: ObjectIdentifier(channel)) else { return }
            state.counts.open -= 1
            uncount(&state, connection.address)
        }
    }

    /// A proxy brings the connections of many clients and is not counted.
    private func count(_ state: inout State, _ address: String) -> Bool {
        guard !proxies.contains(address) else { return true }
        let group = Self.group(address), held = state.perAddress[group] ?? 0
        guard held < perAddressMax else { return false }
        state.perAddress[group] = held + 1
        return true
    }

    private func uncount(_ state: inout State, _ address: String) {
        guard !proxies.contains(address) else { return }
        let group = Self.group(address), held = state.perAddress[group] ?? 0
        state.perAddress[group] = held > 1 ? held - 1 : nil
    }

    private static func group(_ address: String) -> String { IPAddress(address)?.subject ?? address }
}

/// One open connection.
final class Connection: Sendable {
    let channel: any Channel
    private let now: @Sendable () -> Double
    private let state: Mutex<(pace: ConnectionPace, address: String)>

    init(_ channel: any Channel, address: String, pace: ConnectionPace, now: @escaping @Sendable () -> Double) {
        self.channel = channel
        self.now = now
        state = Mutex((pace: pace, address: address))
    }

    /// The client's, as far as the connection itself knows it: the other end's, or what a PROXY header said.
    var address: String { state.withLock { $0.address } }

    func rename(_ address: String) { state.withLock { $0.address = address } }

    func pace<Answer: Sendable>(_ change: (inout ConnectionPace) -> Answer) -> Answer {
        state.withLock { change(&$0.pace) }
    }

    /// The same with the time of now.
    func note(_ event: (inout ConnectionPace, Double) -> Void) {
        let now = now()
        state.withLock { event(&$0.pace, now) }
    }
}
