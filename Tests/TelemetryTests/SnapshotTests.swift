import ClusterSimulation
import Telemetry
import Testing
import WireProtocol

@Suite struct SnapshotTests {
    static let seeds = Seed.forThisRun(20)

    /// Snapshots as different nodes and releases might send them: metrics and series that some have and others have
    /// not, a name that means different things, and limits that fold.
    static func snapshot(_ random: inout SeededGenerator) -> MetricSnapshot {
        var metrics: [Metric] = []
        let labels = ["a", "b", "c", "d", "e", "f", "other"]
        if random.chance(0.8) {
            let series = labels.filter { _ in random.chance(0.5) }.map {
                Metric.Series([$0], .counter(UInt64(random.below(100))))
            }
            metrics.append(
                Metric(
                    "jobs_done_total", .counter, labelNames: ["kind"], seriesMax: 3 + random.below(3), series: series))
        }
        if random.chance(0.8) {
            let gauge = GaugeFigure(Double(random.below(1000)) / 7)
            metrics.append(Metric("queue_jobs", .gauge, series: [Metric.Series([], .gauge(gauge))]))
        }
        if random.chance(0.8) {
            let values = (0..<random.below(50)).map { _ in Spread.exponential.draw(&random) }
            let value = MetricValue.histogram(sketch(values))
            metrics.append(Metric("call_seconds", .histogram, unit: .seconds, series: [Metric.Series([], value)]))
        }
        // Two releases.
        metrics.append(
            random.chance(0.5)
                ? Metric("disk_bytes", .gauge, unit: .bytes, series: [Metric.Series([], .gauge(GaugeFigure(1)))])
                : Metric(
                    "disk_bytes", .gauge, unit: .bytes, labelNames: ["disk"],
                    series: [Metric.Series(["sda"], .gauge(GaugeFigure(2)))]))
        return MetricSnapshot(metrics)
    }

    @Test(arguments: seeds)
    func `merging is associative and commutative, bit for bit`(seed: Seed) {
        var random = SeededGenerator(seed.number)
        for _ in 0..<30 {
            let parts = (0..<3).map { _ in Self.snapshot(&random) }
            let (a, b, c) = (parts[0], parts[1], parts[2])
            #expect(merged([a, b]) == merged([b, a]), "\(seed.replay)")
            #expect(merged([merged([a, b]), c]) == merged([a, merged([b, c])]), "\(seed.replay)")
            #expect(merged([a, MetricSnapshot()]) == a)
        }
    }

    @Test(arguments: seeds)
    func `folding loses no count`(seed: Seed) {
        var random = SeededGenerator(seed.number)
        let parts = (0..<10).map { _ in Self.snapshot(&random) }
        let all = merged(parts)
        #expect(all.total("jobs_done_total") == parts.reduce(0) { $0 + $1.total("jobs_done_total") })
        #expect((all["jobs_done_total"]?.series.count ?? 0) <= 1 + (all["jobs_done_total"]?.seriesMax ?? 0))
    }

    @Test func `series beyond the limit become one, those whose labels come first stay`() {
        let series = ["d", "b", "a", "c"].map { Metric.Series([$0], .counter(1)) }
        let metric = Metric("jobs_done_total", .counter, labelNames: ["kind"], seriesMax: 2, series: series)
        #expect(metric.series.map(\.labels) == [["a"], ["b"], ["other"]])
        #expect(metric["other"] == .counter(2))
    }

    @Test func `gauges of nodes keep sum, extremes and how many they are`() {
        var gauge = GaugeFigure(3)
        gauge.merge(GaugeFigure(-1))
        gauge.merge(GaugeFigure(10))
        #expect((gauge.sum, gauge.minimum, gauge.maximum, gauge.nodes, gauge.mean) == (12, -1, 10, 3, 4))
    }

    @Test func `a name that means two things is reported, and one meaning stays everywhere`() {
        let plain = MetricSnapshot([Metric("disk_bytes", .gauge, series: [Metric.Series([], .gauge(GaugeFigure(1)))])])
        let labelled = MetricSnapshot([
            Metric("disk_bytes", .gauge, labelNames: ["disk"], series: [Metric.Series(["sda"], .gauge(GaugeFigure(2)))])
        ])
        let both = merged([plain, labelled, labelled])
        #expect(both == merged([labelled, plain, labelled]))
        #expect(both.conflicts == ["disk_bytes"])
        #expect(both["disk_bytes"]?.labelNames == [])
    }

