package import ClipModel

/// Where the time of a job went: every stage with every attempt at it, on whichever node, also on those that died.
///
/// Field names are part of the API: add, do not rename.
package struct JobWaterfall: Codable, Hashable, Sendable {
    /// One try at a stage, or the wait for the next one.
    package struct Attempt: Codable, Hashable, Sendable {
        /// How it ended, or how it stands.
        package enum Outcome: String, Codable, Hashable, Sendable {
            /// Not begun yet.
            case waiting
            case running
            case done
            /// It failed and was tried again.
            case retried
            case failed
            /// Its node died, or handed it back unfinished.
            case released
            case cancelled
        }

        package var outcome: Outcome
        package var node: NodeID?
        /// Since when it waited: the stage was opened, or the attempt before had ended.
        package var openedAt: Timestamp
        package var startedAt: Timestamp?
        package var endedAt: Timestamp?
        /// How long it waited for a node though it could have started: the pause before a retry does not count. Nil
        /// where the length of that pause is not known any more.
        package var queueSeconds: Double?
        package var runSeconds: Double?
        package var error: JobView.ErrorView?
        /// What it took, as `Effort` says: processor time of its tools, of the speech worker and of the node for it;
        /// bytes read, and written as blobs; the largest of its processes. Known once it has ended; nil of an attempt
        /// whose node died or that was cancelled, because nobody could report it. 0 s where a result was reused.
        package var cpuSeconds: Double?
        package var bytesRead: Int64?
        package var bytesWritten: Int64?
        package var memoryPeakBytes: Int64?
    }

    package struct StageRow: Codable, Hashable, Sendable {
        package var name: StageName
        package var index: Int
        package var state: Stage.State
        /// The result came from an earlier run of the same work; its bytes were not made by this job.
        package var reused: Bool
        /// In the order in which they were made.
        package var attempts: [Attempt]
        /// What the blobs of its result hold; nil while there is none.
        package var bytes: Int64?
    }

    /// A time in which something of the job waited or ran. A job that was revised, or tried again later, has more than
    /// one; between them nothing was to be done.
    package struct Round: Codable, Hashable, Sendable {
        package var startedAt: Timestamp
        /// Nil: it goes on.
        package var endedAt: Timestamp?
    }

    package var job: JobID
    package var status: Job.Status
    package var createdAt: Timestamp
    package var endedAt: Timestamp?
    /// When this was told, by the clock of the node that tells it: running attempts are measured up to here.
    package var at: Timestamp
    /// In the order of time. Absent from nodes of an earlier release.
    package var rounds: [Round]?
    package var stages: [StageRow]
    /// False when the job has more events than are read, or they are older than events are kept: then only the last
    /// attempt of a stage may be shown.
    package var isComplete: Bool
}

extension JobWaterfall {
    /// Pure, so that every node tells it alike.
    /// - Parameters:
    ///   - events: of the job, in their order; those that are missing are made up for by the stages' own rows.
    ///   - bytes: sizes of the blobs of results, as far as they stand.
    package static func make(
        job: Job, stages: [Stage], events: [Event], isComplete: Bool, bytes: [BlobName: Int64], now: Timestamp
    ) -> JobWaterfall {
        var histories: [StageKey: History] = [:]
        for event in events { if let key = event.stage { histories[key, default: History()].take(event) } }
        let rows = stages.map { stage in
            StageRow(
                name: stage.key.name, index: stage.key.index, state: stage.state, reused: stage.reused,
                attempts: (histories[stage.key] ?? History()).attempts(of: stage, now: now),
                bytes: stage.result.map { $0.blobs.reduce(0) { $0 + (bytes[$1] ?? 0) } })
        }
        let isKnown = stages.allSatisfy { $0.startedAt == nil || histories[$0.key]?.attempts.isEmpty == false }
        return JobWaterfall(
            job: job.id, status: job.status, createdAt: job.createdAt, endedAt: job.endedAt, at: now,
            rounds: rounds(of: job, rows, now: now), stages: rows, isComplete: isComplete && isKnown)
    }

