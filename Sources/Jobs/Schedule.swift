package import ClipModel
import Stages
package import Store

/// Who gets another try, and when. What follows from success is the pipeline's to say.
package struct Schedule: Sendable, Hashable {
    /// Tries at one stage, the first included, before its failure counts. Default 4.
    package var attemptsMax: Int
    /// A stage whose node died under it so often is taken to have killed it. Higher than `attemptsMax`, since nodes
    /// also die of other things. Default 6.
    package var crashesMax: Int
    /// Bounds of the wait before another try, in seconds. Default 1 and 30.
    package var delaySecondsMin: Double
    package var delaySecondsMax: Double

    package init(
        attemptsMax: Int = 4, crashesMax: Int = 6, delaySecondsMin: Double = 1, delaySecondsMax: Double = 30
    ) {
        precondition(attemptsMax > 0 && crashesMax >= attemptsMax, "\(attemptsMax) attempts, \(crashesMax) crashes")
        precondition(0 <= delaySecondsMin && delaySecondsMin <= delaySecondsMax, "delays out of order")
        self.attemptsMax = attemptsMax
        self.crashesMax = crashesMax
        self.delaySecondsMin = delaySecondsMin
        self.delaySecondsMax = delaySecondsMax
    }

    /// What follows from an outcome that the store has just applied.
    /// - Parameter chance: 0..<1, drawn once for this outcome, so that asking twice gives one answer.
    package func advance(_ snapshot: JobSnapshot, chance: Double) -> JobAdvance {
        if let stage = snapshot.stages.first(where: { $0.key == snapshot.changed }), stage.state == .failed,
            !snapshot.job.status.hasEnded, let failure = stage.failure,
            let delay = retryDelaySeconds(after: failure.class, attempts: stage.attempts, chance: chance)
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

    /// Why a stage that was just claimed must not be run at all; nil when it may.
    package func refusal(of lease: StageLease) -> Failure? {
        guard lease.attempts > crashesMax else { return nil }
        return Failure(
            .poison, code: "stage_crashed_repeatedly",
            reason: "The nodes that worked on this step stopped \(lease.attempts - 1) times in the middle of it.",
            hint: "If nodes were restarted or cut off meanwhile, retry the job; else convert the video to H.264 in MP4 "
                + "and upload that. Operators find the end of each node in its log.")
    }
}
