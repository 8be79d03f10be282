import Blobs
import ClipModel
import ClusterSimulation
import Foundation
import Jobs
import Store
import StoreModel

/// What has to hold. Each answers with violations: none is good.
extension JobsWorld {
    /// Lets the healed cluster finish, and says what is wrong then.
    func finish(atMost limit: Duration = .seconds(400)) -> [String] {
        var waits = Waits()
        var next = now
        pass(limit) {
            guard now >= next else { return false }
            next = now + .milliseconds(100)
            waits.look(self)
            return told.all.open == 0 && isOver
        }
        let audit = world.beginOutside { [ledger] in await ledger.audit() }
        pass(.seconds(1)) { audit.isDone }
        let seen = [
            ledger.violations, unfinished, waits.violations, brokenPromises, overlaps, beyondLeases, beyondSlots,
            withoutInputs, missingBlobs, world.violations,
        ]
        return seen.flatMap { $0 }
    }

    private var isOver: Bool { ledger.jobs.allSatisfy { $0.status.hasEnded } && log.all.allSatisfy { $0.end != nil } }

    private var unfinished: [String] {
        var found: [String] = []
        for job in ledger.jobs {
            let open = ledger.stages(of: job.id).filter { !$0.state.hasEnded }
            let text = open.map { "\($0.key) \($0.state) epoch \($0.epoch)" }.joined(separator: ", ")
            if !job.status.hasEnded || !open.isEmpty { found.append("\(job.id) is \(job.status) for ever: \(text)") }
        }
        return found
    }

    private var brokenPromises: [String] {
        let said = told.all
        let known = Set(ledger.jobs.map(\.id))
        let lost = said.accepted.filter { !known.contains($0) && !said.deleted.contains($0) }
        let revived = ledger.jobs.filter { said.cancelled.contains($0.id) && $0.status != .cancelled }
        let missing = setting.jobs - Set(said.accepted).count
        var found = said.surprises
        found += lost.map { "\($0) was taken in and is lost" }
        found += revived.map { "\($0.id) was cancelled and is \($0.status)" }
        if missing > 0 { found.append("\(missing) jobs were never taken in") }
        if said.open > 0 { found.append("\(said.open) clients are not answered") }
        return found
    }

    // MARK: Leases

    /// How two attempts may overlap: the store took the stage from the first for a reason that is not time.
    private static func mayOverlap(_ ending: Ledger.Ending?) -> Bool {
        switch ending {
        case .seenDead, .ordered: true
        case .replaced, .reported, .expired, .left, nil: false
        }
    }

    /// Times within which two attempts at one stage worked at once, though the first should have stopped by itself.
    private var overlaps: [String] {
        var found: [String] = []
        for works in Dictionary(grouping: log.all, by: { "\($0.job) \($0.key)" }).values where works.count > 1 {
            let sorted = works.sorted { $0.epoch < $1.epoch }
            for (index, first) in sorted.enumerated() {
                for second in sorted[(index + 1)...] where shared(first, second) > Self.instant {
                    let lease = ledger.lease(first.job, first.key, first.epoch)
                    if Self.mayOverlap(lease?.ending) {
                        overlapsAllowed += 1
                    } else {
                        found.append(
                            "\(first.node) and \(second.node) both worked on \(first.key) of \(first.job) for "
                                + "\(shared(first, second)); the first lease \(String(describing: lease?.ending))")
                    }
                }
            }
        }
        return found.sorted()
    }

    private static let instant = Duration.milliseconds(5)

    private func shared(_ one: WorkLog.Work, _ other: WorkLog.Work) -> Duration {
        let (start, end) = (max(one.start, other.start), min(one.end ?? now, other.end ?? now))
        guard end > start else { return .zero }
        return min(
            log.activeTime(of: one.node, from: start, to: end), log.activeTime(of: other.node, from: start, to: end))
    }