    /// Whatever waits or runs is part of a round; where there is nothing for longer than it takes to open the next
    /// stage, one round has ended.
    private static func rounds(of job: Job, _ rows: [StageRow], now: Timestamp) -> [Round] {
        let end = job.endedAt ?? now
        let work = rows.flatMap { row in
            row.attempts.enumerated().map { place, attempt in
                // Of one that was given up in the middle only its row would know when, and that tells of the last one.
                let isLast = place == row.attempts.count - 1
                let ended = attempt.endedAt ?? (isLast ? end : attempt.startedAt ?? attempt.openedAt)
                // A pause before another try belongs to what is tried again.
                let before = place > 0 ? row.attempts[place - 1] : nil
                let from = before?.outcome == .retried ? before?.endedAt ?? attempt.openedAt : attempt.openedAt
                return (from: from, to: min(ended, end))
            }
        }.sorted { ($0.from, $0.to) < ($1.from, $1.to) }
        // What it waited for before its first stage was opened belongs to it.
        var rounds = [(from: job.createdAt, to: max(job.createdAt, work.first?.from ?? end))]
        for span in work {
            if span.from.seconds(since: rounds[rounds.count - 1].to) > pauseSeconds {
                rounds.append(span)
            } else {
                rounds[rounds.count - 1].to = max(rounds[rounds.count - 1].to, span.to)
            }
        }
        return rounds.enumerated().map { place, round in
            let isLast = place == rounds.count - 1
            return Round(startedAt: round.from, endedAt: isLast ? job.endedAt : round.to)
        }
    }

    /// The next stage is opened in the transaction that ends the one before.
    private static let pauseSeconds = 1.0

    /// The attempts at one stage as its events tell them.
    private struct History {
        var attempts: [Attempt] = []
        private var openedAt: Timestamp?
        /// The attempt before failed and paused for a time that no event holds.
        private var hasPaused = false

        mutating func take(_ event: Event) {
            switch event.kind {
            case .stageOpened: (openedAt, hasPaused) = (event.at, false)
            case .stageStarted:
                let opened = openedAt ?? event.at
                attempts.append(
                    Attempt(
                        outcome: .running, node: event.node, openedAt: opened, startedAt: event.at,
                        queueSeconds: hasPaused ? nil : max(0, event.at.seconds(since: opened))))
            case .stageDone: end(event, .done)
            case .stageRetried:
                end(event, .retried)
                hasPaused = true
            case .stageFailed: end(event, .failed)
            case .stageReleased: end(event, .released)
            case .jobCreated, .jobStarted, .jobReady, .jobFailed, .jobCancelled, .jobRetried, .jobRevised,
                .clipChanged:
                break
            }
        }

        private mutating func end(_ event: Event, _ outcome: Attempt.Outcome) {
            (openedAt, hasPaused) = (event.at, false)
            guard let last = attempts.indices.last, attempts[last].endedAt == nil, let start = attempts[last].startedAt
            else { return }
            attempts[last].outcome = outcome
            attempts[last].endedAt = event.at
            attempts[last].runSeconds = max(0, event.at.seconds(since: start))
            attempts[last].error = event.failure.map { JobView.ErrorView($0, stage: event.stage) }
            attempts[last].cpuSeconds = event.effort?.cpuSeconds
            attempts[last].bytesRead = event.effort?.bytesRead
            attempts[last].bytesWritten = event.effort?.bytesWritten
            attempts[last].memoryPeakBytes = event.effort?.memoryPeakBytes
        }

        /// The row knows of the latest attempt what no event says: how long it was held back, and whether it was
        /// cancelled.
        func attempts(of stage: Stage, now: Timestamp) -> [Attempt] {
            var attempts = attempts
            let opened = max(openedAt ?? stage.openedAt, stage.notBefore)
            if let startedAt = stage.startedAt {
                if attempts.last?.startedAt != startedAt, attempts.last?.endedAt != nil || attempts.isEmpty {
                    attempts.append(
                        Attempt(outcome: .running, node: stage.holder, openedAt: opened, startedAt: startedAt))
                }
                let last = attempts.count - 1
                let waitedFrom = max(attempts[last].openedAt, min(stage.notBefore, startedAt))
                attempts[last].queueSeconds = max(0, startedAt.seconds(since: waitedFrom))
                if attempts[last].endedAt == nil { finish(&attempts[last], stage, now: now) }
            } else if stage.state == .ready {
                attempts.append(
                    Attempt(
                        outcome: .waiting, openedAt: opened, queueSeconds: max(0, now.seconds(since: opened))))
            }
            return attempts
        }

        private func finish(_ attempt: inout Attempt, _ stage: Stage, now: Timestamp) {
            attempt.outcome =
                switch stage.state {
                case .running, .ready: .running
                case .done: .done
                case .failed: .failed
                case .cancelled: .cancelled
                }
            attempt.endedAt = stage.endedAt
            attempt.error = stage.failure.map { JobView.ErrorView($0, stage: stage.key) }
            guard let start = attempt.startedAt else { return }
            attempt.runSeconds = max(0, (stage.endedAt ?? now).seconds(since: start))
        }
    }
}
