package import ClipModel

/// How near a thing may come to going wrong before operators are told.
package struct HealthLimits: Sendable, Hashable {
    /// A certificate that ends sooner is reported, so that nodes do not lose each other one night. Default 14 days.
    package var certificateDaysMin: Int

    package init(certificateDaysMin: Int = 14) {
        precondition(certificateDaysMin >= 0, "\(certificateDaysMin) days are no limit")
        self.certificateDaysMin = certificateDaysMin
    }
}

extension ClusterHealth {
    /// Judges what a report shows. What the operator wants is no illness: it goes to the notes.
    package static func judge(
        nodes: [NodeReport], database: ClusterReport.Database, at now: Timestamp, limits: HealthLimits = HealthLimits()
    ) -> ClusterHealth {
        var reasons: [Finding] = []
        switch database.state {
        case .ok: break
        case .slow:
            reasons.append(Finding("database_slow", "The database did not answer in time."))
        case .down:
            reasons.append(
                Finding("database_down", "The database does not answer: \(database.detail ?? "no reason given")."))
        }
        for node in nodes { reasons += illnesses(of: node, at: now, limits) }
        reasons += regionsWithoutNodes(nodes)
        let levels = levels(nodes)
        reasons += levels.filter { $0.level >= .deferNew }.map(\.finding)
        let notes = levels.filter { $0.level < .deferNew }.map(\.finding) + nodes.flatMap(notes(on:))
        return ClusterHealth(isHealthy: reasons.isEmpty, reasons: reasons, notes: notes)
    }

    private static func illnesses(of node: NodeReport, at now: Timestamp, _ limits: HealthLimits) -> [Finding] {
        var found: [Finding] = []
        func add(_ code: String, _ text: String) { found.append(Finding(code, node: node.id, "\(node.id) \(text).")) }
        switch node.state {
        case .alive: break
        case .left: return []
        case .suspect: add("node_suspect", "did not answer a probe")
        case .unreachable: add("node_unreachable", "is a member and cannot be reached")
        case .unseen: add("node_unseen", "renews its lease but is no member as seen from here")
        case .dead:
            add("node_dead", "is gone without a goodbye")
            return found
        }
        if node.state != .unseen, node.holdsLease == false {
            add("lease_lost", "is a member but its lease in the database has run out, so it does no work")
        }
        if let pause = node.condition?.pause {
            add("claims_paused", "claims nothing since \(pause.since): \(pause.reason.dropLast())")
        }
        if let strangers = node.condition?.blobStrangers, !strangers.isEmpty {
            let names = strangers.map(\.rawValue).joined(separator: ", ")
            add("blobs_not_shared", "does not find the blobs of \(names): they keep them elsewhere")
        }
        if let outage = node.condition?.blobOutage {
            add("blobs_out_of_reach", "does not reach its blobs since \(outage.since): \(outage.reason)")
        }
        if node.agrees == false { add("disagrees", "finds other owners for keys than the asked node") }
        if let end = node.certificateExpiresAt {
            let days = (end.millisecondsSinceEpoch - now.millisecondsSinceEpoch) / 86_400_000
            if end <= now {
                add("certificate_expired", "has a certificate that ended \(end)")
            } else if days < limits.certificateDaysMin {
                add("certificate_ends", "has a certificate that ends in \(days) days, \(end)")
            }
        }
        return found
    }

    /// Regions in which nobody takes new work, so that it goes to others, or nowhere.
    private static func regionsWithoutNodes(_ nodes: [NodeReport]) -> [Finding] {
        let members = nodes.filter { [.alive, .suspect, .unreachable].contains($0.state) }
        return Set(members.map(\.region)).sorted().compactMap { region in
            let takesWork = members.contains {
                $0.region == region && $0.state == .alive && $0.schedulability == .schedulable
            }
            guard !takesWork else { return nil }
            return Finding("region_without_nodes", "No node of region \(region) takes new work.")
        }
    }

    /// The level of each region that is on one: the highest that a node of it sees, because nodes look at different
    /// moments and a disk may be one node's own.
    private static func levels(_ nodes: [NodeReport]) -> [(level: OverloadLevel, finding: Finding)] {
        var worst: [String: NodeReport] = [:]
        for node in nodes {
            guard let level = node.condition?.level, level > worst[node.region]?.condition?.level ?? .normal else {
                continue
            }
            worst[node.region] = node
        }
        return worst.sorted { $0.key < $1.key }.compactMap { region, node in
            guard let condition = node.condition, let level = condition.level else { return nil }
            let since = condition.levelSince.map { " since \($0)" } ?? ""
            let text =
                "Region \(region) \(level.meaning)\(since), as \(node.id) sees it. \(condition.levelReason ?? "")"
            return (level, Finding("overload_\(level.rawValue)", node: node.id, text))
        }
    }

    private static func notes(on node: NodeReport) -> [Finding] {
        guard node.state != .left, node.state != .dead else { return [] }
        var notes: [Finding] = []
        switch node.schedulability {
        case .schedulable: break
        case .cordoned: notes.append(Finding("node_cordoned", node: node.id, "\(node.id) is cordoned."))
        case .draining:
            let stages = node.load.map { $0.stages == 0 ? " and empty" : " and still runs \($0.stages) stages" } ?? ""
            notes.append(Finding("node_draining", node: node.id, "\(node.id) is draining\(stages)."))
        }
        // Connections are made when they are needed, so a missing one is no illness: a failing one shows in the state.
        if node.state == .alive, node.isConnected == false {
            notes.append(
                Finding("not_connected", node: node.id, "\(node.id) has no connection with the asked node."))
        }
        if node.obeys == false {
            notes.append(
                Finding(
                    "order_on_its_way", node: node.id,
                    "\(node.id) has not yet said that it is \(node.schedulability.rawValue)."))
        }
        return notes
    }
}

extension OverloadLevel {
    /// For people, after the name of a region.
    fileprivate var meaning: String {
        switch self {
        case .normal: "does all work as it comes"
        case .delayBatch: "lets batch jobs wait"
        case .sendAway: "sends new jobs to regions with more room"
        case .deferNew: "takes new jobs in and begins them later"
        case .refuse: "refuses clients' orders for new work"
        }
    }
}
