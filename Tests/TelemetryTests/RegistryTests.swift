import Synchronization
import Telemetry
import Testing
import WireProtocol

@Suite struct RegistryTests {
    @Test func `what is counted is in the snapshot`() {
        let registry = MetricRegistry()
        let jobs = registry.counters(.counter("jobs_done_total", help: "Jobs.", labels: ["stage"]))
        jobs["render"].count()
        jobs["render"].count(4)
        jobs["probe"].count()
        let waiting = registry.gauge(.gauge("jobs_waiting", help: "Jobs."))
        waiting.set(5)
        waiting.add(-2)
        registry.histogram(.histogram("stage_seconds", help: "Time.")).record(.milliseconds(250))
        let snapshot = registry.snapshot()
        #expect(snapshot["jobs_done_total"]?["render"] == .counter(5))
        #expect(snapshot["jobs_done_total"]?["probe"] == .counter(1))
        #expect(snapshot["jobs_waiting"]?[] == .gauge(GaugeFigure(3)))
        guard case .histogram(let sketch)? = snapshot["stage_seconds"]?[] else {
            Issue.record("no histogram")
            return
        }
        #expect((sketch.count, sketch.sum) == (1, 0.25))
    }

    @Test func `the same declaration is the same metric`() {
        let registry = MetricRegistry()
        let declaration = MetricDeclaration.counter("jobs_done_total", help: "Jobs.")
        registry.counter(declaration).count()
        registry.counter(declaration).count()
        #expect(registry.counter(declaration).total == 2)
    }

