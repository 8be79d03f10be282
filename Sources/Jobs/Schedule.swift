package import ClipModel
import Stages
package import Store

/// Who gets another try, and when. What follows from success is the pipeline's to say.
package struct Schedule: Sendable, Hashable {
    /// Tries at one stage, the first included, before its failure counts. Those that a node died under are not among
    /// them. Default 4.
    package var attemptsMax: Int
    /// A stage whose node died under it so often is taken to have killed it. Higher than `attemptsMax`, since nodes
    /// also die of other things. Default 6.
    package var crashesMax: Int
    /// Bounds of the wait before another try, in seconds. Default 1 and 30.
    package var delaySecondsMin: Double
    package var delaySecondsMax: Double
    /// Longest wait for what is missing outside of the cluster, in seconds. Default 30: it is noticed within half a
    /// minute that it is back, and a thousand jobs that wait for it cost some 40 claims a second.
    package var waitSecondsMax: Double

    package init(
        attemptsMax: Int = 4, crashesMax: Int = 6, delaySecondsMin: Double = 1, delaySecondsMax: Double = 30,
        waitSecondsMax: Double = 30
    ) {
        precondition(attemptsMax > 0 && crashesMax >= attemptsMax, "\(attemptsMax) attempts, \(crashesMax) crashes")
        precondition(0 <= delaySecondsMin && delaySecondsMin <= delaySecondsMax, "delays out of order")
        self.attemptsMax = attemptsMax
        self.crashesMax = crashesMax
        self.delaySecondsMin = delaySecondsMin
        self.delaySecondsMax = delaySecondsMax
        self.waitSecondsMax = max(delaySecondsMin, waitSecondsMax)
    }

    /// What follows from an outcome that the store has just applied.
    /// - Parameter chance: 0..<1, drawn once for this outcome, so that asking twice gives one answer.
    package func advance(_ snapshot: JobSnapshot, chance: Double) -> JobAdvance {
        if let stage = snapshot.stages.first(where: { $0.key == snapshot.changed }), stage.state == .failed,
            !snapshot.job.status.hasEnded, let failure = stage.failure,
            let delay =
                failure.waits && !stage.hasWaitedLongEnough(at: snapshot.now)
                ? waitSeconds(waitedFor: snapshot.now.seconds(since: stage.openedAt), chance: chance)
                : retryDelaySeconds(after: failure.class, attempts: stage.attempts - stage.crashes, chance: chance)
        {
            var advance = JobAdvance()
            advance.reopen[stage.key] = delay
            return advance
        }
        return Pipeline.advance(snapshot)
    }

    /// Seconds until the next try; nil when there is none.
    ///
    /// Decorrelated jitter: between the least delay and three times the one before, here without memory of the one
    /// before, which was at most `delaySecondsMin * 3^(attempts - 1)`. Stages that failed together come back apart.
    /// - Parameter attempts: without those that a node died under.
    package func retryDelaySeconds(after failure: Failure.Class, attempts: Int, chance: Double) -> Double? {
        switch failure {
        case .poison, .cancelled: return nil
        case .transient, .resource:
            guard attempts < attemptsMax else { return nil }
            var ceiling = delaySecondsMin
            for _ in 0..<max(1, attempts) { ceiling = min(delaySecondsMax, ceiling * 3) }
            return min(delaySecondsMax, delaySecondsMin + chance * (ceiling - delaySecondsMin))
        }
    }

    /// Seconds until what waits is tried again, for as long as it does (`Stage.hasWaitedLongEnough`). A quarter of what
    /// it has waited for already, so that waits grow without anybody counting them, with jitter of a quarter to either
    /// side.
    package func waitSeconds(waitedFor seconds: Double, chance: Double) -> Double {
        let middle = min(waitSecondsMax, max(delaySecondsMin, seconds / 4))
        return middle * (0.75 + 0.5 * chance)
    }

    /// Why a stage that was just claimed must not be run at all; nil when it may.
    package func refusal(of lease: StageLease) -> Failure? {
        guard lease.crashes >= crashesMax else { return nil }
        return Failure(
            .poison, code: "stage_crashed_repeatedly",
            reason: "The nodes that worked on this step stopped \(lease.crashes) times in the middle of it.",
            hint: "If nodes were restarted or cut off meanwhile, retry the job; else convert the video to H.264 in MP4 "
                + "and upload that. Operators find the end of each node in its log.")
    }
}
