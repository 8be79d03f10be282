/// What happens next, in order of time; what happens at one instant keeps the order in which it was said.
struct EventHeap<Event> {
    private struct Item {
        let time: Int64
        let sequence: UInt64
        /// Where the event lies: they are large, and only numbers shall be moved about.
        let slot: Int

        static func < (left: Self, right: Self) -> Bool {
            left.time != right.time ? left.time < right.time : left.sequence < right.sequence
        }
    }

    private var items: [Item] = []
    private var events: [Event?] = []
    private var free: [Int] = []
    private var sequence: UInt64 = 0

    var nextTime: Int64? { items.first?.time }

    mutating func push(_ event: Event, at time: Int64) {
        sequence += 1
        let slot: Int
        if let last = free.popLast() {
            slot = last
            events[slot] = event
        } else {
            slot = events.count
            events.append(event)
        }
        items.append(Item(time: time, sequence: sequence, slot: slot))
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard items[child] < items[parent] else { break }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> (time: Int64, event: Event)? {
        guard !items.isEmpty else { return nil }
        items.swapAt(0, items.count - 1)
        let first = items.removeLast()
        var parent = 0
        while true {
            var smallest = parent
            let left = 2 * parent + 1, right = left + 1
            if left < items.count, items[left] < items[smallest] { smallest = left }
            if right < items.count, items[right] < items[smallest] { smallest = right }
            guard smallest != parent else { break }
            items.swapAt(parent, smallest)
            parent = smallest
        }
        guard let event = events[first.slot] else { return nil }
        events[first.slot] = nil
        free.append(first.slot)
        return (first.time, event)
    }
}

/// SplitMix64, as the machine has it: a run is replayed from its seed.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x2545_f491_4f6c_dd1d &+ 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func happens(_ chance: Double) -> Bool { chance > 0 && Double.random(in: 0..<1, using: &self) < chance }
}
