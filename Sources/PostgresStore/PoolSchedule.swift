/// Who gets which connection, and who waits. Lanes are numbers; a lane that is used last is given first, so that the
/// others may rest.
///
/// A waiter is `waiting` -> `served` (a lane became free), `gone` (it gave up). Served in the order of arrival.
package struct PoolSchedule: Equatable {
    package enum Answer: Equatable {
        case take(lane: Int)
        case wait
        /// `waitersMax` wait already.
        case refuse
    }

    private var free: [Int]
    private var waiting: [Int] = []
    private let waitersMax: Int

    package init(lanes: Int, waitersMax: Int) {
        precondition(lanes > 0 && waitersMax >= 0, "a pool needs a lane, not \(lanes), and \(waitersMax) waiters")
        free = (0..<lanes).reversed()
        self.waitersMax = waitersMax
    }

    package mutating func asked(by waiter: Int) -> Answer {
        if let lane = free.popLast() { return .take(lane: lane) }
        guard waiting.count < waitersMax else { return .refuse }
        waiting.append(waiter)
        return .wait
    }

    /// A lane came back. Answers who gets it next; nil when it rests.
    package mutating func returned(lane: Int) -> Int? {
        guard waiting.isEmpty else { return waiting.removeFirst() }
        free.append(lane)
        return nil
    }

    /// A waiter gives up. False when it was served in the same moment: then it holds a lane.
    package mutating func gaveUp(_ waiter: Int) -> Bool {
        guard let place = waiting.firstIndex(of: waiter) else { return false }
        waiting.remove(at: place)
        return true
    }
}
