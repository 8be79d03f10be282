package import ClipModel
import Media

/// How far a job has come and how long it will take, from the cost of its stages.
///
/// The weight of every kind of stage is fixed as soon as the length of the video is known: how many chunks and clips
/// there turn out to be only changes how that weight is split. So progress never goes back, but for work that is lost.
package struct JobProgress: Sendable, Hashable {
    /// 0 to 1.
    package let fraction: Double
    package let etaSeconds: Double?

    /// - Parameter running: how far the running stages are, 0 to 1.
    package init(job: Job, plan: JobPlan, running: [StageKey: Double], now: Timestamp) {
        guard job.status != .ready else {
            (fraction, etaSeconds) = (1, nil)
            return
        }
        guard !plan.isPublished || !plan.revisions.contains(where: { plan.standing(of: $0) == .open }) else {
            (fraction, etaSeconds) = Self.ofRevisions(job, plan, running)
            return
        }
        guard let duration = plan.durationSeconds else {
            let share = Self.done(StageKey(.scan), plan, running) + Self.done(StageKey(.probe), plan, running)
            (fraction, etaSeconds) = (share / 2 * Self.beforeProbe, nil)
            return
        }
        var total = 0.0
        var done = 0.0
        for name in StageName.allCases where name != .scan && name != .probe {
            let weight = Self.weight(name, durationSeconds: duration, options: job.options)
            total += weight
            done += weight * Self.share(name, plan, running)
        }
        let fraction = Self.beforeProbe + (1 - Self.beforeProbe) * done / total
        // Only `ready` is 1: a client that sees 100 % may go and fetch.
        self.fraction = min(fraction, 0.999)
        etaSeconds = job.status.hasEnded ? nil : Self.eta(job, done: done, total: total, now: now)
    }

    /// Of what is being revised, from 0 on again: what was done before counts no more.
    private static func ofRevisions(
        _ job: Job, _ plan: JobPlan, _ running: [StageKey: Double]
    ) -> (Double, Double?) {
        var (total, done) = (0.0, 0.0)
        for revision in plan.revisions where plan.standing(of: revision) == .open {
            for name in StageName.allCases where name.isOfClips || name == .publish {
                let cost = StageCost.seconds(name, over: revision.range.duration)
                total += cost
                done += cost * Self.done(StageKey(name, revision.slot), plan, running)
            }
        }
        let fraction = total > 0 ? min(done / total, 0.999) : 0
        return (fraction, job.status.hasEnded ? nil : (total - done).rounded())
    }

    /// The share of `scan` and `probe` together.
    private static let beforeProbe = 0.01

    /// What all stages of one kind cost together.
    private static func weight(_ name: StageName, durationSeconds: Double, options: JobOptions) -> Double {
        switch name {
        case .reframe, .render, .check, .thumbnail:
            Double(options.clipCount) * StageCost.seconds(name, over: min(durationSeconds, options.clipSeconds.middle))
        default: StageCost.seconds(name, over: durationSeconds)
        }
    }

    /// How much of all stages of one kind is done, 0 to 1.
    private static func share(_ name: StageName, _ plan: JobPlan, _ running: [StageKey: Double]) -> Double {
        guard name.fansOut else { return done(StageKey(name), plan, running) }
        let ranges = name == .transcribe ? plan.chunks : plan.highlights?.map(\.range)
        guard let ranges else { return 0 }
        let total = ranges.reduce(0) { $0 + $1.duration }
        guard total > 0 else { return 1 }
        return ranges.enumerated().reduce(0) { sum, item in
            let key = StageKey(name, item.offset)
            let isGivenUp = name != .transcribe && plan.chain(item.offset) == .failed
            return sum + item.element.duration / total * (isGivenUp ? 1 : done(key, plan, running))
        }
    }

    private static func done(_ key: StageKey, _ plan: JobPlan, _ running: [StageKey: Double]) -> Double {
        guard let stage = plan.stages[key] else { return 0 }
        switch stage.state {
        case .done, .failed, .cancelled: return 1
        case .ready: return 0
        case .running: return min(max(running[key] ?? 0, 0), 1)
        }
    }

    /// From the speed so far, once there is enough of it to judge; before that from the costs on one core. The time in
    /// which the job had ended, before it was tried again or revised, says nothing about speed.
    private static func eta(_ job: Job, done: Double, total: Double, now: Timestamp) -> Double {
        let rested = Double(job.restedMilliseconds) / 1000
        let elapsed = job.startedAt.map { now.seconds(since: $0) - rested } ?? 0
        let speed = elapsed > 5 && done / total > 0.05 ? done / elapsed : 1
        return ((total - done) / max(speed, 0.05)).rounded()
    }
}
