import Blobs
package import ClipModel
package import Media

/// How a stage is done, as two functions: the schedule around it is tested with functions that need no video.
package struct StageRunner: Sendable {
    /// The key under which an equal result may stand already; nil when the stage is never shared.
    package let cacheKey: @Sendable (StageInputs) async throws -> String?
    package let run: @Sendable (Assignment) async throws -> StageOutput

    /// What the schedule hands over with an attempt.
    package struct Assignment: Sendable {
        package let inputs: StageInputs
        package let attempt: StageAttempt
        package let scratch: String
        package let threads: Int
        package let startedAt: Timestamp
        package let effort: EffortMeter
        package let progress: @Sendable (Double) -> Void

        package init(
            inputs: StageInputs, attempt: StageAttempt, scratch: String, threads: Int, startedAt: Timestamp,
            effort: EffortMeter = EffortMeter(), progress: @escaping @Sendable (Double) -> Void
        ) {
            self.inputs = inputs
            self.attempt = attempt
            self.scratch = scratch
            self.threads = threads
            self.startedAt = startedAt
            self.effort = effort
            self.progress = progress
        }
    }

    package init(
        cacheKey: @escaping @Sendable (StageInputs) async throws -> String?,
        run: @escaping @Sendable (Assignment) async throws -> StageOutput
    ) {
        self.cacheKey = cacheKey
        self.run = run
    }

    /// The real steps with the real tools.
    /// - Parameter spent: told of every attempt when it has ended, well or not. Must return at once.
    package init(tools: StageTools, spent: @escaping @Sendable (StageName, Effort) -> Void = { _, _ in }) {
        self.init(
            cacheKey: { inputs in try inputs.key.name.step.cacheKey(inputs, tools.versions) },
            run: { assignment in
                defer { spent(assignment.inputs.key.name, assignment.effort.total) }
                let context = StageContext(
                    inputs: assignment.inputs, tools: tools, attempt: assignment.attempt, scratch: assignment.scratch,
                    threads: assignment.threads, startedAt: assignment.startedAt, effort: assignment.effort,
                    progress: assignment.progress)
                return try await assignment.inputs.key.name.step.run(context)
            })
    }
}

extension Failure {
    /// Any error of a stage in the words of the schedule.
    package init(stageError error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as MediaError: self = error.failure
        case let error as BlobError: self = error.failure
        case is CancellationError:
            self.init(
                .cancelled, code: "cancelled", reason: "The work was stopped on request.",
                hint: "Start it again if you still want it.")
        default:
            // An error that no module of ours throws: worth another try, and a look at the node's log.
            self.init(
                .transient, code: "unexpected_error", reason: "A stage ended in an unexpected way.",
                hint: "It is tried again; if it repeats, look into the log of the node that ran it.")
        }
    }
}
