import ClusterSimulation
import Telemetry
import Testing
import WireProtocol

@Suite struct SketchTests {
    static let seeds = Seed.forThisRun(20)

    // MARK: Accuracy

    @Test(arguments: Spread.allCases, [0.01, 0.05])
    func `every quantile is within the stated error of the true one`(spread: Spread, error: Double) {
        var random = SeededGenerator(7)
        let values = (0..<20_000).map { _ in spread.draw(&random) }
        let sketch = sketch(values, SketchAccuracy(relativeError: error, bucketsMax: 4096))
        let sorted = values.sorted()
        for step in 0...1000 {
            let q = Double(step) / 1000
            let truth = sorted[Int(q * Double(sorted.count - 1))]
            let found = sketch.quantile(q) ?? .nan
            // What is below a billionth counts as zero, so it may be off by that much.
            #expect(abs(found - truth) <= truth * error * (1 + 1e-9) + DDSketch.smallest, "\(q): \(found) for \(truth)")
        }
    }

    @Test func `an error that is half of what it should be is noticed`() {
        // The test above can fail: the bound is tight somewhere.
        var random = SeededGenerator(7)
        let values = (0..<20_000).map { _ in Spread.even.draw(&random) }
        let (sketch, sorted) = (sketch(values), values.sorted())
        let worst = (0...1000).map { step -> Double in
            let truth = sorted[Int(Double(step) / 1000 * Double(sorted.count - 1))]
            return abs((sketch.quantile(Double(step) / 1000) ?? .nan) - truth) / truth
        }
        #expect(worst.max() ?? 0 > 0.005)
    }

    @Test func `count, sum and extremes are exact`() {
        let values = [0.1, 0.2, 0.3, 12, 1e-7, 0]
        let sketch = sketch(values)
        #expect(sketch.count == 6)
        #expect(sketch.sum == 12.6000001)
        #expect(sketch.minimum == 0)
        #expect(sketch.maximum == 12)
        #expect(sketch.zeroCount == 1)
        #expect(sketch.quantile(0) == 0)
        #expect(sketch.quantile(1) == 12)
    }

    @Test func `an empty sketch has no quantiles`() {
        let sketch = DDSketch()
        #expect(sketch.quantile(0.5) == nil)
        #expect(sketch.minimum == nil)
        #expect(sketch.cumulativeCounts([1, 2]) == [0, 0])
    }

    @Test func `what is no measure is not one`() {
        var sketch = DDSketch()
        let refused = [sketch.insert(.nan), sketch.insert(.infinity)]
        #expect(refused == [false, false])
        #expect(sketch.isEmpty)
        sketch.insert(-3)
        #expect(sketch.minimum == 0 && sketch.zeroCount == 1)
        sketch.insert(1e300)
        #expect(sketch.maximum == DDSketch.largest)
    }

    // MARK: Merging

    @Test(arguments: seeds)
    func `parts merged in any order and grouping are the whole, bit for bit`(seed: Seed) {
        var random = SeededGenerator(seed.number)
        // Few buckets, so that they collapse.
        let accuracy = SketchAccuracy(relativeError: 0.01, bucketsMax: 16 + random.below(300))
        let values = (0..<(1 + random.below(2000))).map { _ in
            Spread.allCases[random.below(Spread.allCases.count)].draw(&random)
        }
        let whole = sketch(values, accuracy)
        var parts = (0..<(1 + random.below(8))).map { _ in DDSketch(accuracy) }
        for value in values { parts[random.below(parts.count)].insert(value) }
        for _ in 0..<4 {
            parts.shuffle(using: &random)
            #expect(merged(parts, accuracy) == whole, "\(seed.replay)")
            let cut = random.below(parts.count + 1)
            var left = merged(Array(parts[..<cut]), accuracy)
            left.merge(merged(Array(parts[cut...]), accuracy))
            #expect(left == whole, "\(seed.replay)")
        }
        #expect(sketch(values.shuffled(using: &random), accuracy) == whole, "\(seed.replay)")
    }

    @Test func `buckets have a bound, the lowest ones collapse, and the upper quantiles stay exact`() {
        let accuracy = SketchAccuracy(relativeError: 0.01, bucketsMax: 64)
        let values = (1...10_000).map { Double($0) }
        let sketch = sketch(values, accuracy)
        #expect(sketch.bucketCount == 64)
        #expect(sketch.count == 10_000)
        #expect(sketch.sum == 50_005_000)
        // 64 buckets of 2 % reach from 10,000 down to about 2,800.
        for q in [0.5, 0.9, 0.99] {
            #expect(abs((sketch.quantile(q) ?? 0) / (q * 9999 + 1) - 1) <= 0.011)
        }
        let low = sketch.quantile(0.01) ?? 0
        #expect(low > 2000, "\(low) was collapsed")
        // Also when the great value comes last, and far away.
        var late = DDSketch(accuracy)
        for value in values { late.insert(value) }
        late.insert(1e12)
        #expect(late.bucketCount <= 64)
        #expect(late.count == 10_001)
        #expect(late.quantile(1) == 1e12)
    }

