import Membership
import Synchronization

/// The shell around one `CheckBatcher`: the checks of this node that wait for one owner, and the loop that carries them
/// there.
final class OwnerLane: Sendable {
    typealias Waiter = CheckedContinuation<CheckVerdict, Never>

    let owner: MemberID
    private let batcher: Mutex<CheckBatcher<Waiter>>
    private let ring = Ring()

    init(to owner: MemberID, sender: MemberID, policies: LimitPolicies, limits: LimiterConfiguration) {
        self.owner = owner
        batcher = Mutex(CheckBatcher(sender: sender, policies: policies, limits: limits))
    }

    /// Waits for the owner's word, for at most two calls: the one under way and the next.
    func ask(_ key: LimitKey, units: Int, at now: Nanoseconds) async -> CheckVerdict {
        await withCheckedContinuation { continuation in
            let failure = batcher.withLock { $0.asked(key, quantity: units, continuation, at: now) }
            if let failure {
                continuation.resume(returning: .failed(failure))
            } else {
                ring.ring()
            }
        }
    }

    func wish(_ units: Int, of key: LimitKey, at now: Nanoseconds) {
        batcher.withLock { $0.wished(units, of: key, at: now) }
        ring.ring()
    }

    func giveBack(_ slice: SliceReturn, at now: Nanoseconds) {
        batcher.withLock { $0.returned(slice, at: now) }
        ring.ring()
    }

    /// The owner began a new life.
    func forgive() { batcher.withLock { $0.forgive() } }

    /// The owner is gone: whoever waits is told, and the loop ends.
    func close() {
        for waiter in batcher.withLock({ $0.close() }) { waiter.resume(returning: .failed(.closed)) }
        ring.close()
    }

    /// Until closed or cancelled, one call at a time.
    ///
    /// - Parameters:
    ///   - send: asks the owner; throws when that fails or takes too long.
    ///   - keep: puts a slice into the purse; answers with what goes back at once.
    func run(
        now: @Sendable () -> Nanoseconds, send: @Sendable (CheckBatch) async throws -> CheckReply,
        keep: @Sendable (LentSlice, LimitKey, _ askedAt: Nanoseconds) -> SliceReturn?
    ) async {
        for await _ in ring.rings {
            while let batch = batcher.withLock({ $0.depart(at: now()) }) {
                do {
                    let reply = try await send(batch)
                    let landing = batcher.withLock { $0.landed(reply, at: now()) }
                    // Slices first: whoever is told to go on may ask again at once.
                    for (key, slice) in landing.slices {
                        if let back = keep(slice, key, landing.askedAt) { giveBack(back, at: now()) }
                    }
                    for (waiter, verdict) in landing.verdicts { waiter.resume(returning: verdict) }
                } catch {
                    for waiter in batcher.withLock({ $0.failed(at: now()) }) {
                        waiter.resume(returning: .failed(.unreachable))
                    }
                }
            }
        }
        close()
    }
}
