package import ClipModel
import Stages
package import Store

extension JobExplanation {
    /// What is known of a job and of those who could work on it, at one moment.
    package struct Picture: Sendable {
        package var job: Job
        package var upload: Upload
        package var stages: [Stage]
        package var revisions: [Revision]
        /// Clips that the job was published without.
        package var missing: [MissingClip]
        package var waits: JobWaits
        package var nodes: [Node]
        /// Who lives as a member of the cluster, whatever the database says; nil: the asked node is in no cluster.
        package var members: Set<NodeID>?

        package init(
            job: Job, upload: Upload, stages: [Stage], revisions: [Revision] = [], missing: [MissingClip] = [],
            waits: JobWaits, nodes: [Node], members: Set<NodeID>? = nil
        ) {
            self.job = job
            self.upload = upload
            self.stages = stages
            self.revisions = revisions
            self.missing = missing
            self.waits = waits
            self.nodes = nodes
            self.members = members
        }
    }

    /// Pure, so that every node explains alike.
    package static func make(_ picture: Picture) -> JobExplanation {
        let hasEnded = picture.job.status.hasEnded
        let stages = hasEnded ? picture.endings : picture.job.isHeld ? [] : picture.reasons
        let reason =
            hasEnded ? picture.ending : picture.job.isHeld ? picture.held : headline(stages, of: picture.job)
        return JobExplanation(
            job: picture.job.id, status: picture.job.status, reason: reason, hint: picture.hint(for: reason),
            needsOperator: reason.code.needsOperator || picture.awaited(by: reason) != nil, stages: stages)
    }

    /// A job with a running stage does not wait; else it waits for what its first ready stage waits for.
    private static func headline(_ reasons: [Reason], of job: Job) -> Reason {
        let waiting = reasons.filter { $0.code != .otherStages && $0.code != .failed && $0.code != .abandoned }
        // Only between two writes of one node is there nothing that runs and nothing that could.
        return waiting.first { $0.code == .running } ?? waiting.first ?? reasons.first
            ?? Reason(.aboutToStart, "The next stage of \(job.id) is about to be opened.")
    }
}

extension JobExplanation.Picture {
    fileprivate typealias Reason = JobExplanation.Reason

    // MARK: What has ended

    fileprivate var ending: Reason {
        switch job.status {
        case .ready: missing.isEmpty ? Reason(.endedReady, "The job ended well\(moment).") : incomplete
        case .cancelled: Reason(.endedCancelled, "The job was cancelled\(moment).")
        case .error, .pending, .processing:
            Reason(
                .endedInError,
                "The job ended in an error\(moment)"
                    + (job.failure.map { " in \($0.stage): \($0.failure.reason)" } ?? "."),
                stage: job.failure?.stage,
                error: job.failure.map { JobView.ErrorView($0.failure, stage: $0.stage) })
        }
    }

    /// Ready all the same: what is published stands, whatever is missing beside it.
    private var incomplete: Reason {
        let lost = missing.map { "clip \($0.id.ordinal + 1) (\($0.stage): \($0.failure.reason))" }
        let first = missing.first
        return Reason(
            .endedReady, "The job ended well\(moment), but without \(lost.joined(separator: ", ")).",
            stage: first?.stage, error: first.map { JobView.ErrorView($0.failure, stage: $0.stage) })
    }

    private var moment: String { job.endedAt.map { " at \($0)" } ?? "" }

    fileprivate var endings: [Reason] { stages.compactMap { ended($0) } }

    private func ended(_ stage: Stage) -> Reason? {
        switch stage.state {
        case .failed:
            Reason(
                .failed, "It failed for good after \(plural(stage.attempts, "attempt")): \(reason(stage.failure))",
                stage: stage.key, error: error(of: stage))
        case .cancelled:
            Reason(.abandoned, "It was given up, because the job ended or could not use it.", stage: stage.key)
        case .ready, .running, .done: nil
        }
    }

    // MARK: What goes on

    fileprivate var held: Reason {
        Reason(
            .clientLimit,
            "Its client \(job.tenant) has as many jobs under way as it may; this one begins when one of them ends.")
    }

