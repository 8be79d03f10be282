/// The numbers of the calls that are under way on one connection, without what waits for them: `CallTable` adds that.
///
/// A number is a slot and how often it was used: looking one up is an index and a comparison, and a late reply to a
/// call that was given up does not find the next call in the same slot. Freed slots are used again oldest first, so a
/// number comes back after 65,535 rounds through all slots.
///
/// It is a type of its own because it is not generic. Generic code that is called from another module is not
/// specialised (`@inlinable` does nothing for `package`), and here that made every call five times as slow.
package struct CallNumbers: Sendable {
    private struct Slot {
        var uses: UInt16
        var isWaiting: Bool
    }

    /// The most a number has room for.
    package static let inFlightLimit = 1 << 16

    package let inFlightMax: Int
    package private(set) var inFlight = 0

    private var slots: [Slot] = []
    /// Freed slots, oldest first: a ring of `inFlightMax` places.
    private var freed: [UInt16] = []
    private var freedStart = 0
    private var freedCount = 0
    private var deadlines = DeadlineQueue()
    private var isLost = false

    package init(inFlightMax: Int) {
        precondition(1...Self.inFlightLimit ~= inFlightMax, "\(inFlightMax) calls in flight")
        self.inFlightMax = inFlightMax
    }

    /// The slot of a number, below `inFlightMax`.
    @inline(__always)
    package static func slot(_ id: UInt32) -> Int { Int(id & 0xFFFF) }

    /// Deadlines that are kept, those of answered calls included.
    package var deadlineEntries: Int { deadlines.count }

    /// A number for a new call; nil when as many as allowed are under way, or the connection is lost.
    package mutating func register(deadline: Duration? = nil) -> UInt32? {
        guard inFlight < inFlightMax, !isLost else { return nil }
        let index: Int
        if slots.count < inFlightMax {
            index = slots.count
            slots.append(Slot(uses: 1, isWaiting: true))
        } else {
            index = Int(freed[freedStart])
            freedStart = freedStart + 1 == inFlightMax ? 0 : freedStart + 1
            freedCount -= 1
            // Zero is left out: no call has the number 0.
            slots[index].uses = slots[index].uses == .max ? 1 : slots[index].uses + 1
            slots[index].isWaiting = true
        }
        inFlight += 1
        let id = number(of: index)
        if let deadline {
            deadlines.insert(id, at: deadline)
            let slots = slots
            deadlines.compact(living: inFlight) { Self.isWaiting($0, in: slots) }
        }
        return id
    }

    /// Call `id` is over. False when it was over before, or never was.
    package mutating func end(_ id: UInt32) -> Bool {
        guard isWaiting(id) else { return false }
        let index = Self.slot(id)
        slots[index].isWaiting = false
        free(UInt16(index))
        inFlight -= 1
        return true
    }

    /// Ends one call whose deadline has come.
    package mutating func endExpired(at now: Duration) -> UInt32? {
        let slots = slots
        guard let id = deadlines.takeExpired(at: now, { Self.isWaiting($0, in: slots) }) else { return nil }
        return end(id) ? id : nil
    }

    /// When to ask `endExpired` again.
    package mutating func nextDeadline() -> Duration? {
        let slots = slots
        return deadlines.earliest { Self.isWaiting($0, in: slots) }
    }

    /// Ends all calls; nothing can be registered afterwards.
    package mutating func connectionLost() -> [UInt32] {
        let waiting = slots.indices.filter { slots[$0].isWaiting }.map { number(of: $0) }
        isLost = true
        inFlight = 0
        deadlines = DeadlineQueue()
        slots = []
        return waiting
    }

    /// Whether call `id` still waits.
    package func isWaiting(_ id: UInt32) -> Bool { Self.isWaiting(id, in: slots) }

    private func number(of index: Int) -> UInt32 { UInt32(slots[index].uses) << 16 | UInt32(index) }

    private mutating func free(_ index: UInt16) {
        let end = freedStart + freedCount
        freedCount += 1
        // The ring grows only as far as calls were ever ended, and is full size once all slots are in use.
        if freed.count < inFlightMax {
            freed.append(index)
        } else {
            freed[end >= inFlightMax ? end - inFlightMax : end] = index
        }
    }

    private static func isWaiting(_ id: UInt32, in slots: [Slot]) -> Bool {
        let index = slot(id)
        return index < slots.count && slots[index].uses == UInt16(id >> 16) && slots[index].isWaiting
    }
}
