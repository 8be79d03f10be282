package import ClipModel

/// A stage as a store keeps it: what everybody may see, and what only the rules need. Its methods are the legal moves.
package struct StageRecord: Hashable, Sendable {
    /// How the latest attempt that reported an end did end: recognises a report that is repeated.
    package struct Settlement: Hashable, Sendable {
        package let epoch: Int
        package let outcome: String

        package init(epoch: Int, outcome: String) {
            self.epoch = epoch
            self.outcome = outcome
        }
    }

    /// A node that failed this stage for want of a resource, and until when others go first.
    package struct Avoidance: Hashable, Sendable {
        package let node: NodeID
        package let until: Timestamp

        package init(node: NodeID, until: Timestamp) {
            self.node = node
            self.until = until
        }
    }

    package var stage: Stage
    /// The life of the holder that claimed it.
    package var holderEpoch: Int?
    package var settlement: Settlement?
    package var avoidance: Avoidance?

    package init(
        stage: Stage, holderEpoch: Int? = nil, settlement: Settlement? = nil, avoidance: Avoidance? = nil
    ) {
        self.stage = stage
        self.holderEpoch = holderEpoch
        self.settlement = settlement
        self.avoidance = avoidance
    }

    /// Whether `lease` is the right to end the attempt that runs now.
    package func isHeld(under lease: StageLease) -> Bool {
        stage.state == .running && stage.epoch == lease.epoch && stage.holder == lease.node
            && holderEpoch == lease.nodeEpoch
    }

    /// Whether `node` may claim it at `now`.
    package func isOpen(to node: NodeID, at now: Timestamp) -> Bool {
        guard stage.state == .ready, stage.notBefore <= now else { return false }
        guard let avoidance, avoidance.node == node else { return true }
        return avoidance.until <= now
    }

    package mutating func claim(by life: NodeLife, at now: Timestamp) -> StageLease {
        precondition(stage.state == .ready, "stage \(stage.key) of \(stage.job) is \(stage.state), not ready")
        stage.state = .running
        stage.epoch += 1
        stage.attempts += 1
        stage.holder = life.id
        stage.failure = nil
        stage.startedAt = now
        stage.endedAt = nil
        holderEpoch = life.epoch
        return StageLease(
            job: stage.job, key: stage.key, epoch: stage.epoch, node: life.id, nodeEpoch: life.epoch,
            attempts: stage.attempts, crashes: stage.crashes)
    }

    /// Takes a running stage from its holder. It becomes ready again, or `cancelled` when its job has ended. An attempt
    /// that counts here is one that its node died under.
    package mutating func release(countingAttempt: Bool, jobHasEnded: Bool, at now: Timestamp) {
        if jobHasEnded { return cancel(at: now) }
        if countingAttempt { stage.crashes += 1 } else { stage.attempts -= 1 }
        makeReady(notBefore: now)
    }

    /// Makes a failed or abandoned stage ready again. The epoch stays, so that it goes on rising.
    package mutating func reopen(afterSeconds seconds: Double, at now: Timestamp) {
        makeReady(notBefore: now.advanced(bySeconds: max(0, seconds)))
        // They count from when it can be claimed at all, else a long back-off would use them up.
        let seconds = Self.avoidanceSeconds(after: stage.failure)
        avoidance = avoidance.map {
            Avoidance(node: $0.node, until: stage.notBefore.advanced(bySeconds: seconds))
        }
    }

    static func avoidanceSeconds(after failure: Failure?) -> Double {
        failure?.waits == true ? StoreLimits.waitingAvoidanceSeconds : StoreLimits.avoidanceSeconds
    }

    /// Ends a stage that will not run, or stops one that does. A cancelled attempt does not count.
    package mutating func cancel(at now: Timestamp) {
        if stage.state == .running { stage.attempts -= 1 }
        stage.state = .cancelled
        stage.holder = nil
        stage.endedAt = now
        holderEpoch = nil
    }

    private mutating func makeReady(notBefore: Timestamp) {
        stage.state = .ready
        stage.holder = nil
        stage.notBefore = notBefore
        stage.startedAt = nil
        stage.endedAt = nil
        holderEpoch = nil
    }
}

extension Stage {
    /// From here on what waits (`Failure.waits`) counts as any other failure does, so that the last try ends it. Tries
    /// that counted nothing are those by which the epoch, raised by every claim, is ahead of the attempts.
    package func hasWaitedLongEnough(at now: Timestamp) -> Bool {
        now.seconds(since: openedAt) >= StoreLimits.waitingSeconds
            && epoch - attempts >= StoreLimits.waitingTriesMin
    }
}
