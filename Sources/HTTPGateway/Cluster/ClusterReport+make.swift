package import ClipModel
import Membership
import Placement

extension ClusterReport {
    /// Puts together what memory and the database know.
    package static func make(
        _ snapshot: ClusterSnapshot, _ glance: NodeGlance.Reading, at now: Timestamp,
        limits: HealthLimits = HealthLimits()
    ) -> ClusterReport {
        let rows = Dictionary(uniqueKeysWithValues: (glance.nodes ?? []).map { ($0.id.rawValue, $0) })
        let members = Dictionary(uniqueKeysWithValues: snapshot.view.members.map { ($0.id.rawValue, $0) })
        let nodes = Set(rows.keys).union(members.keys).sorted().compactMap { name -> NodeReport? in
            if let member = members[name] { return report(member, rows[name], snapshot) }
            return rows[name].map(report(_:))
        }
        let database = Database(state: glance.state, ageSeconds: glance.ageSeconds, detail: glance.detail)
        return ClusterReport(
            cluster: snapshot.cluster, node: snapshot.local.id.rawValue, at: now,
            view: View(
                number: snapshot.view.number, digest: hexadecimal(snapshot.view.digest),
                members: snapshot.view.members.count, algorithm: snapshot.placement.policy.algorithmID,
                placementDigest: hexadecimal(snapshot.placement.digest)),
            database: database, nodes: nodes,
            health: .judge(nodes: nodes, database: database, at: now, limits: limits))
    }

    private static func report(_ member: Member, _ row: Node?, _ snapshot: ClusterSnapshot) -> NodeReport {
        let isLocal = member.id == snapshot.local.id
        let peer = snapshot.peers[member.id]
        let said = NodeSchedulability(member.metadata.schedulability)
        let metadata = member.metadata
        return NodeReport(
            id: member.id.rawValue, state: NodeReport.State(member.status), schedulability: row?.schedulability ?? said,
            obeys: row.map { $0.schedulability == said }, epoch: member.life.epoch, region: metadata.region,
            zone: metadata.zone.isEmpty ? nil : metadata.zone, version: metadata.version, http: metadata.httpAddress,
            peer: "\(metadata.peerAddress)", capacity: metadata.capacity, isLocal: isLocal,
            keyShare: snapshot.placement.keyShareAtHome(of: member.id), load: row.flatMap { NodeReport.Load($0) },
            condition: row.flatMap { $0.isAlive ? $0.condition : nil }, holdsLease: row?.isAlive, seenAt: row?.seenAt,
            startedAt: row?.startedAt,
            // A node has no link to itself and always agrees with itself.
            isConnected: isLocal ? nil : peer?.isConnected ?? false,
            roundTripMilliseconds: peer?.roundTrip.map { $0 / .milliseconds(1) },
            certificateExpiresAt: isLocal ? snapshot.certificateExpiresAt : peer?.certificateExpiresAt,
            agrees: isLocal ? nil : peer?.placementDigest.map { $0 == snapshot.placement.digest })
    }

    /// A node that is no member here.
    private static func report(_ row: Node) -> NodeReport {
        NodeReport(
            id: row.id.rawValue, state: row.isAlive ? .unseen : row.hasLeft ? .left : .dead,
            schedulability: row.schedulability, obeys: nil, epoch: nil, region: row.region.rawValue, zone: nil,
            version: row.version, http: row.http, peer: nil, capacity: nil, isLocal: false, keyShare: nil,
            load: row.isAlive ? NodeReport.Load(row) : nil, condition: row.isAlive ? row.condition : nil,
            holdsLease: row.isAlive, seenAt: row.seenAt,
            startedAt: row.startedAt, isConnected: nil, roundTripMilliseconds: nil, certificateExpiresAt: nil,
            agrees: nil)
    }
}

extension NodeReport.State {
    init(_ status: MemberStatus) {
        self =
            switch status {
            case .alive: .alive
            case .suspect: .suspect
            case .unreachable: .unreachable
            // Not in a view.
            case .dead: .dead
            case .left: .left
            }
    }
}

extension NodeReport.Load {
    init(_ row: Node) {
        self.init(stages: row.running.count, jobs: Set(row.running.map(\.job)).count, threads: row.threads)
    }
}

extension NodeSchedulability {
    init(_ schedulability: Schedulability) {
        self =
            switch schedulability {
            case .schedulable: .schedulable
            case .cordoned: .cordoned
            case .draining: .draining
            }
    }
}
