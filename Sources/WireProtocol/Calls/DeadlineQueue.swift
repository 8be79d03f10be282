/// Numbers ordered by when their time is over: a binary heap.
///
/// Almost every call is answered long before its deadline, so taking one out of the middle has to cost nothing: it
/// stays, its owner says that it is stale when it comes to the top, and the heap is rebuilt when most of it is stale.
/// Deadlines that only grow, as those of equal timeouts do, are added without a single swap.
struct DeadlineQueue: Sendable {
    private struct Entry {
        let deadline: Duration
        let number: UInt32
    }

    private var heap: [Entry] = []

    var count: Int { heap.count }

    mutating func insert(_ number: UInt32, at deadline: Duration) {
        heap.append(Entry(deadline: deadline, number: number))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent].deadline <= heap[child].deadline { return }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    /// The earliest deadline of a number that still counts.
    mutating func earliest(_ counts: (UInt32) -> Bool) -> Duration? {
        while let top = heap.first {
            if counts(top.number) { return top.deadline }
            removeTop()
        }
        return nil
    }

    /// Takes out one number whose deadline has come, if there is one that still counts.
    mutating func takeExpired(at now: Duration, _ counts: (UInt32) -> Bool) -> UInt32? {
        while let top = heap.first, top.deadline <= now {
            removeTop()
            if counts(top.number) { return top.number }
        }
        return nil
    }

    /// Drops what no longer counts when it is more than half, and more than a handful: constant time per insertion.
    mutating func compact(living: Int, _ counts: (UInt32) -> Bool) {
        guard heap.count > 64, heap.count > 2 * living else { return }
        heap.removeAll { !counts($0.number) }
        for parent in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(parent) }
    }

    private mutating func removeTop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        sink(0)
    }

    private mutating func sink(_ start: Int) {
        var parent = start
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, heap[child + 1].deadline < heap[child].deadline { child += 1 }
            if heap[parent].deadline <= heap[child].deadline { return }
            heap.swapAt(parent, child)
            parent = child
        }
    }
}