    @Test func `two declarations of one name are a mistake`() async {
        await #expect(processExitsWith: .failure) {
            let registry = MetricRegistry()
            _ = registry.counter(.counter("jobs_done_total", help: "Jobs."))
            _ = registry.counter(.counter("jobs_done_total", help: "Other jobs."))
        }
    }

    @Test func `a bad name is a mistake where it is declared`() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricRegistry().counter(.counter("jobsDone", help: "Jobs."))
        }
    }

    @Test func `counts of many threads are all there`() async {
        let registry = MetricRegistry()
        let counter = registry.counter(.counter("jobs_done_total", help: "Jobs."))
        let gauge = registry.gauge(.gauge("jobs_waiting", help: "Jobs."))
        let histogram = registry.histogram(.histogram("stage_seconds", help: "Time."))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { @concurrent in
                    for number in 0..<2000 {
                        counter.count()
                        gauge.add(1)
                        histogram.record(Double(number))
                    }
                }
            }
        }
        #expect(counter.total == 16_000)
        #expect(gauge.current == 16_000)
        #expect(histogram.current.count == 16_000)
        #expect(histogram.current.sum == 8 * 1999 * 1000)
    }

    @Test func `what is no number is not measured, and that is counted`() {
        let registry = MetricRegistry()
        let gauge = registry.gauge(.gauge("jobs_waiting", help: "Jobs."))
        gauge.set(2)
        gauge.set(.nan)
        gauge.add(.infinity)
        registry.histogram(.histogram("stage_seconds", help: "Time.")).record(.nan)
        #expect(gauge.current == 2)
        #expect(registry.snapshot().total(MetricRegistry.refusedName) == 3)
    }

    // MARK: Limits

    @Test func `a metric has so many series, and what is beyond is counted as other`() {
        let registry = MetricRegistry()
        let family = registry.counters(.counter("jobs_done_total", help: "Jobs.", labels: ["kind"], seriesMax: 3))
        for kind in ["a", "b", "c", "d", "e"] { family[kind].count() }
        family["a"].count()
        let snapshot = registry.snapshot()
        #expect(snapshot["jobs_done_total"]?.series.map(\.labels) == [["a"], ["b"], ["c"], ["other"]])
        #expect(snapshot["jobs_done_total"]?["other"] == .counter(2))
        #expect(snapshot["jobs_done_total"]?["a"] == .counter(2))
        #expect(snapshot[MetricRegistry.foldedName]?["jobs_done_total"] == .counter(2))
    }

    @Test func `a value that names one thing is counted as other`() {
        let registry = MetricRegistry()
        let family = registry.counters(.counter("jobs_done_total", help: "Jobs.", labels: ["kind"]))
        family["01ARZ3NDEKTSV4RRFFQ69G5FAV"].count()
        #expect(registry.snapshot()["jobs_done_total"]?.series.map(\.labels) == [["other"]])
    }

    @Test func `a registry has so many series of all metrics, and of histograms`() {
        var limits = MetricRegistry.Limits()
        limits.seriesMax = 5
        limits.histogramSeriesMax = 2
        let registry = MetricRegistry(limits)
        let seconds = registry.histograms(.histogram("stage_seconds", help: "Time.", labels: ["stage"]))
        for stage in ["a", "b", "c"] { seconds[stage].record(1) }
        let jobs = registry.counters(.counter("jobs_done_total", help: "Jobs.", labels: ["kind"]))
        for kind in ["a", "b", "c", "d"] { jobs[kind].count() }
        let snapshot = registry.snapshot()
        #expect(snapshot["stage_seconds"]?.series.map(\.labels) == [["a"], ["b"], ["other"]])
        #expect(snapshot["jobs_done_total"]?.series.map(\.labels) == [["a"], ["b"], ["c"], ["other"]])
    }

    @Test func `metrics have an end`() async {
        await #expect(processExitsWith: .failure) {
            let registry = MetricRegistry()
            for number in 0..<registry.limits.metricsMax {
                _ = registry.counter(.counter("jobs_of\(number)_total", help: "Jobs."))
            }
        }
    }

    /// A node's report has to fit into a frame, whatever the node counts.
    @Test func `a registry that is filled to its limits fits into a frame`() throws {
        let registry = MetricRegistry()
        let value = String(repeating: "x", count: 30)
        let families = (0..<20).map { number in
            registry.counters(
                .counter("jobs_of_kind\(number)_total", help: "Jobs.", labels: ["first", "second"], seriesMax: 1000))
        }
        for number in 0..<registry.limits.seriesMax {
            families[number % 20]["\(value) \(number)", value].count(1_000_000_000)
        }
        let histograms = (0..<64).map {
            registry.histograms(.histogram("stage\($0)_seconds", help: "Time.", labels: ["stage"]))
        }
        for number in 0..<registry.limits.histogramSeriesMax {
            let histogram = histograms[number % 64]["s\(number)"]
            // Every bucket that a sketch may have, and each with some hundred values.
            var value = 1.0
            for place in 0..<1024 {
                for _ in 0..<(place % 7 == 0 ? 200 : 2) { histogram.record(value) }
                value *= 1.0202
            }
        }
        let bytes = try WireEncoder().encode(registry.snapshot().withoutHelp)
        #expect(bytes.count < 900_000, "\(bytes.count) bytes")
        #expect(bytes.count > 200_000, "the test does not fill it")
    }

    // MARK: Readers

    @Test func `figures that are kept elsewhere are read when they are asked for`() {
        let registry = MetricRegistry()
        let calls = Mutex(3)
        registry.addReader([
            .counter("calls_sent_total", help: "Calls.", labels: ["reason"], seriesMax: 2),
            .gauge("links_open", help: "Links."),
        ]) { readings in
            let count = calls.withLock { $0 }
            readings.counter("calls_sent_total", labels: ["a"], count)
            readings.counter("calls_sent_total", labels: ["b"], count)
            readings.counter("calls_sent_total", labels: ["c"], count)
            readings.counter("calls_sent_total", labels: ["0123456789"], count)
            readings.gauge("links_open", 7)
            readings.gauge("links_open", .nan)
        }
        #expect(registry.snapshot().total("calls_sent_total") == 12)
        calls.withLock { $0 = 5 }
        let snapshot = registry.snapshot()
        #expect(snapshot["calls_sent_total"]?.series.map(\.labels) == [["a"], ["b"], ["other"]])
        #expect(snapshot["calls_sent_total"]?["other"] == .counter(10))
        #expect(snapshot["links_open"]?[] == .gauge(GaugeFigure(7)))
        #expect((snapshot[MetricRegistry.foldedName]?.series.count ?? 0) == 1)
    }
}
