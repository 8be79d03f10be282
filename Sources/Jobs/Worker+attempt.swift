import Blobs
import ClipModel
import Logging
import Media
import Stages
import Store
import Synchronization

/// One attempt at one stage: what is known, what is reused, what is run, what is reported.
extension Worker {
    /// What became of a report. `unknown`: the store did not answer for the rest of this life.
    enum Report: Sendable { case published, refused, unknown }

    private enum Preparation: Sendable {
        case reuse(ResultID)
        case work(StageInputs, cacheKey: String?)
        case jobGone
    }

    /// Tells what became of an attempt. True: what it made is nobody's.
    func tell(_ ending: Ending, _ lease: StageLease, _ run: Run) async -> Bool {
        switch ending {
        case .outcome(let outcome):
            let isProduct = if case .produced = outcome { true } else { false }
            if isProduct { measure(lease.key.name, run) }
            let report = await report(outcome, under: lease, effort: run.effort.total)
            if report == .published, let home = run.state.withLock({ $0.home }) { onChange(lease.job, home) }
            switch report {
            case .published: return !isProduct
            case .refused: return true
            // The report may have counted, so its blobs stay; the sweeper knows later.
            case .unknown: return false
            }
        case .stopped:
            if run.state.withLock({ $0.givesBack }) {
                await report(.released, under: lease, effort: run.effort.total)
            }
            return true
        }
    }

    /// Only of what was made: a failure may come at any moment, and reuse takes no time.
    private func measure(_ name: StageName, _ run: Run) {
        guard let work = run.state.withLock({ $0.work }) else { return }
        let took = (stopwatch.elapsed - work.startedAt) / .seconds(1)
        measuredCosts.record(name, took: took, expected: work.costSeconds)
    }

    // MARK: The attempt

    func attempt(_ lease: StageLease, _ run: Run) async -> Ending {
        do {
            switch try await prepare(lease, run) {
            case .jobGone: return .stopped
            case .reuse(let result): return .outcome(.reused(result))
            case .work(let inputs, let cacheKey):
                await gatherThreads(for: lease.key.name, run)
                return try await work(lease, run, inputs, cacheKey: cacheKey)
            }
        } catch {
            return ending(of: error, lease)
        }
    }

    private func prepare(_ lease: StageLease, _ run: Run) async throws -> Preparation {
        try await patiently(run) {
            guard let job = try await store.job(lease.job), let upload = try await store.upload(job.upload) else {
                return .jobGone
            }
            run.state.withLock { $0.home = job.region }
            let stages = try await store.stages(of: lease.job)
            let revisions = try await store.revisions(of: lease.job, with: stages)
            let edits = try await store.edits(of: StageInputs.revision(of: lease.key, in: revisions))
            let inputs = StageInputs(
                job: job, upload: upload, stages: stages, revisions: revisions, edits: edits, key: lease.key)
            guard let key = try await runner.cacheKey(inputs) else { return .work(inputs, cacheKey: nil) }
            guard let earlier = try await store.result(cachedUnder: key) else { return .work(inputs, cacheKey: key) }
            for blob in earlier.blobs where try await blobs.size(of: blob) == nil {
                // Published once more under the same key, the broken result would win again.
                return .work(inputs, cacheKey: nil)
            }
            return .reuse(earlier.id)
        }
    }

    /// Gives a stage that gets faster by them the threads that nothing else has asked for within a moment.
    private func gatherThreads(for name: StageName, _ run: Run) async {
        let wanted = StageCost.threadsMax(name)
        guard wanted > 1, slots.budget > 1 else { return }
        // Ends early only by cancellation, and then the work ends as well.
        try? await clock.sleep(for: configuration.gatherDelay)
        guard !Task.isCancelled else { return }
        run.state.withLock { $0.grant = slots.extended($0.grant, upTo: wanted) }
    }

    private func work(
        _ lease: StageLease, _ run: Run, _ inputs: StageInputs, cacheKey: String?
    ) async throws -> Ending {
        let limit = StageCost.limitSeconds(lease.key.name, over: inputs.workSeconds)
        let begun = stopwatch.elapsed
        run.state.withLock { state in
            state.work = inputs.costSeconds.map { (begun, $0) }
            state.deadline = (begun + .seconds(limit), limit)
        }
        return try await blobs.withScratch(named: "\(lease.key.name.rawValue)-\(lease.key.index)") { scratch in
            await self.produce(lease, run, inputs, cacheKey, scratch)
        }
    }

