import Synchronization

/// What happened since the node started; every refusal has a count. Names are those of the metrics.
package struct ClusterCounters: Hashable, Sendable, Codable {
    /// By the code of the reason (`GoAway.Code`): handshakes that this node refused.
    package var handshakesRefused: [String: Int] = [:]
    /// Handshakes of ours that the peer refused.
    package var handshakesTurnedAway: [String: Int] = [:]
    /// By the case of `PeerConnectError`: dials that found no connection.
    package var dialsFailed: [String: Int] = [:]
    package var dials = 0
    package var connectionsEstablished = 0
    package var connectionsReplaced = 0
    /// By ending.
    package var connectionsEnded: [String: Int] = [:]
    package var protocolErrors = 0
    package var silentConnections = 0

    package var callsSent = 0
    package var callsLocal = 0
    package var callsServed = 0
    package var callsRefusedBusy = 0
    package var callsRefusedNotAllowed = 0
    package var callsRefusedNoSuchActor = 0
    package var callsRefusedWrongOwner = 0
    package var callsRedirected = 0
    /// Calls that took another lane because the first had ended before they left.
    package var callsMoved = 0
    package var callsExpired = 0
    package var cancelsSent = 0
    package var cancelsReceived = 0
    /// Replies that nobody waited for any more.
    package var repliesLate = 0

    package var gossipSent = 0
    package var gossipReceived = 0
    /// Messages that were not sent because there was no connection or no room, or not understood.
    package var gossipDropped = 0

    package var activations = 0
    package var activationsFailed = 0
    package var passivations = 0
    package var evictions = 0

    package var streamsOpened = 0
    package var streamsServed = 0
    package var streamsRefused = 0
}

extension ClusterCounters {
    /// One number that any thread raises.
    struct Cell: ~Copyable {
        private let number = Atomic<Int>(0)

        func count() { number.wrappingAdd(1, ordering: .relaxed) }
        var value: Int { number.load(ordering: .relaxed) }
    }

    /// Numbers by reason, of which there are few.
    struct Reasons: ~Copyable {
        private let numbers = Mutex<[String: Int]>([:])

        func count(_ reason: String) { numbers.withLock { $0[reason, default: 0] += 1 } }
        var value: [String: Int] { numbers.withLock { $0 } }
    }

    /// The living counters.
    final class Cells: Sendable {
        let handshakesRefused = Reasons()
        let handshakesTurnedAway = Reasons()
        let dialsFailed = Reasons()
        let dials = Cell()
        let connectionsEstablished = Cell()
        let connectionsReplaced = Cell()
        let connectionsEnded = Reasons()
        let protocolErrors = Cell()
        let silentConnections = Cell()
        let callsSent = Cell()
        let callsLocal = Cell()
        let callsServed = Cell()
        let callsRefusedBusy = Cell()
        let callsRefusedNotAllowed = Cell()
        let callsRefusedNoSuchActor = Cell()
        let callsRefusedWrongOwner = Cell()
        let callsRedirected = Cell()
        let callsMoved = Cell()
        let callsExpired = Cell()
        let cancelsSent = Cell()
        let cancelsReceived = Cell()
        let repliesLate = Cell()
        let gossipSent = Cell()
        let gossipReceived = Cell()
        let gossipDropped = Cell()
        let activations = Cell()
        let activationsFailed = Cell()
        let passivations = Cell()
        let evictions = Cell()
        let streamsOpened = Cell()
        let streamsServed = Cell()
        let streamsRefused = Cell()

        var snapshot: ClusterCounters {
            var now = ClusterCounters()
            now.handshakesRefused = handshakesRefused.value
            now.handshakesTurnedAway = handshakesTurnedAway.value
            now.dialsFailed = dialsFailed.value
            now.dials = dials.value
            now.connectionsEstablished = connectionsEstablished.value
            now.connectionsReplaced = connectionsReplaced.value
            now.connectionsEnded = connectionsEnded.value
            now.protocolErrors = protocolErrors.value
            now.silentConnections = silentConnections.value
            readCalls(into: &now)
            return now
        }

        private func readCalls(into now: inout ClusterCounters) {
            now.callsSent = callsSent.value
            now.callsLocal = callsLocal.value
            now.callsServed = callsServed.value
            now.callsRefusedBusy = callsRefusedBusy.value
            now.callsRefusedNotAllowed = callsRefusedNotAllowed.value
            now.callsRefusedNoSuchActor = callsRefusedNoSuchActor.value
            now.callsRefusedWrongOwner = callsRefusedWrongOwner.value
            now.callsRedirected = callsRedirected.value
            now.callsMoved = callsMoved.value
            now.callsExpired = callsExpired.value
            now.cancelsSent = cancelsSent.value
            now.cancelsReceived = cancelsReceived.value
            now.repliesLate = repliesLate.value
            now.gossipSent = gossipSent.value
            now.gossipReceived = gossipReceived.value
            now.gossipDropped = gossipDropped.value
            now.activations = activations.value
            now.activationsFailed = activationsFailed.value
            now.passivations = passivations.value
            now.evictions = evictions.value
            now.streamsOpened = streamsOpened.value
            now.streamsServed = streamsServed.value
            now.streamsRefused = streamsRefused.value
        }
    }
}
