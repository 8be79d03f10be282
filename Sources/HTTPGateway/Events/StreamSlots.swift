import Synchronization

/// How many event streams this node serves at one time.
///
/// A slot is given back when the last reference to it goes, however the stream ended: by its end, by a broken
/// connection, or before its first byte.
final class StreamSlots: Sendable {
    private let taken = Mutex(0)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    final class Slot: Sendable {
        private let slots: StreamSlots
        fileprivate init(_ slots: StreamSlots) { self.slots = slots }
        deinit { slots.taken.withLock { $0 -= 1 } }
    }

    /// Nil when all are taken.
    func take() -> Slot? {
        let isFree = taken.withLock { taken in
            guard taken < limit else { return false }
            taken += 1
            return true
        }
        return isFree ? Slot(self) : nil
    }
}
