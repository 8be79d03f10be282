package import Membership
package import Placement
package import WireProtocol

/// Everything a node of the actor cluster is told. The limits of single connections are in `wire`, the intervals of
/// gossip in `membership`.
package struct ClusterConfiguration: Sendable {
    /// Nodes of two clusters never talk, even where certificates would let them: a staging node with a production
    /// address is turned away. 1 to 64 bytes of visible ASCII.
    package var cluster: String
    /// This life of this node.
    package var life: MemberLife
    /// What the node tells of itself, its address for peers included.
    package var metadata: MemberMetadata

    /// The versions of the protocol that it speaks. Two nodes use the highest that both know, so a cluster goes over to
    /// a new one node by node.
    package var versions = VersionRange.spoken
    package var membership = MembershipConfiguration.lan
    package var placement = PlacementPolicy()
    /// `callsInFlightMax` holds for one peer: its call lanes share it.
    package var wire = WireLimits()
    package var keepalive = Keepalive.Settings()
    /// Values in arguments and answers.
    package var coding = CodingLimits()

    /// Connections for calls to each peer; 1. More lets one peer's calls use more than one core of TLS.
    package var callLanes = 1

    /// Time for a call whose caller has set none, from `withTimeLimit`; 10 s. A caller that waits for ever holds
    /// whatever it holds for ever.
    package var callTimeLimit = Duration.seconds(10)

    /// How late the end of a call's time may be noticed; 10 ms. There is no timer per call: a loop looks this often
    /// while calls are under way.
    package var deadlineResolution = Duration.milliseconds(10)

    /// What a `busy` answer says about when to try again; 50 ms.
    package var busyRetryAfter = Duration.milliseconds(50)

    /// Bytes that wait for a connection that does not take more, before senders wait; 4 MiB. At twice as much the
    /// connection is closed: its peer does not read, and would have this node hold everything that it is sent.
    package var heldBytesMax = 4 << 20

    /// Pauses between attempts to connect to a peer: decorrelated jitter between these, so that a peer which comes back
    /// is not called by everybody at the same moment.
    package var redialPause = Duration.milliseconds(50)...Duration.seconds(2)

    /// A connection that stood as long as this was a good one: after it is lost the first attempt is made at once; 1 s.
    package var stableAfter = Duration.seconds(1)

    /// Membership events that wait for the loop; 4,096. Beyond it gossip is dropped, which gossip is made to bear.
    package var membershipInboxMax = 4096

    /// Virtual actors that are active here; 100,000. The next activation is refused as `busy`: keys come from clients,
    /// and a client that invents keys must not take the memory.
    package var activationsMax = 100_000

    /// From the first message to an active actor; 10 s. A factory that hangs would let callers wait for it one after
    /// the other.
    package var activationTimeLimit = Duration.seconds(10)

    /// A virtual actor without calls for this long is put to sleep; 60 s.
    package var idleLimit = Duration.seconds(60)

    /// How long a node that stops waits for the calls that run here; 5 s.
    package var drainTimeLimit = Duration.seconds(5)

    /// How long a connection that was replaced while in use may go on with what is under way on it; 60 s.
    package var retiringTimeLimit = Duration.seconds(60)

    /// Tasks that wait for the end of a node's life; 10,000.
    package var watchersMax = 10_000

    package init(cluster: String, life: MemberLife, metadata: MemberMetadata) {
        precondition(LocalIdentity.isCluster(cluster), "\(cluster) is not a cluster's name")
        self.cluster = cluster
        self.life = life
        self.metadata = metadata
    }

    /// Fails on values that contradict each other.
    func validate() {
        precondition(1...16 ~= callLanes, "\(callLanes) call lanes")
        precondition(wire.callsInFlightMax >= callLanes, "\(wire.callsInFlightMax) calls on \(callLanes) lanes")
        precondition(callTimeLimit > .zero, "calls have \(callTimeLimit)")
        precondition(deadlineResolution > .zero, "a deadline resolution of \(deadlineResolution)")
        precondition(redialPause.lowerBound > .zero, "a pause of \(redialPause)")
        precondition(idleLimit > .zero, "an idle limit of \(idleLimit)")
    }
}
