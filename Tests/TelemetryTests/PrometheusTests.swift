import ActorCluster
import ClusterSimulation
import Telemetry
import Testing

@Suite struct PrometheusTests {
    static func filled() -> MetricRegistry {
        let registry = MetricRegistry()
        let jobs = registry.counters(
            .counter("jobs_done_total", help: "Jobs \\ that\nare done.", labels: ["kind", "outcome"]))
        jobs["a \"quoted\" \\ kind", "ok"].count(3)
        jobs["render", "failed"].count()
        registry.gauge(.gauge("disk_free_ratio", unit: .ratio, help: "Free space.")).set(0.25)
        registry.gauge(.gauge("clock_offset_seconds", unit: .seconds, help: "Offset.")).set(-1e-7)
        let seconds = registry.histograms(.histogram("stage_seconds", help: "Time.", labels: ["stage"]))
        for number in 1...1000 { seconds["render"].record(Double(number) / 10) }
        seconds["probe"].record(0)
        _ = registry.histogram(
            .histogram("upload_bytes", unit: .bytes, help: "Size.", bounds: MetricDeclaration.bytesBounds))
        return registry
    }

    @Test func `the text is what promtool takes, to the letter`() throws {
        let parsed = try PrometheusParser(Self.filled().prometheusText())
        #expect(parsed.lint.isEmpty, "\(parsed.lint)")
        let jobs = try #require(parsed.families["jobs_done_total"])
        #expect(jobs.help == "Jobs \\ that\nare done.")
        #expect(
            Set(jobs.samples) == [
                .init(name: "jobs_done_total", labels: ["kind": "a \"quoted\" \\ kind", "outcome": "ok"], value: 3),
                .init(name: "jobs_done_total", labels: ["kind": "render", "outcome": "failed"], value: 1),
            ])
        #expect(parsed.families["disk_free_ratio"]?.samples.first?.value == 0.25)
        #expect(parsed.families["clock_offset_seconds"]?.samples.first?.value == -1e-7)
    }

    @Test func `a histogram is cut at its bounds`() throws {
        let parsed = try PrometheusParser(Self.filled().prometheusText())
        let family = try #require(parsed.families["stage_seconds"])
        #expect(family.type == "histogram")
        func value(_ name: String, _ labels: [String: String]) -> Double? {
            family.samples.first { $0.name == name && $0.labels == labels }?.value
        }
        #expect(value("stage_seconds_count", ["stage": "render"]) == 1000)
        #expect(value("stage_seconds_sum", ["stage": "render"]) == 50_050)
        #expect(value("stage_seconds_bucket", ["stage": "render", "le": "+Inf"]) == 1000)
        #expect(value("stage_seconds_bucket", ["stage": "render", "le": "120"]) == 1000)
        let half = try #require(value("stage_seconds_bucket", ["stage": "render", "le": "30"]))
        #expect(294...306 ~= half)
        #expect(value("stage_seconds_bucket", ["stage": "probe", "le": "0.005"]) == 1)
    }

    @Test func `the cluster's own counters are in it`() throws {
        let world = try MetricsWorld(nodes: 3)
        let aggregator = world.aggregator("node-1")
        let text = try world.world.perform(on: "node-1") { _ in await aggregator.prometheusText() }
        let parsed = try PrometheusParser(text)
        #expect(parsed.lint.isEmpty, "\(parsed.lint)")
        #expect((parsed.families["cluster_dials_total"]?.samples.first?.value ?? 0) > 0)
        let members = try #require(parsed.families["cluster_members_known"])
        #expect(members.samples.first { $0.labels == ["status": "alive"] }?.value == 3)
    }

    // MARK: The parser itself

    @Test(arguments: [
        "a_total 1",
        "# TYPE a_total counter\n# TYPE a_total counter\na_total 1\n",
        "# HELP a_total x\n# HELP a_total y\na_total 1\n",
        "a_total 1\n# TYPE a_total counter\n",
        "# TYPE a_total counter\na_total 1\nb 2\na_total{x=\"1\"} 1\n",
        "# TYPE a_total sum\na_total 1\n",
        "a_total 1\na_total 2\n",
        "a_total{x=\"1\",x=\"2\"} 1\n",
        "a_total{x=\"\\q\"} 1\n",
        "a_total{x=\"1} 1\n",
        "a_total{1x=\"1\"} 1\n",
        "a_total one\n",
        "a_total 1 now\n",
        "a_total 1 2 3\n",
        "1a_total 1\n",
        "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n",
        "# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
        "# TYPE a histogram\na_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
        "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n",
        "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1\n",
        "# TYPE a histogram\na_bucket 1\na_sum 1\na_count 1\n",
    ])
    func `the parser of these tests refuses what promtool refuses`(text: String) {
        #expect(throws: PrometheusParser.Mistake.self) { try PrometheusParser(text) }
    }

    @Test(arguments: [
        "# TYPE a_total counter\na_total 1\n", "# HELP a_calls x\n# TYPE a_calls counter\na_calls 1\n",
        "# HELP a_total x\n# TYPE a_total gauge\na_total 1\n", "# HELP a_ms x\n# TYPE a_ms gauge\na_ms 1\n",
        "# HELP a_milliseconds x\n# TYPE a_milliseconds gauge\na_milliseconds 1\n",
        "# HELP a_gauge x\n# TYPE a_gauge gauge\na_gauge 1\n", "# HELP aB x\n# TYPE aB gauge\naB 1\n",
        "# HELP a:b x\n# TYPE a:b gauge\na:b 1\n", "# HELP a_count x\n# TYPE a_count gauge\na_count 1\n",
    ])
    func `the linter of these tests finds what promtool finds`(text: String) throws {
        #expect(try !PrometheusParser(text).lint.isEmpty)
    }
}
