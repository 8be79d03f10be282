import Membership
import Synchronization

/// What other nodes ask of this one. Whatever they send is looked at before it is believed.
extension Limiter {
    func answer(_ batch: CheckBatch) -> CheckReply {
        let numbers = batch.policies.map { policies.number(of: $0) }
        for slice in batch.returns.prefix(CheckBatch.itemsMax) where numbers.indices.contains(slice.policy) {
            guard let number = numbers[slice.policy], let key = LimitKey(policy: number, subject: slice.subject) else {
                continue
            }
            part(of: key).shard.withLock {
                $0.returned(slice.number, unspent: slice.unspent, of: key, by: batch.sender, at: now())
            }
        }
        return CheckReply(
            answers: batch.items.enumerated().map { place, item in
                place < CheckBatch.itemsMax ? answer(item, numbers, batch.sender) : .invalid
            })
    }

    private func answer(_ item: CheckBatch.Item, _ numbers: [Int?], _ sender: MemberID) -> ItemAnswer {
        guard numbers.indices.contains(item.policy), item.quantity >= 1, item.count >= 0, item.wish >= 0 else {
            return .invalid
        }
        guard let number = numbers[item.policy] else { return .unknownPolicy }
        guard let key = LimitKey(policy: number, subject: item.subject) else { return .invalid }
        let quantity = min(item.quantity, policies[key].policy.burst + 1)
        return part(of: key).shard.withLock {
            $0.answer(key, quantity: quantity, count: item.count, wish: item.wish, for: sender, at: now())
        }
    }

    func take(_ handover: Handover) -> HandoverReply {
        var refused: [Int] = []
        for (place, bucket) in handover.buckets.enumerated() {
            // A policy that this node does not have: nothing here could ever ask for the bucket.
            guard let number = policies.number(of: bucket.policy),
                let key = LimitKey(policy: number, subject: bucket.subject)
            else { continue }
            let isTaken = part(of: key).shard.withLock {
                $0.inherit(key, bucket, from: handover.sender, at: now())
            }
            if !isTaken { refused.append(place) }
        }
        if handover.isComplete { completed(handover.sender, for: handover.placementDigest) }
        return .taken(except: refused)
    }

    func completed(_ sender: MemberID, for digest: UInt64) {
        for part in parts { part.shard.withLock { $0.completed(sender, for: digest) } }
    }
}