    /// Work that went on when the store would have given it to another: beyond the last heartbeat by more than a lease,
    /// or for longer after its lease was taken than trust can last.
    private var beyondLeases: [String] {
        let lives = Dictionary(ledger.lives.map { ($0.epoch, $0) }) { first, _ in first }
        return log.all.flatMap { work -> [String] in
            let name = "\(work.key) of \(work.job) epoch \(work.epoch) on \(work.node)"
            guard let lease = ledger.lease(work.job, work.key, work.epoch), let life = lives[lease.nodeEpoch] else {
                return ["\(name) was worked on without a lease"]
            }
            var found: [String] = []
            let end = work.end ?? now
            let length = Duration.seconds(setting.worker.leaseSeconds)
            for (heard, next) in zip(life.renewals, life.renewals.dropFirst() + [Duration.seconds(1 << 40)]) {
                let (from, to) = (max(work.start, heard + length), min(end, next))
                let beyond = log.activeTime(of: work.node, from: from, to: to)
                if beyond > Self.instant { found.append("\(name) went on for \(beyond) beyond its lease") }
            }
            if let endedAt = lease.endedAt {
                let trust = length - setting.worker.leaseMargin + .milliseconds(10)
                let after = log.activeTime(of: work.node, from: max(work.start, endedAt), to: end)
                if after > trust { found.append("\(name) went on for \(after) after it was taken away") }
            }
            return found
        }
    }

    private var beyondSlots: [String] {
        var found: [String] = []
        for (node, works) in Dictionary(grouping: log.all, by: { "\($0.node)/\($0.life)" }) {
            for work in works {
                let together = works.filter { $0.start <= work.start && work.start < ($0.end ?? now) }
                let threads = together.reduce(0) { $0 + $1.threads }
                if threads > setting.threads { found.append("\(node) used \(threads) threads at \(work.start)") }
            }
        }
        return found.sorted()
    }

    private var withoutInputs: [String] {
        log.all.filter { !$0.hadInputs }.map { "\($0.key) of \($0.job) began before what it needs was done" }
    }

    private var missingBlobs: [String] {
        ledger.jobs.flatMap { job in
            ledger.stages(of: job.id).flatMap { $0.result?.blobs ?? [] }
                .filter { !FileManager.default.fileExists(atPath: "\(blobs.room.root)/objects/\($0)") }
                .map { "\($0) of \(job.id) is published and gone" }
        }
    }

    // MARK: Waiting

    /// Ready stages beside nodes with nothing to do, once everything is healed.
    struct Waits {
        /// What is left to a region, and a poll, with what a claim takes and some jitter.
        static let limit = Duration.seconds(4 + StoreLimits.homeSeconds)
        /// Until nodes that were hung have seen that their calls will not be answered, and have begun a new life.
        static let grace = Duration.seconds(30)
        private var since: [String: Duration] = [:]
        private var last = Duration.zero
        private(set) var violations: [String] = []

        mutating func look(_ world: JobsWorld) {
            guard world.now >= last + .milliseconds(200), world.now >= world.healedAt + Self.grace else { return }
            last = world.now
            let idle = world.world.names.filter { name in
                world.part(name).map { $0.slots.inUse < $0.slots.budget } ?? false
            }
            let ready = idle.isEmpty ? [] : world.ledger.readyStages(at: JobsWorld.wallTime(world.world.scheduler)())
            var waiting: [String: Duration] = [:]
            // One that failed for want of a resource is kept from one node for a while.
            for stage in ready where stage.failure?.class != .resource || idle.count > 1 {
                let name = "\(stage.key) of \(stage.job)"
                let start = since[name] ?? world.now
                waiting[name] = start
                if world.now - start > Self.limit, violations.count < 5 {
                    violations.append("\(name) has waited for \(world.now - start) beside idle \(idle)")
                    waiting[name] = world.now
                }
            }
            since = waiting
        }
    }

    /// The end of a report on a seed that failed.
    func report(_ found: [String]) -> String {
        "\(seed.replay)\n\(found.prefix(12).joined(separator: "\n"))\n"
            + (Self.isVerbose ? ledger.lines.joined(separator: "\n") : ledger.lines.suffix(40).joined(separator: "\n"))
    }
}