    fileprivate var reasons: [Reason] {
        var reasons = stages.compactMap { stage in
            switch stage.state {
            case .running: running(stage)
            case .ready: waiting(stage)
            case .failed, .cancelled: ended(stage)
            case .done: nil
            }
        }
        // A result that this version cannot read hides what comes later, not what is there.
        let plan = try? JobPlan(job: job, upload: upload, stages: stages, revisions: revisions)
        guard let plan else { return reasons }
        reasons += plan.keys.filter { plan.stages[$0] == nil }.map { unopened($0, plan) }
        return reasons
    }

    private func running(_ stage: Stage) -> Reason {
        let node = nodes.first { $0.id == stage.holder }
        let report = node?.running.first { $0.job == job.id && $0.key == stage.key && $0.epoch == stage.epoch }
        let name = stage.holder?.rawValue ?? "a node"
        guard node?.isAlive == true else {
            return Reason(
                .holderDead, "Its node \(name) has lost its lease; another takes the stage within seconds.",
                stage: stage.key, node: stage.holder)
        }
        return Reason(
            .running, "It runs on \(name), \(percent(report?.fraction ?? 0)) done, \(ordinal(stage.attempts)) attempt.",
            stage: stage.key, node: stage.holder, fraction: report?.fraction ?? 0)
    }

    private func waiting(_ stage: Stage) -> Reason {
        let wait = waits.stages.first { $0.key == stage.key } ?? JobWaits.StageWait(key: stage.key)
        // Without anybody to take it, no other wait would end in a start.
        guard !willing.isEmpty else { return withoutNodes(stage) }
        let wasTried = job.status != .pending || stage.failure != nil
        guard wait.opensIn == .zero || wasTried else { return deferred(stage, wait) }
        guard wait.opensIn == .zero else {
            let failure = stage.failure.map { " after \($0.code): \($0.reason)" } ?? ""
            return Reason(
                .retryLater, "It is tried again at \(stage.notBefore)\(failure)", stage: stage.key,
                seconds: seconds(wait.opensIn), error: error(of: stage))
        }
        // Paused ones claim nothing: they are nobody to wait for, and their threads are none to wait for.
        let takers = willing.filter { $0.condition.pause == nil }
        guard !takers.isEmpty else { return withoutRoom(stage) }
        let others = takers.filter { $0.id != wait.avoided }
        guard !others.isEmpty else {
            return Reason(
                .avoidedNodeOnly,
                "Only \(takers[0].id) takes work, and there it failed for want of a resource: \(reason(stage.failure)) "
                    + "It is offered to \(takers[0].id) again in \(whole(wait.avoidedFor)) s.\(pauses)",
                stage: stage.key, node: wait.avoided, seconds: seconds(wait.avoidedFor), error: error(of: stage))
        }
        return queued(stage, takers: others)
    }

    private func deferred(_ stage: Stage, _ wait: JobWaits.StageWait) -> Reason {
        let level = nodes.first { $0.region == job.region && $0.isAlive && $0.condition.level ?? .normal > .normal }
        let why = level?.condition.levelReason.map { " \($0)" } ?? ""
        return Reason(
            .deferred,
            "It was deferred because \(job.region) had too much to do when it came; it begins when there is room, and "
                + "at \(stage.notBefore) at the latest.\(why)", stage: stage.key, seconds: seconds(wait.opensIn))
    }

    private func withoutRoom(_ stage: Stage) -> Reason {
        Reason(.nodesWithoutRoom, "No node has room for one more stage.\(pauses)", stage: stage.key)
    }

    /// Nodes that may take work. Some of them may claim nothing for now.
    private var willing: [Node] { nodes.filter { $0.isAlive && $0.schedulability == .schedulable } }

    /// Of these, the ones without the memory, the disk or a thread for one more stage.
    private var paused: [Node] { willing.filter { $0.condition.pause != nil } }

    /// Sentences to go behind others: who would take it too, and why not.
    private var pauses: String {
        paused.compactMap { node in
            node.condition.pause.map { " \(node.id) claims nothing since \($0.since): \($0.reason)" }
        }.joined()
    }

    /// What to do about that, to go behind what else can be done.
    private var roomHint: String {
        guard !paused.isEmpty else { return "" }
        let names = paused.map(\.id.rawValue).joined(separator: ", ")
        return " Give \(names) what the text says is missing; it goes on by itself then."
    }

