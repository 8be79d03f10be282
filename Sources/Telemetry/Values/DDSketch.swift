/// Quantiles of a stream of values, from counts in buckets whose widths grow with the values: DDSketch (Masson, Rim and
/// Lee: *DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees*, VLDB 2019).
///
/// A quantile is off by at most `accuracy.relativeError` of its true value; `count`, `minimum` and `maximum` are exact,
/// `sum` to half a billionth for each value. Sketches of the parts of a stream, merged in any order, are the sketch of
/// the
/// stream, bit for bit: also where buckets had to be collapsed, because all that lies below the lowest bucket kept ends
/// in that bucket whenever it arrives.
///
/// For durations and sizes: what is below `smallest`, negative values included, counts as zero.
package struct DDSketch: Hashable, Sendable {
    /// Values below this count as zero; a billionth.
    package static let smallest = 1e-9
    /// Values above this count as this.
    package static let largest = FixedSum.valueMax

    package let accuracy: SketchAccuracy
    /// Of values that count as zero.
    package private(set) var zeroCount: UInt64 = 0
    package private(set) var count: UInt64 = 0
    private var total = FixedSum()
    private var lowest = Double.infinity
    private var highest = -Double.infinity
    /// The index of the first bucket.
    private(set) var firstIndex = 0
    /// Neither the first nor the last one is empty, so that equal sketches are equal values.
    private(set) var counts: [UInt64] = []

    package init(_ accuracy: SketchAccuracy = .standard) { self.accuracy = accuracy }

    package var isEmpty: Bool { count == 0 }
    /// From the first to the last one, empty ones between them included; never more than `accuracy.bucketsMax`.
    package var bucketCount: Int { counts.count }
    package var sum: Double { total.value }
    /// Nil when nothing was counted.
    package var minimum: Double? { isEmpty ? nil : lowest }
    package var maximum: Double? { isEmpty ? nil : highest }

    // MARK: Values

    /// Counts a value. False for what is no number, which is not counted.
    @discardableResult
    package mutating func insert(_ value: Double) -> Bool {
        guard value.isFinite else { return false }
        let value = min(max(value, 0), Self.largest)
        if value < Self.smallest {
            zeroCount = zeroCount.plus(1)
        } else {
            add(1, at: accuracy.index(of: value))
        }
        count = count.plus(1)
        total += FixedSum(value)
        lowest = min(lowest, value)
        highest = max(highest, value)
        return true
    }

    private mutating func add(_ number: UInt64, at index: Int) {
        let place = index - firstIndex
        if counts.indices.contains(place) {
            counts[place] = counts[place].plus(number)
        } else {
            widen(to: index...index)
            let place = max(index - firstIndex, 0)
            counts[place] = counts[place].plus(number)
        }
    }

    /// Makes room for buckets of `indices`, as far as the bound allows: what lies below it has its place in the lowest
    /// bucket. The caller fills both ends.
    private mutating func widen(to indices: ClosedRange<Int>) {
        guard !counts.isEmpty else {
            firstIndex = max(indices.lowerBound, indices.upperBound - accuracy.bucketsMax + 1)
            counts = Array(repeating: 0, count: indices.upperBound - firstIndex + 1)
            return
        }
        let last = max(firstIndex + counts.count - 1, indices.upperBound)
        let first = max(min(firstIndex, indices.lowerBound), last - accuracy.bucketsMax + 1)
        if first > firstIndex {
            let dropped = min(first - firstIndex, counts.count)
            let collapsed = counts[..<dropped].reduce(UInt64(0)) { $0.plus($1) }
            counts.removeFirst(dropped)
            if counts.isEmpty { counts.append(0) }
            counts[0] = counts[0].plus(collapsed)
        } else if first < firstIndex {
            counts.insert(contentsOf: repeatElement(0, count: firstIndex - first), at: 0)
        }
        firstIndex = first
        let missing = last - first + 1 - counts.count
        if missing > 0 { counts.append(contentsOf: repeatElement(0, count: missing)) }
    }

    // MARK: Merging

    /// Adds what the other has counted. Both have the same accuracy.
    package mutating func merge(_ other: DDSketch) {
        precondition(accuracy == other.accuracy, "sketches of \(accuracy) and \(other.accuracy)")
        if !other.counts.isEmpty {
            let last = other.firstIndex + other.counts.count - 1
            if counts.isEmpty || other.firstIndex < firstIndex || last >= firstIndex + counts.count {
                widen(to: other.firstIndex...last)
            }
            for (place, number) in other.counts.enumerated() where number > 0 {
                let own = max(other.firstIndex + place - firstIndex, 0)
                counts[own] = counts[own].plus(number)
            }
        }
        zeroCount = zeroCount.plus(other.zeroCount)
        count = count.plus(other.count)
        total += other.total
        lowest = min(lowest, other.lowest)
        highest = max(highest, other.highest)
    }

    // MARK: Answers

    /// The value that the part `q` of all values does not exceed; nil when nothing was counted. The ends are exact.
    package func quantile(_ q: Double) -> Double? {
        guard !isEmpty else { return nil }
        if q <= 0 { return lowest }
        if q >= 1 { return highest }
        // The rank counts from 0, as in the paper.
        let rank = q * Double(count - 1)
        var seen = Double(zeroCount)
        if rank < seen { return lowest }
        for (place, number) in counts.enumerated() {
            seen += Double(number)
            if seen > rank { return min(max(accuracy.value(of: firstIndex + place), lowest), highest) }
        }
        return highest
    }

    /// How many values each of `bounds`, which rise, is not exceeded by; values within `relativeError` of a bound may
    /// be found on either side of it.
    package func cumulativeCounts(_ bounds: [Double]) -> [UInt64] {
        var place = 0
        var seen = zeroCount
        return bounds.map { bound in
            if isEmpty || bound < 0 { return 0 }
            if bound >= highest { return count }
            while place < counts.count, accuracy.value(of: firstIndex + place) <= bound {
                seen = seen.plus(counts[place])
                place += 1
            }
            return min(seen, count)
        }
    }
}

// MARK: - Parts

extension DDSketch {
    /// What a sketch consists of, for its coding.
    struct Parts {
        var zeroCount: UInt64
        var total: FixedSum
        var lowest: Double
        var highest: Double
        var firstIndex: Int
        var counts: [UInt64]
    }

    var parts: Parts {
        Parts(
            zeroCount: zeroCount, total: total, lowest: lowest, highest: highest, firstIndex: firstIndex, counts: counts
        )
    }

    /// Nil for parts that no sketch has: they come from peers.
    init?(_ parts: Parts, _ accuracy: SketchAccuracy) {
        self.accuracy = accuracy
        count = parts.counts.reduce(parts.zeroCount) { $0.plus($1) }
        guard count > 0 else { return }
        let indices = accuracy.index(of: Self.smallest)...accuracy.index(of: Self.largest)
        guard parts.lowest.isFinite, parts.highest.isFinite, 0 <= parts.lowest, parts.lowest <= parts.highest,
            parts.highest <= Self.largest, parts.counts.count <= accuracy.bucketsMax
        else { return nil }
        if !parts.counts.isEmpty {
            guard parts.counts.first != 0, parts.counts.last != 0, indices.contains(parts.firstIndex),
                indices.contains(parts.firstIndex + parts.counts.count - 1)
            else { return nil }
            firstIndex = parts.firstIndex
        }
        zeroCount = parts.zeroCount
        total = parts.total
        lowest = parts.lowest
        highest = parts.highest
        counts = parts.counts
    }
}
