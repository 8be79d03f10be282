import Logging
import Synchronization

/// What the transport has done and refused since its start.
package struct TransportCounters: Hashable, Sendable {
    package var accepted = 0
    package var dialled = 0
    package var dialsFailed = 0
    package var refusals: [PeerRefusal: Int] = [:]
    package var reloads = 0
    package var reloadsFailed = 0
    /// Proven connections, of both directions, that are open now.
    package var connections = 0
    /// Accepted connections that have not proved who they are yet.
    package var handshakes = 0
    /// Before encryption, and after decryption.
    package var bytesSent = 0
    package var bytesReceived = 0
}

/// Everybody who is connected, and the counts. Shared by all event loops.
final class Roster: Sendable {
    private struct State {
        var admission: Admission
        var counters = TransportCounters()
        var last = 0
        var members: [Int: TLSPeerConnection] = [:]
        var refusalLog = RefusalLog()
    }

    private let state: Mutex<State>
    private let logger: Logger
    private let elapsed: @Sendable () -> Duration

    /// `elapsed` is the time since any fixed moment.
    init(_ configuration: TLSTransportConfiguration, logger: Logger, elapsed: @escaping @Sendable () -> Duration) {
        state = Mutex(State(admission: Admission(configuration)))
        self.logger = logger
        self.elapsed = elapsed
    }

    var counters: TransportCounters {
        let (counters, members) = state.withLock { state in
            var counters = state.counters
            counters.connections = state.members.count
            counters.handshakes = state.admission.handshakes
            return (counters, Array(state.members.values))
        }
        return members.reduce(into: counters) { counters, member in
            counters.bytesSent += member.traffic.sent
            counters.bytesReceived += member.traffic.received
        }
    }

    var members: [TLSPeerConnection] { state.withLock { Array($0.members.values) } }

    func count(_ change: (inout TransportCounters) -> Void) { state.withLock { change(&$0.counters) } }

    /// A stranger knocked.
    func enter(_ address: String) -> RefusedPeer? { state.withLock { $0.admission.enter(address) } }

    func leave(_ address: String, hadProved: Bool) {
        state.withLock { $0.admission.leave(address, hadProved: hadProved) }
    }

    /// A connection has proved who it is. Answers the number under which it is removed.
    func add(_ connection: TLSPeerConnection) -> Int {
        let id = state.withLock { state in
            if connection.isAccepted {
                state.admission.prove()
                state.counters.accepted += 1
            } else {
                state.counters.dialled += 1
            }
            state.last += 1
            state.members[state.last] = connection
            return state.last
        }
        logger.debug("peer connected", metadata: connection.metadata)
        return id
    }

    func remove(_ id: Int, because failure: (any Error)?) {
        let connection = state.withLock { state in
            let connection = state.members.removeValue(forKey: id)
            if let traffic = connection?.traffic {
                state.counters.bytesSent += traffic.sent
                state.counters.bytesReceived += traffic.received
            }
            return connection
        }
        guard let connection else { return }
        var metadata = connection.metadata
        metadata["reason"] = failure.map { "\($0)" } ?? "closed"
        logger.debug("peer disconnected", metadata: metadata)
    }

    func refused(_ refusal: RefusedPeer, address: String, names: [String] = []) {
        let suppressed = state.withLock { state in
            state.counters.refusals[refusal.reason, default: 0] += 1
            return state.refusalLog.admit(refusal.reason, at: elapsed())
        }
        guard let suppressed else { return }
        var metadata: Logger.Metadata = [
            "reason": "\(refusal.reason.rawValue)", "detail": "\(refusal.detail)", "remote.address": "\(address)",
        ]
        if !names.isEmpty { metadata["peer.names"] = "\(names.joined(separator: ","))" }
        if suppressed > 0 { metadata["suppressed"] = "\(suppressed)" }
        logger.log(level: refusal.reason.isForOperators ? .warning : .info, "peer refused", metadata: metadata)
    }
}

/// Lets one line a second and reason through: a scanner must not fill the disk with our log.
package struct RefusalLog: Sendable {
    package static let interval: Duration = .seconds(1)
    private var spoken: [PeerRefusal: (at: Duration, suppressed: Int)] = [:]

    package init() {}

    /// How many lines were left out before this one; nil when this one is left out too.
    package mutating func admit(_ reason: PeerRefusal, at now: Duration) -> Int? {
        if let last = spoken[reason], now - last.at < Self.interval {
            spoken[reason]?.suppressed += 1
            return nil
        }
        defer { spoken[reason] = (now, 0) }
        return spoken[reason]?.suppressed ?? 0
    }
}

extension PeerRefusal {
    /// A member with wrong credentials, or a limit that is too low, needs somebody; a port scanner does not.
    var isForOperators: Bool {
        switch self {
        case .untrusted, .expired, .notYetValid, .nameless, .denied, .refusedByPeer, .tooManyConnections,
            .tooManyFromAddress:
            true
        case .noCertificate, .otherProtocol, .oldTLS, .plaintext, .handshakeFailed, .handshakeTimedOut,
            .tooManyHandshakes:
            false
        }
    }
}

extension TLSPeerConnection {
    var metadata: Logger.Metadata {
        [
            "peer.names": "\(certifiedNames.joined(separator: ","))", "remote.address": "\(remoteAddress)",
            "direction": isAccepted ? "accepted" : "dialled",
        ]
    }
}