    private func withoutNodes(_ stage: Stage) -> Reason {
        let living = nodes.filter(\.isAlive)
        if let first = living.first {
            let wanted = Set(living.map(\.schedulability.rawValue)).sorted().joined(separator: " or ")
            let who =
                living.count == 1 ? "The only living node, \(first.id), is" : "All \(living.count) living nodes are"
            return Reason(
                .noSchedulableNode, "\(who) \(wanted): no region has a node that takes work.", stage: stage.key)
        }
        if let members, !members.isEmpty {
            return Reason(
                .nodesWithoutDatabase,
                "\(plural(members.count, "node")) (\(members.sorted().map(\.rawValue).joined(separator: ", "))) of "
                    + "the cluster live, and none renews its lease in the database.", stage: stage.key)
        }
        return Reason(.noLivingNode, "No node lives in any region.", stage: stage.key)
    }

    private func queued(_ stage: Stage, takers: [Node]) -> Reason {
        let near = takers.filter { $0.region == job.region }
        let isRipe = waits.stages.first { $0.key == stage.key }?.isRipe ?? false
        let ahead = ahead(of: stage.key, takers: takers, isNear: !near.isEmpty, isRipe: isRipe)
        guard !near.isEmpty else {
            let regions = Set(takers.map(\.region.rawValue)).sorted().joined(separator: ", ")
            return Reason(
                .homeRegionWithoutNode,
                "No node of its region \(job.region) takes work; those of \(regions) take it "
                    + (isRipe ? "as their own. " : "after their own, and as their own when it has waited longer. ")
                    + place(ahead) + pauses, stage: stage.key, ahead: ahead)
        }
        let delay = delayed(stage, by: isRipe ? takers : near)
        // A node with nothing to do may still find every core of its machine in use by its neighbours.
        let idle = takers.first { $0.running.isEmpty && (delay == nil || !delaysBatch($0)) }
        if ahead == 0, let idle {
            return Reason(
                .aboutToStart, "Nothing is before it, and \(idle.id) has nothing to do: it starts within seconds.",
                stage: stage.key, ahead: 0)
        }
        if let delay { return delay }
        let threads = near.reduce(0) { $0 + $1.threads }
        return Reason(
            .freeThread,
            "It waits for one of \(plural(threads, "thread")) of \(plural(near.count, "node")) in \(job.region). "
                + place(ahead) + pauses, stage: stage.key, ahead: ahead)
    }

    /// A batch job that all who claim it by its rank pass over for interactive ones, but for one claim in
    /// `BatchDelay.period`. Those are of any region: nodes take even what is left to others before a batch job.
    private func delayed(_ stage: Stage, by claimants: [Node]) -> Reason? {
        let others = waits.crowds.reduce(0) { $0 + ($1.priority == .interactive ? $1.stages : 0) }
        guard job.priority == .batch, others > 0, claimants.allSatisfy(delaysBatch) else { return nil }
        let own = waits.stages.count { $0.key < stage.key && $0.opensIn == .zero }
        let ahead = waits.crowds.filter { $0.priority == .batch }.reduce(own + others) {
            $0 + ($1.region == job.region ? $1.ahead : $1.ripeAhead)
        }
        let why = claimants.compactMap(\.condition.levelReason).first.map { " \($0)" } ?? ""
        return Reason(
            .batchDelayed,
            "It is a batch job, and \(job.region) has too much to do: \(plural(others, "stage")) of interactive jobs "
                + "go first. One claim in \(BatchDelay.period) of each node goes by rank alone.\(why)\(pauses)",
            stage: stage.key, ahead: ahead)
    }

    /// Whether it gives batch jobs only what nobody else wants.
    private func delaysBatch(_ node: Node) -> Bool { (node.condition.level ?? .normal) >= .delayBatch }

    /// How many stages are claimed before this one: those of earlier ranks in its region, and of its own job. Of other
    /// regions, those that have waited so long that everybody claims them. Where its region has nobody, the nodes of
    /// another first take all of theirs, until it is ripe itself; what counts is the region that is through first.
    private func ahead(of key: StageKey, takers: [Node], isNear: Bool, isRipe: Bool) -> Int {
        let own = waits.stages.count { $0.key < key && $0.opensIn == .zero }
        func byRank(in region: Region) -> Int {
            waits.crowds.reduce(own) { $0 + ($1.region == region ? $1.ahead : $1.ripeAhead) }
        }
        guard !isNear else { return byRank(in: job.region) }
        let costs = Set(takers.map(\.region)).map { region in
            isRipe
                ? byRank(in: region)
                : waits.crowds.reduce(own) { $0 + ($1.region == region ? $1.stages : $1.ahead) }
        }
        return costs.min() ?? own
    }

