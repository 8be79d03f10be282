import ClipModel
import HTTPGateway
import Membership
import Placement

/// Three members in two regions, as `one` sees them, and whatever a test makes of them.
struct ClusterSample: Sendable {
    var members: [Member] = [
        member("one", region: "eu"), member("two", region: "eu"), member("three", region: "us", capacity: 4),
    ]
    var peers: [MemberID: PeerFacts] = [
        .named("two"): PeerFacts(
            isConnected: true, roundTrip: .microseconds(1500), certificateExpiresAt: .inDays(90),
            placementDigest: nil),
        .named("three"): PeerFacts(isConnected: true, roundTrip: .milliseconds(80), certificateExpiresAt: .inDays(90)),
    ]
    var certificateExpiresAt: Timestamp? = .inDays(90)

    static func member(
        _ name: String, region: String, status: MemberStatus = .alive, capacity: Int = 2,
        _ schedulability: Schedulability = .schedulable
    ) -> Member {
        Member(
            life: MemberLife(id: .named(name), epoch: 1_700_000_000_000), status: status,
            metadata: MemberMetadata(
                region: region, zone: "a", capacity: capacity, version: "1.2.3", httpAddress: "http://\(name)",
                peerAddress: PeerAddress(host: name, port: 7000), schedulability: schedulability))
    }

    mutating func set(_ name: String, status: MemberStatus = .alive, _ schedulability: Schedulability = .schedulable) {
        for index in members.indices where members[index].id.rawValue == name {
            members[index].status = status
            members[index].metadata.schedulability = schedulability
        }
    }

    var snapshot: ClusterSnapshot {
        let view = MembershipView(number: 7, members: members)
        return ClusterSnapshot(
            cluster: "test", local: members[0].life, view: view,
            placement: Placement(view, policy: PlacementPolicy(salt: "test")), peers: peers,
            certificateExpiresAt: certificateExpiresAt)
    }

    var inspection: ClusterInspection {
        let snapshot = snapshot
        return ClusterInspection { snapshot }
    }

    /// The rows that belong to the members, each with a held lease.
    var rows: [Node] { members.map { Self.row($0.id.rawValue, region: $0.metadata.region) } }

    static func row(
        _ name: String, region: String = "eu", isAlive: Bool = true, hasLeft: Bool = false,
        schedulability: NodeSchedulability = .schedulable
    ) -> Node {
        Node(
            id: NodeID(name)!, region: Region(region)!, epoch: 3, http: "http://\(name)", version: "1.2.3", threads: 2,
            startedAt: .sample, seenAt: .sample, isAlive: isAlive, hasLeft: hasLeft, schedulability: schedulability,
            running: [])
    }

    func report(_ rows: [Node]?, state: ClusterReport.Database.State = .ok) -> ClusterReport {
        .make(snapshot, NodeGlance.Reading(state: state, nodes: rows, ageSeconds: 0), at: .sample)
    }
}

extension MemberID { static func named(_ name: String) -> MemberID { MemberID(name)! } }

extension Timestamp {
    static let sample = Timestamp(millisecondsSinceEpoch: 1_800_000_000_000)
    static func inDays(_ days: Int) -> Timestamp { sample.advanced(bySeconds: Double(days) * 86_400) }
}
