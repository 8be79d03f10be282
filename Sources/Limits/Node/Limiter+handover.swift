import ActorCluster
import Logging
import Membership
import Placement
import Synchronization

/// Buckets that are another node's now go there: whenever keys moved, and again until all of them were taken.
extension Limiter {
    /// Whether nothing is left here that another node owns.
    package var isHandedOver: Bool {
        guard moves.withLock({ $0.untold.isEmpty }) else { return false }
        return parts.allSatisfy { part in
            part.shard.withLock { shard in
                // As many as there are: a drained node holds nothing but these.
                shard.departing(below: nil, upTo: .max, at: now()).buckets.isEmpty
            }
        }
    }

    func handOver() async {
        for await _ in handoversToMake.rings {
            while await !handOverOnce() {
                guard (try? await clock.sleep(for: configuration.handoverPause)) != nil else { return }
            }
        }
    }

    /// One pass through all buckets. True when nothing is left to tell.
    private func handOverOnce() async -> Bool {
        guard let placement = moves.withLock({ $0.placement }) else { return true }
        var unfinished: Set<MemberID> = []
        for part in parts {
            var end: Int?
            repeat {
                let departing = part.shard.withLock {
                    $0.departing(below: end, upTo: configuration.handoverKeysMax, at: now())
                }
                unfinished.formUnion(await hand(departing, from: part, placement.digest))
                end = departing.next
                // A million buckets are looked at in a third of a second: others may have a turn in between.
                await Task.yield()
            } while end != nil
        }
        for taker in moves.withLock({ $0.untold }).subtracting(unfinished).sorted() {
            let end = Handover(
                sender: system.life.id, placementDigest: placement.digest, buckets: [], isComplete: true)
            guard await tell(taker, end) != nil else { continue }
            // Unless the placement changed meanwhile: then there may be more to tell.
            moves.withLock { moves in
                if moves.placement?.digest == placement.digest { moves.untold.remove(taker) }
            }
        }
        return unfinished.isEmpty && moves.withLock { $0.untold.isEmpty && $0.placement?.digest == placement.digest }
    }

    /// Answers with those who have not taken everything.
    private func hand(_ departing: LimiterShard.Departing, from part: Part, _ digest: UInt64) async -> Set<MemberID> {
        var unfinished: Set<MemberID> = []
        let byOwner = Dictionary(grouping: departing.buckets, by: \.owner)
        for (owner, buckets) in byOwner.sorted(by: { $0.key < $1.key }) {
            let handover = Handover(
                sender: system.life.id, placementDigest: digest, buckets: buckets.map(\.bucket), isComplete: false)
            guard case .taken(let refused) = await tell(owner, handover) else {
                unfinished.insert(owner)
                continue
            }
            if !refused.isEmpty { unfinished.insert(owner) }
            let kept = Set(refused)
            part.shard.withLock { shard in
                for (place, bucket) in buckets.enumerated() where !kept.contains(place) { shard.handedOver(bucket.key) }
            }
        }
        return unfinished
    }

    /// Nil when it could not be told. It stays with us then, and is told again.
    private func tell(_ owner: MemberID, _ handover: Handover) async -> HandoverReply? {
        do {
            return try await call(owner, within: configuration.handoverTimeLimit) { try await $0.takeOver(handover) }
        } catch {
            log.debug("handover failed", metadata: ["owner": "\(owner)", "error": "\(error)"])
            return nil
        }
    }
}
