package import ClipModel
package import Store

/// One transaction that took effect, as far as the ledger cares. Reads, and claims that found nothing, are no deeds.
package enum Deed: Sendable {
    case submitted(JobID)
    /// Held jobs that begin.
    case admitted([JobID])
    case cancelled(JobID)
    case retried(JobID)
    case deleted(JobID)
    case requeued(JobID, StageKey)
    case claimed([StageLease], NodeLife)
    case completed(StageLease, StageOutcome, CompleteOutcome)
    case registered(NodeLife, NodeDraft)
    case beat(NodeLife, [StageProgress], HeartbeatOutcome)
    case left(NodeLife)
    case freedExpired
    case freedDead(NodeID)

    /// The jobs that it may change; nil: all.
    var jobs: Set<JobID>? {
        switch self {
        case .submitted(let id), .cancelled(let id), .retried(let id), .deleted(let id), .requeued(let id, _): [id]
        case .admitted(let ids): Set(ids)
        case .claimed(let leases, _): Set(leases.map(\.job))
        case .completed(let lease, _, _): [lease.job]
        case .beat: []
        case .registered, .left, .freedExpired, .freedDead: nil
        }
    }

    /// What the history says of it.
    var line: String {
        switch self {
        case .submitted(let id): "submit \(id)"
        case .admitted(let ids): "admit \(ids.sorted().map { "\($0)" }.joined(separator: ", "))"
        case .cancelled(let id): "cancel \(id)"
        case .retried(let id): "retry \(id)"
        case .deleted(let id): "delete \(id)"
        case .requeued(let id, let key): "requeue \(key) of \(id)"
        case .claimed(let leases, let life):
            "claim by \(life.id) life \(life.epoch): "
                + leases.map { "\($0.key) of \($0.job) epoch \($0.epoch) attempt \($0.attempts)" }.joined(
                    separator: ", ")
        case .completed(let lease, let outcome, let answer):
            "complete \(lease.key) of \(lease.job) epoch \(lease.epoch) by \(lease.node): \(outcome.tag), "
                + (answer == .stale ? "stale" : "taken")
        case .registered(let life, let draft): "register \(life.id) life \(life.epoch) member \(draft.memberEpoch)"
        case .beat(let life, let running, let outcome):
            "beat of \(life.id) life \(life.epoch) running \(running.count)"
                + (outcome == .replaced ? ", replaced" : "")
        case .left(let life): "leave of \(life.id) life \(life.epoch)"
        case .freedExpired: "free what expired"
        case .freedDead(let node): "free what \(node) had"
        }
    }
}
