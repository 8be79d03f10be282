import Logging
import Membership
import WireProtocol

/// Gossip to and from one peer.
final class ControlLane: LaneTraffic {
    let connection: LaneConnection
    private let system: ClusterActorSystem

    init(_ connection: LaneConnection, _ system: ClusterActorSystem) {
        self.connection = connection
        self.system = system
    }

    /// `payload` is an encoded message. A lane that does not take it loses it: gossip is made to bear that.
    func send(_ payload: [UInt8]) -> Bool {
        var bytes: [UInt8] = []
        guard (try? connection.session.writer.append(Frame(.gossip, payload: payload[...]), to: &bytes)) != nil else {
            return false
        }
        return connection.outbox.post(bytes)
    }

    func start(in group: inout DiscardingTaskGroup) {}

    func received(_ frame: Frame, at now: Duration, in group: inout DiscardingTaskGroup) throws(WireError) {
        guard frame.kind == .gossip else {
            throw WireError(.unexpectedFrame, "a \(frame.kind) on a lane for gossip")
        }
        system.counters.gossipReceived.count()
        let message: MembershipMessage
        do {
            message = try WireDecoder().decode(MembershipMessage.self, from: frame.payload)
        } catch {
            // A newer release may say what we do not understand; what both understand goes on.
            system.counters.gossipDropped.count()
            system.log.debug(
                "gossip not understood", metadata: ["peer": "\(connection.peer)", "reason": "\(error)"])
            return
        }
        if !system.membership.tell(.received(message, from: connection.peer)) { system.counters.gossipDropped.count() }
    }

    func lost() {}
}