    // MARK: Buckets for Prometheus

    @Test func `cumulative counts rise, reach the count, and are off only at their bounds`() {
        let values = (1...1000).map { Double($0) / 1000 }
        let bounds = [0.1, 0.25, 0.5, 0.75, 1, 2]
        let counts = sketch(values).cumulativeCounts(bounds)
        #expect(counts.last == 1000 && counts[4] == 1000)
        for (bound, count) in zip(bounds, counts) {
            let (least, most) = (values.count { $0 <= bound * 0.98 }, values.count { $0 <= bound * 1.02 })
            #expect((least...most).contains(Int(count)), "\(count) up to \(bound)")
        }
        #expect(counts == counts.sorted())
    }

    // MARK: On the wire

    @Test(arguments: seeds)
    func `a sketch travels unchanged`(seed: Seed) throws {
        var random = SeededGenerator(seed.number)
        let spread = Spread.allCases[random.below(Spread.allCases.count)]
        let sketch = sketch((0..<random.below(3000)).map { _ in spread.draw(&random) })
        let bytes = try WireEncoder().encode(sketch)
        #expect(try WireDecoder().decode(DDSketch.self, from: bytes) == sketch)
    }

    @Test func `a sketch of a thousand latencies is small`() throws {
        var random = SeededGenerator(1)
        let sketch = sketch((0..<1000).map { _ in Spread.exponential.draw(&random) })
        #expect(try WireEncoder().encode(sketch).count < 500)
    }

    @Test(arguments: seeds)
    func `bytes that are turned make an error or a sketch, never a crash`(seed: Seed) throws {
        var random = SeededGenerator(seed.number)
        let sketch = sketch((0..<300).map { _ in Spread.exponential.draw(&random) })
        let bytes = try WireEncoder().encode(sketch)
        for _ in 0..<500 {
            var turned = bytes
            for _ in 0...random.below(3) { turned[random.below(turned.count)] ^= 1 << UInt8(random.below(8)) }
            guard var other = try? WireDecoder().decode(DDSketch.self, from: turned) else { continue }
            #expect(other.bucketCount <= other.accuracy.bucketsMax)
            // It can be used like any other.
            other.insert(1)
            _ = other.quantile(0.5)
            if other.accuracy == sketch.accuracy { other.merge(sketch) }
        }
    }

    /// What a sketch must not be: a range of a million buckets in three bytes, a count of none, values out of order.
    private struct Forged: Encodable {
        var e = 0.01, b = 1024
        var z: UInt64 = 0
        var s = FixedSum(1)
        var l = 1.0, g = 1.0
        var f = 0
        var c: [UInt8] = [1]
    }

    @Test func `forged sketches are refused`() throws {
        func refused(_ change: (inout Forged) -> Void) throws -> Bool {
            var forged = Forged()
            change(&forged)
            let bytes = try WireEncoder().encode(forged)
            return (try? WireDecoder().decode(DDSketch.self, from: bytes)) == nil
        }
        #expect(try !refused { _ in })
        #expect(try refused { $0.c = [1, 0, 0xff, 0xff, 0xff, 0x7f, 1] })
        #expect(try refused { $0.c = [1, 0, 0, 1] })
        #expect(try refused { $0.c = [0, 2, 1] })
        #expect(try refused { $0.c = [0x80] })
        #expect(try refused { $0.c = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f] })
        #expect(try refused { $0.e = .nan })
        #expect(try refused { $0.e = 0.5 })
        #expect(try refused { $0.b = 1 << 30 })
        #expect(try refused { $0.f = 1 << 40 })
        #expect(try refused { $0.f = .min })
        #expect(try refused { ($0.l, $0.g) = (2, 1) })
        #expect(try refused { $0.g = .infinity })
        #expect(try refused { $0.l = -1 })
    }

    @Test func `counts and sums stop at their ends`() {
        let forged = FixedSum(FixedSum.valueMax)
        var sum = FixedSum()
        for _ in 0..<200 {
            sum += sum
            sum += forged
        }
        #expect(sum.value > 1e28)
        #expect(FixedSum(-5.5).value == -5.5)
        #expect((FixedSum(0.1) + FixedSum(0.2)).value == 0.3)
    }
}