    private func unopened(_ key: StageKey, _ plan: JobPlan) -> Reason {
        let needs = plan.needs(key)?.filter { !plan.isDone($0) }
        guard let needs, !needs.isEmpty else {
            let last = key.name == .publish ? "all clips to end" : "stages that are not planned yet"
            return Reason(.otherStages, "It waits for \(last).", stage: key, waitsFor: [])
        }
        return Reason(
            .otherStages, "It waits for \(needs.map { described($0, plan) }.joined(separator: ", ")).", stage: key,
            waitsFor: needs.map(\.description))
    }

    private func described(_ key: StageKey, _ plan: JobPlan) -> String {
        guard let stage = plan.stages[key] else { return "\(key) (not open yet)" }
        switch stage.state {
        case .running:
            let reason = running(stage)
            return "\(key) (on \(reason.node ?? "a node"), \(percent(reason.fraction ?? 0)))"
        case .ready: return "\(key) (waiting)"
        case .done, .failed, .cancelled: return "\(key) (\(stage.state.rawValue))"
        }
    }

    // MARK: Words

    fileprivate func hint(for reason: Reason) -> String {
        switch reason.code {
        case .endedReady: missing.isEmpty ? "Its clips can be downloaded." : missingHint
        case .endedCancelled: "Start a new job from the same upload."
        case .endedInError:
            "\(job.failure?.failure.hint ?? "") tijera jobs retry \(job.id) begins again where it failed."
        case .running, .holderDead, .aboutToStart, .otherStages, .failed, .abandoned: "Nothing needs to be done."
        case .deferred: "It starts by itself; another node, or more threads, would start it sooner."
        case .nodesWithoutRoom: "Give the nodes what the text says is missing, or start one elsewhere."
        case .freeThread, .batchDelayed:
            "It starts by itself; another node, or more threads, would start it sooner." + roomHint
        case .retryLater:
            (awaited(by: reason).map { $0.hint + " " } ?? "")
                + "It starts by itself; tijera jobs requeue \(job.id) \(reason.stage ?? "STAGE") tries it at once."
        case .avoidedNodeOnly:
            (awaited(by: reason)?.hint ?? "Start another node, or give this one what it lacks.") + roomHint
        case .clientLimit:
            "It begins by itself; tijera clients list tells the limit, tijera clients set \(job.tenant) changes it."
        case .homeRegionWithoutNode: "Start or uncordon a node of \(job.region) to have it sooner." + roomHint
        case .noSchedulableNode: "tijera cluster uncordon NODE lets one take work; tijera cluster status shows them."
        case .nodesWithoutDatabase: "Look at PostgreSQL and at the network between it and the nodes. Nothing is lost."
        case .noLivingNode: "Start a node: cluster/up, or tijera node. Nothing is lost."
        }
    }

    private var missingHint: String {
        let orders = missing.map { "tijera jobs requeue \(job.id) \($0.stage)" }
        return "\(missing.first?.failure.hint ?? "") \(orders.joined(separator: ", and ")) "
            + "\(missing.count == 1 ? "makes it" : "make them") again; the others can be downloaded."
    }

    /// What a stage failed with that waits for somebody to bring back what is missing (`Failure.waits`).
    fileprivate func awaited(by reason: Reason) -> Failure? {
        guard reason.code == .retryLater || reason.code == .avoidedNodeOnly,
            let failure = stages.first(where: { $0.key.description == reason.stage })?.failure
        else { return nil }
        return failure.waits ? failure : nil
    }

    private func place(_ ahead: Int) -> String {
        ahead == 0 ? "It is the next." : "\(plural(ahead, "stage")) \(ahead == 1 ? "is" : "are") before it."
    }

    private func reason(_ failure: Failure?) -> String { failure?.reason ?? "no reason is known." }

    private func error(of stage: Stage) -> JobView.ErrorView? {
        stage.failure.map { JobView.ErrorView($0, stage: stage.key) }
    }

    private func plural(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
    private func percent(_ fraction: Double) -> String { "\(Int((fraction * 100).rounded(.down))) %" }
    private func whole(_ duration: Duration) -> Int { Int(seconds(duration).rounded(.up)) }

    private func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    private func ordinal(_ number: Int) -> String {
        switch number {
        case ...1: "first"
        case 2: "second"
        case 3: "third"
        default: "\(number)th"
        }
    }
}
