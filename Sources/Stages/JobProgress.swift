package import ClipModel
import Media

/// How far a job has come and how long it will take, from the cost of its stages.
///
/// The weight of every kind of stage is fixed as soon as the length of the video is known: how many chunks and clips
/// there turn out to be only changes how that weight is split. So progress never goes back, but for work that is lost.
///
/// The time left has nothing to keep to, so it is made of all that is known by now: `left / speed`, where `left` is
/// what the open stages take on the nodes there are (`MeasuredCosts`), and `speed` how many such seconds of work this
/// job did in a second: 2 where two of its stages run side by side, less than 1 where it waits for others.
package struct JobProgress: Sendable, Hashable {
    /// 0 to 1.
    package let fraction: Double
    package let etaSeconds: Double?

    /// - Parameters:
    ///   - running: how far the running stages are, 0 to 1.
    ///   - costs: what stages take on the nodes there are. The fraction knows nothing of it: it would go back.
    package init(
        job: Job, plan: JobPlan, running: [StageKey: Double], costs: MeasuredCosts = MeasuredCosts(), now: Timestamp
    ) {
        guard job.status != .ready else {
            (fraction, etaSeconds) = (1, nil)
            return
        }
        guard !plan.isPublished || !plan.revisions.contains(where: { plan.standing(of: $0) == .open }) else {
            (fraction, etaSeconds) = Self.ofRevisions(job, plan, running, costs, now)
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
        guard !job.status.hasEnded else {
            etaSeconds = nil
            return
        }
        let pieces = Self.pieces(plan, durationSeconds: duration, options: job.options, costs)
        // The time in which the job had ended, before it was tried again, says nothing about speed.
        let rested = Double(job.restedMilliseconds) / 1000
        let elapsed = job.startedAt.map { now.seconds(since: $0) - rested }
        etaSeconds = Self.timeLeft(pieces, plan, running, elapsed: elapsed ?? 0)
    }

    /// Of what is being revised, from 0 on again: what was done before counts no more.
    private static func ofRevisions(
        _ job: Job, _ plan: JobPlan, _ running: [StageKey: Double], _ costs: MeasuredCosts, _ now: Timestamp
    ) -> (Double, Double?) {
        var (total, done) = (0.0, 0.0)
        var pieces: [Piece] = []
        for revision in plan.revisions where plan.standing(of: revision) == .open {
            for name in StageName.allCases where name.isOfClips || name == .publish {
                let cost = StageCost.seconds(name, over: revision.range.duration)
                total += cost
                done += cost * Self.done(StageKey(name, revision.slot), plan, running)
                pieces.append(Piece(StageKey(name, revision.slot), seconds: cost * costs.factor(of: name)))
            }
        }
        let fraction = total > 0 ? min(done / total, 0.999) : 0
        guard !job.status.hasEnded else { return (fraction, nil) }
        // The job began long ago; what is done now began with the first of these stages.
        let began = pieces.compactMap { piece in piece.key.flatMap { plan.stages[$0]?.startedAt } }.min()
        return (fraction, timeLeft(pieces, plan, running, elapsed: began.map { now.seconds(since: $0) } ?? 0))
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

    // MARK: The time left

    /// One stage, or all of a kind while nobody knows how many there will be.
    private struct Piece {
        let key: StageKey?
        let seconds: Double

        init(_ key: StageKey?, seconds: Double) {
            self.key = key
            self.seconds = seconds
        }
    }

    private static func pieces(
        _ plan: JobPlan, durationSeconds: Double, options: JobOptions, _ costs: MeasuredCosts
    ) -> [Piece] {
        StageName.allCases.filter { $0 != .scan && $0 != .probe }.flatMap { name -> [Piece] in
            // What nobody listens to costs next to nothing.
            guard name != .transcribe || plan.listens else { return [] }
            let factor = costs.factor(of: name)
            let whole = factor * weight(name, durationSeconds: durationSeconds, options: options)
            guard name.fansOut else { return [Piece(StageKey(name), seconds: whole)] }
            let ranges = name == .transcribe ? plan.chunks : plan.highlights?.map(\.range)
            guard let ranges else { return [Piece(nil, seconds: whole)] }
            return ranges.enumerated().map { index, range in
                Piece(StageKey(name, index), seconds: factor * StageCost.seconds(name, over: range.duration))
            }
        }
    }

    /// From the speed so far, once there is enough of it to judge. Before that as if one stage ran after the other: of
    /// two guesses the later one is better, because time that shrinks disappoints nobody, and on a busy cluster it
    /// comes true. Results that were reused took no time and are no sign of speed.
    private static func timeLeft(
        _ pieces: [Piece], _ plan: JobPlan, _ running: [StageKey: Double], elapsed: Double
    ) -> Double {
        var (left, worked) = (0.0, 0.0)
        for piece in pieces {
            guard let key = piece.key else {
                left += piece.seconds
                continue
            }
            let isGivenUp = key.name.isOfClips && plan.chain(key.index) == .failed
            left += isGivenUp ? 0 : piece.seconds * (1 - done(key, plan, running))
            worked += piece.seconds * Self.worked(key, plan, running)
        }
        let isTelling = elapsed > 5 && worked > 0.05 * (worked + left)
        return (left / (isTelling ? max(worked / elapsed, 0.05) : 1)).rounded()
    }

    /// How much of a stage this job has made itself, 0 to 1.
    private static func worked(_ key: StageKey, _ plan: JobPlan, _ running: [StageKey: Double]) -> Double {
        guard let stage = plan.stages[key], stage.state == .running || (stage.state == .done && !stage.reused) else {
            return 0
        }
        return done(key, plan, running)
    }
}
