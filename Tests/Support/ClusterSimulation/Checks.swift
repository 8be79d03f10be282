package import ActorCluster
import Membership

// What has to hold, and how to say that it does not. Each answers with violations: none is good.

extension ClusterWorld {
    /// All nodes that run hold one view, of exactly the nodes that run.
    package var agrees: Bool {
        let lives = running.map(\.life).sorted()
        return running.allSatisfy { node in
            guard let view = node.system.view else { return false }
            return view.members.map(\.life).sorted() == lives && view.digest == running.first?.system.view?.digest
        }
    }

    /// Nodes that run disagree, after the faults are over and time was given.
    package var disagreements: [String] {
        if agrees { return [] }
        return running.map { node in
            let members = node.system.view?.members.map { "\($0.life) \($0.status)" }.joined(separator: ", ")
            return "\(node.life) sees \(members ?? "nothing")"
        }
    }

    /// A view of a node that runs lacks a node that it had before and that runs too: somebody was buried alive. For
    /// scenarios in which nobody should be.
    package var falseDeaths: [String] {
        var found: [String] = []
        for node in running {
            for (before, after) in zip(node.views, node.views.dropFirst()) {
                for other in running where before[other.life.id]?.life == other.life && after[other.life.id] == nil {
                    found.append("\(node.life) lost \(other.life) in view \(after.number)")
                }
            }
        }
        return found
    }

    /// Views of one life are numbered upwards, and lives in them only grow.
    package var viewsOutOfOrder: [String] {
        var found: [String] = []
        for node in history {
            for (before, after) in zip(node.views, node.views.dropFirst()) {
                if after.number <= before.number {
                    found.append("\(node.life): view \(after.number) after \(before.number)")
                }
                for member in after.members {
                    if let earlier = before[member.id], earlier.life.epoch > member.life.epoch {
                        found.append("\(node.life): \(member.life) after \(earlier.life)")
                    }
                }
            }
        }
        return found
    }

    /// In a settled cluster a virtual actor is active on its owner or nowhere.
    package var misplacedActors: [String] {
        var found: [String] = []
        var holders: [VirtualActorKey: [String]] = [:]
        for node in running {
            for key in node.system.activeKeys {
                holders[key, default: []].append(node.name)
                let owner = node.system.owner(of: key)?.rawValue ?? "nobody"
                if owner != node.name { found.append("\(key) is active on \(node.name) and belongs to \(owner)") }
            }
        }
        for (key, names) in holders where names.count > 1 {
            found.append("\(key) is active on \(names.sorted().joined(separator: " and "))")
        }
        return found.sorted()
    }

    /// Everything that holds whatever was done to the cluster.
    package var violations: [String] {
        var found = viewsOutOfOrder + tap.violations
        if scheduler.foreignJobs > 0 { found.append("\(scheduler.foreignJobs) jobs came from other threads") }
        return found
    }

    /// Everything that holds when the faults are over and the cluster has settled.
    package var settledViolations: [String] { violations + disagreements + misplacedActors }

    /// What happened on all nodes that ever ran, added up.
    package var counts: [ClusterCounters] { history.map(\.system.counts) }

    /// The end of a report on a seed that failed.
    package func report(_ found: [String]) -> String {
        let logs = history.flatMap { $0.log.recent.suffix(60) }.joined(separator: "\n")
        return "\(seed.replay)\n\(found.prefix(20).joined(separator: "\n"))\nat \(scheduler.now), the logs say\n\(logs)"
    }
}
