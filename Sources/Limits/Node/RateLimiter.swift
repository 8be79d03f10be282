package import ActorCluster
package import Distributed

/// The ear of a node's limiter: other nodes ask it about the keys that this node owns, and hand over keys that have
/// become its own. One per node, hosted under `name`.
///
/// It keeps nothing itself: what it is asked is decided in the limiter's shards, under their locks, so that this node's
/// own checks need no turn of an actor.
package distributed actor RateLimiter {
    package typealias ActorSystem = ClusterActorSystem

    package static let name = "rate-limiter"

    private let limiter: Limiter

    init(_ limiter: Limiter, actorSystem: ClusterActorSystem) {
        self.limiter = limiter
        self.actorSystem = actorSystem
    }

    /// Decides about the keys of the batch that are this node's, and says of the others whose they are.
    package distributed func check(_ batch: CheckBatch) -> CheckReply { limiter.answer(batch) }

    /// Takes the buckets that are this node's now.
    package distributed func takeOver(_ handover: Handover) -> HandoverReply { limiter.take(handover) }

    /// What the network may call.
    package static let targets = CallTargets.Group(RateLimiter.self, targetNames)
    package static let targetNames = [
        "$s6Limits11RateLimiterC5checkyAA10CheckReplyVAA0E5BatchVYaKFTE",
        "$s6Limits11RateLimiterC8takeOveryAA13HandoverReplyOAA0F0VYaKFTE",
    ]
}