    private func produce(
        _ lease: StageLease, _ run: Run, _ inputs: StageInputs, _ cacheKey: String?, _ scratch: String
    ) async -> Ending {
        do {
            let threads = run.state.withLock { $0.grant.threads }
            let output = try await runner.run(
                StageRunner.Assignment(
                    inputs: inputs, attempt: StageAttempt(job: lease.job, key: lease.key, epoch: lease.epoch),
                    scratch: scratch, threads: threads, startedAt: now(), effort: run.effort,
                    progress: { fraction in
                        run.effort.beat()
                        // Never back, though a stage may try again from its beginning.
                        run.state.withLock { $0.fraction = max($0.fraction, min(fraction, 1)) }
                    }))
            let id = chance.draw { ResultID(at: now(), using: &$0) }
            return .outcome(
                .produced(StageResult(id: id, body: output.body, blobs: output.blobs, cacheKey: cacheKey)))
        } catch {
            return ending(of: error, lease)
        }
    }

    private func ending(of error: any Error, _ lease: StageLease) -> Ending {
        // Whoever cancelled knows why; what a dying tool says then means nothing.
        if Task.isCancelled { return .stopped }
        var failure = Failure(stageError: error)
        if failure.class == .cancelled { failure = Self.interrupted }
        logger.info(
            "stage failed",
            metadata: [
                "job": "\(lease.job)", "stage": "\(lease.key)", "attempt": "\(lease.attempts)",
                "failure": "\(failure.code)", "error": "\(error)",
            ])
        if failure.waits { onWaiting(failure) }
        return .outcome(.failed(failure))
    }

    // MARK: The report

    /// Tells the store, again and again while this life lasts.
    @discardableResult
    func report(_ outcome: StageOutcome, under lease: StageLease, effort: Effort? = nil) async -> Report {
        let (schedule, chance) = (configuration.schedule, chance.fraction())
        var outcome = outcome
        var failures = 0
        while true {
            do {
                let answer = try await store.complete(lease, with: outcome, effort: effort) {
                    schedule.advance($0, chance: chance)
                }
                switch answer {
                case .published(let orphans):
                    await remove(orphans)
                    return .published
                case .stale: return .refused
                }
            } catch let error as StoreError where error.code == .refused || error.code == .corrupt {
                logger.error("outcome refused", metadata: ["stage": "\(lease.key)", "error": "\(error)"])
                // Once: a store that does not even take the failure keeps the stage until this life ends.
                guard case .failed = outcome else {
                    outcome = .failed(Self.outcomeRefused)
                    continue
                }
                return .refused
            } catch {
                failures += 1
                guard machine.state != .over, !Task.isCancelled else { return .unknown }
                // Ends early only by cancellation, which the next round sees.
                try? await clock.sleep(for: delay(afterFailures: failures))
            }
        }
    }

    /// Repeats `body` while the store is away and this life lasts.
    private func patiently<Answer>(_ run: Run, _ body: () async throws -> Answer) async throws -> Answer {
        var failures = 0
        while true {
            do { return try await body() } catch let error as StoreError {
                switch error.code {
                case .unavailable, .poolExhausted, .timedOut: failures += 1
                case .refused, .corrupt: throw error
                }
                run.effort.beat()
                try Task.checkCancellation()
                try await clock.sleep(for: delay(afterFailures: failures))
            }
        }
    }

    func discardBlobs(of lease: StageLease) async {
        let prefix = StageAttempt(job: lease.job, key: lease.key, epoch: lease.epoch).prefix
        do { await remove(try await blobs.list(under: prefix, limit: Self.attemptBlobsMax).map(\.name)) } catch {
            logger.info("blobs of an attempt are left to the sweeper", metadata: ["error": "\(error)"])
        }
    }

    private func remove(_ names: [BlobName]) async {
        guard !names.isEmpty else { return }
        do { try await blobs.remove(names) } catch {
            logger.info("blobs are left to the sweeper", metadata: ["error": "\(error)"])
        }
    }

    /// Most blobs that one attempt makes; no stage makes more than four.
    private static let attemptBlobsMax = 100

    private static let interrupted = Failure(
        .transient, code: "stage_interrupted", reason: "A step was interrupted.", hint: "It is tried again.")

    private static let outcomeRefused = Failure(
        .poison, code: "outcome_refused", reason: "The database did not take what a step made.",
        hint: "Report this with the identifier of the job; operators find the reason in the node's log.")
}
