import ClipModel
import Logging
import Media
import Store
import Synchronization

/// What ends an attempt from outside: an order, a limit. And what becomes of one that does not let itself be ended.
extension Worker {
    enum Ending: Sendable {
        case outcome(StageOutcome)
        /// Stopped from outside. Nothing was made.
        case stopped
    }

    func carryOut(_ lease: StageLease, _ run: Run) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.leaveBehindIfStuck(lease, run) }
            let ending = await firstOf({ await self.attempt(lease, run) }) { await self.intervene(run) }
            let wasLeftBehind = run.ends()
            let hasWorked = if case .outcome(.reused) = ending { false } else { true }
            handBackThreads(of: run, hasWorked: hasWorked)
            if wasLeftBehind {
                letsGo(lease)
                await discardBlobs(of: lease)
            } else {
                if await tell(ending, lease, run) { await discardBlobs(of: lease) }
                ended(lease)
            }
        }
    }

    /// Waits for what may end an attempt before it ends itself.
    private func intervene(_ run: Run) async -> Ending {
        let ending = await firstOf({
            await run.stop.wait()
            return .stopped
        }) { await self.overdue(run) }
        // The attempt was first.
        guard !Task.isCancelled else { return .stopped }
        run.isEnded(with: ending)
        return ending
    }

    /// Returns when the attempt has broken a limit: that of silence holds from the claim on, the start-to-close one
    /// from when its work begins.
    private func overdue(_ run: Run) async -> Ending {
        let silence = configuration.silenceSecondsMax
        var stillness = Stillness(limitSeconds: silence, first: run.effort.signs)
        while true {
            var pause = Duration.seconds(stillness.secondsBetweenLooks)
            if let deadline = run.deadline {
                let rest = deadline.at - stopwatch.elapsed
                guard rest > .zero else { return .outcome(.failed(Self.timeLimitPassed(deadline.seconds))) }
                pause = min(pause, rest)
            }
            do { try await clock.sleep(for: pause) } catch { return .stopped }
            let isLate = run.deadline.map { $0.at <= stopwatch.elapsed } ?? false
            if stillness.saw(run.effort.signs, afterSeconds: pause / .seconds(1)), !isLate {
                return .outcome(.failed(Self.fellSilent(silence)))
            }
        }
    }

    /// A step that waits for a disk that is gone heeds no cancellation. What became of it is told all the same, so that
    /// others can do it; its threads stay taken until it ends.
    private func leaveBehindIfStuck(_ lease: StageLease, _ run: Run) async {
        await run.intervention.wait()
        guard let ending = run.imposed else { return }
        await run.over.wait(upTo: configuration.letGoAfter, on: clock)
        guard !Task.isCancelled, run.leaveBehind() else { return }
        stays(lease, run)
        // What it made stays until it makes no more.
        _ = await tell(ending, lease, run)
        ended(lease)
    }

    private func stays(_ lease: StageLease, _ run: Run) {
        stuck[lease] = run.state.withLock { $0.grant.threads }
        stuckSince = stuckSince ?? now()
        logger.error(
            "a stage does not end though it was stopped; others do it, and its threads are lost until it ends",
            metadata: ["job": "\(lease.job)", "stage": "\(lease.key)", "epoch": "\(lease.epoch)"])
    }

    /// It has ended after all.
    private func letsGo(_ lease: StageLease) {
        stuck[lease] = nil
        if stuck.isEmpty { stuckSince = nil }
        logger.notice("a stage that was stuck has ended", metadata: ["job": "\(lease.job)", "stage": "\(lease.key)"])
    }

    /// Every thread is held by what does not end.
    var standstill: NodeCondition.Pause? {
        guard let stuckSince, stuck.values.reduce(0, +) >= slots.budget else { return nil }
        return NodeCondition.Pause(
            code: "stages_stuck",
            reason: "Stopped steps that do not end hold all of its threads (\(slots.budget)); restart the node.",
            since: stuckSince)
    }

    private static func timeLimitPassed(_ seconds: Double) -> Failure {
        Failure(
            .transient, code: "stage_time_limit", reason: "A step took longer than its limit of \(Int(seconds)) s.",
            hint: "It is tried again; if this repeats, send the video as H.264 in MP4.")
    }

    /// Of the class for which another node goes first: this one may lack what the step waited for.
    private static func fellSilent(_ seconds: Double) -> Failure {
        Failure(
            .resource, code: "stage_silent", reason: "A step gave no sign of life for \(Int(seconds)) s.",
            hint: "It is tried again, elsewhere first; if this repeats, look at the disks of the node that ran it.")
    }
}

extension Worker.Run {
    var deadline: (at: Duration, seconds: Double)? { state.withLock { $0.deadline } }
    /// How the attempt was ended from outside, while it is not over.
    var imposed: Worker.Ending? { state.withLock { $0.isOver ? nil : $0.imposed } }

    func isEnded(with ending: Worker.Ending) {
        state.withLock { $0.imposed = ending }
        intervention.ring()
    }

    /// The attempt is over, by itself or not. True: nobody waits for it any more.
    func ends() -> Bool {
        let wasLeftBehind = state.withLock { state in
            state.isOver = true
            return state.isLeftBehind
        }
        intervention.ring()
        over.ring()
        return wasLeftBehind
    }

    /// Nobody waits any more for an attempt that goes on. False: it is over.
    func leaveBehind() -> Bool {
        state.withLock { state in
            state.isLeftBehind = !state.isOver
            return state.isLeftBehind
        }
    }
}
