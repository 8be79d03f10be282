import Blobs
import ClipModel
import ClusterSimulation
import Jobs
import Membership
import Stages
import Synchronization

/// The work of stages, played: it takes a drawn time and ends in a drawn way.
extension JobsWorld {
    private enum Fate: Sendable { case success, transient, resource, poison, kill }

    func runner(_ life: MemberLife, _ clock: any Clock<Duration>) -> StageRunner {
        let (log, blobs, scheduler, setting) = (log, blobs, world.scheduler, Played(setting))
        let draws = Chance(random.fork())
        let name = life.id.rawValue
        return StageRunner(
            cacheKey: { inputs in
                setting.shares && inputs.key.name != .publish ? "\(inputs.upload.sha256) \(inputs.key)" : nil
            },
            run: { assignment in
                let (inputs, attempt) = (assignment.inputs, assignment.attempt)
                let index = log.began(
                    WorkLog.Work(
                        node: name, life: life.epoch, job: attempt.job, key: attempt.key, epoch: attempt.epoch,
                        threads: assignment.threads, start: scheduler.now,
                        hadInputs: (try? inputs.plan().isReady(inputs.key)) ?? false))
                defer { log.ended(index) }
                let (fraction, choice) = (draws.fraction(), draws.fraction())
                // Most are short, some are long.
                let length = setting.lengthMax * (0.02 + fraction * fraction)
                try await clock.sleep(for: length / 2)
                assignment.progress(0.5)
                let isKept = inputs.key.name == .render || inputs.key.name == .thumbnail
                let blob = attempt.blobName("file")
                if isKept { _ = try await blobs.put([1], as: blob) }
                try await clock.sleep(for: length / 2)
                switch setting.fate(choice) {
                case .success: break
                case .transient: throw Self.failure(.transient)
                case .resource: throw Self.failure(.resource)
                case .poison: throw Self.failure(.poison)
                case .kill:
                    log.wantsCrash(name)
                    try await clock.sleep(for: .seconds(3600))
                }
                return try PlayedStages().output(of: inputs.key, blob: blob, isKept: isKept)
            })
    }

    /// What of the setting the work depends on.
    private struct Played: Sendable {
        let shares: Bool
        let lengthMax: Duration
        let shareOf: [(Fate, Double)]

        init(_ setting: Setting) {
            (shares, lengthMax) = (setting.shares, setting.lengthMax)
            shareOf = [
                (.transient, setting.transient), (.resource, setting.resource), (.poison, setting.poison),
                (.kill, setting.kills),
            ]
        }

        func fate(_ choice: Double) -> Fate {
            var rest = choice
            for (fate, share) in shareOf {
                if rest < share { return fate }
                rest -= share
            }
            return .success
        }
    }

    private static func failure(_ kind: Failure.Class) -> Failure {
        Failure(kind, code: "played_\(kind.rawValue)", reason: "It was drawn.", hint: "Draw again.")
    }
}