    @Test func `what outlives a node is counters and histograms`() {
        var random = SeededGenerator(3)
        let snapshot = merged((0..<5).map { _ in Self.snapshot(&random) })
        #expect(snapshot.cumulative.metrics.map(\.name) == ["call_seconds", "jobs_done_total"])
    }

    // MARK: On the wire

    @Test(arguments: seeds)
    func `a snapshot travels unchanged`(seed: Seed) throws {
        var random = SeededGenerator(seed.number)
        let snapshot = merged([Self.snapshot(&random), Self.snapshot(&random)])
        let bytes = try WireEncoder().encode(snapshot)
        #expect(try WireDecoder().decode(MetricSnapshot.self, from: bytes) == snapshot)
    }

    /// As a later release might write it: more fields, and a kind of metric that this one does not know.
    private struct LaterSnapshot: Codable {
        struct Metric: Codable {
            var n: String
            var k: String
            var u: String
            var o = 10
            var l: [String]?
            var s: [Series]
            var exemplars: [Double]? = [1.5]
        }
        struct Series: Codable {
            var l: [String]?
            var c: UInt64?
            var t: [Double]?
        }
        var m: [Metric]
        var region: String? = "one"
    }

    @Test func `what a later release adds is left out, the rest is read`() throws {
        let later = LaterSnapshot(m: [
            LaterSnapshot.Metric(n: "a_done_total", k: "counter", u: "count", s: [.init(c: 5)]),
            LaterSnapshot.Metric(n: "b_spread", k: "topk", u: "count", s: [.init(t: [1, 2])]),
            LaterSnapshot.Metric(n: "c_moles_total", k: "counter", u: "moles", s: [.init(c: 7)]),
        ])
        let read = try WireDecoder().decode(MetricSnapshot.self, from: WireEncoder().encode(later))
        #expect(read.metrics.map(\.name) == ["a_done_total", "c_moles_total"])
        #expect(read.total("a_done_total") == 5)
        #expect(read["c_moles_total"]?.unit == .count)
    }

    @Test func `a later release reads what this one writes`() throws {
        let bytes = try WireEncoder().encode(counted(9, labels: ["x"]))
        let read = try WireDecoder().decode(LaterSnapshot.self, from: bytes)
        #expect(read.m.map(\.n) == ["things_done_total"])
        #expect(read.m.first?.s.first?.c == 9)
        #expect(read.m.first?.s.first?.l == ["x"])
        #expect(read.region == nil)
    }

    @Test func `snapshots that break the rules are refused`() throws {
        func isRefused(_ metric: LaterSnapshot.Metric) throws -> Bool {
            let bytes = try WireEncoder().encode(LaterSnapshot(m: [metric]))
            return (try? WireDecoder().decode(MetricSnapshot.self, from: bytes)) == nil
        }
        #expect(try !isRefused(.init(n: "a_total", k: "counter", u: "count", s: [.init(c: 1)])))
        #expect(try isRefused(.init(n: "A total", k: "counter", u: "count", s: [.init(c: 1)])))
        #expect(try isRefused(.init(n: "a_total", k: "counter", u: "count", s: [.init(l: ["x"], c: 1)])))
        #expect(try isRefused(.init(n: "a_total", k: "gauge", u: "count", s: [.init(c: 1)])))
        #expect(try isRefused(.init(n: "a_seconds", k: "histogram", u: "seconds", s: [])))
        #expect(try isRefused(.init(n: "a_total", k: "counter", u: "count", o: 0, s: [])))
        let long = String(repeating: "x", count: 100)
        #expect(try isRefused(.init(n: "a_total", k: "counter", u: "count", l: ["x"], s: [.init(l: [long], c: 1)])))
        let many = (0..<20).map { LaterSnapshot.Series(l: ["v\($0)"], c: 1) }
        #expect(try isRefused(.init(n: "a_total", k: "counter", u: "count", l: ["x"], s: many)))
        let metrics = (0...MetricSnapshot.metricsMax).map {
            LaterSnapshot.Metric(n: "a\($0)_total", k: "counter", u: "count", s: [])
        }
        let bytes = try WireEncoder().encode(LaterSnapshot(m: metrics))
        #expect((try? WireDecoder().decode(MetricSnapshot.self, from: bytes)) == nil)
    }
}
