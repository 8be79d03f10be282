import Telemetry
import Testing

@Suite struct NameTests {
    typealias Case = (name: String, kind: MetricKind, unit: MetricUnit)

    static let good: [Case] = [
        ("clip_stage_seconds", .histogram, .seconds), ("upload_received_bytes_total", .counter, .bytes),
        ("jobs_waiting", .gauge, .count), ("calls_total", .counter, .count), ("disk_used_ratio", .gauge, .ratio),
        ("queue_wait_seconds", .gauge, .seconds), ("http_requests_total", .counter, .count),
    ]

    static let bad: [Case] = [
        ("Jobs_total", .counter, .count), ("jobs__done_total", .counter, .count), ("jobs_", .gauge, .count),
        ("9_jobs", .gauge, .count), ("jobs:done_total", .counter, .count), ("", .gauge, .count),
        ("jobs_done", .counter, .count), ("jobs_total", .gauge, .count), ("stage_milliseconds", .histogram, .seconds),
        ("stage_ms", .histogram, .seconds), ("stage", .histogram, .seconds), ("seconds", .gauge, .seconds),
        ("stage_seconds", .gauge, .count), ("stage_bytes", .histogram, .seconds), ("cpu_percent", .gauge, .ratio),
        ("calls_count", .gauge, .count), ("calls_sum", .gauge, .count), ("calls_bucket", .gauge, .count),
        ("jobs_gauge", .gauge, .count), ("histogram_of_jobs", .gauge, .count), ("disk_megabytes", .gauge, .bytes),
        ("wait_minutes", .gauge, .seconds), ("jobs", .gauge, .count), ("total", .counter, .count),
        ("size_kb", .gauge, .bytes),
    ]

    @Test(arguments: good)
    func `names of a noun and a unit are taken`(named: Case) {
        #expect(MetricNames.problems(named.name, named.kind, named.unit).isEmpty)
    }

    @Test(arguments: bad)
    func `other names are refused`(named: Case) {
        #expect(!MetricNames.problems(named.name, named.kind, named.unit).isEmpty)
    }

    @Test func `a name has an end`() {
        let name = "a_" + String(repeating: "b", count: MetricNames.nameBytesMax - 2)
        #expect(MetricNames.isName(name))
        #expect(!MetricNames.isName(name + "b"))
    }

    @Test func `labels that name one thing are refused`() {
        for name in [
            "id", "job_id", "user", "client_url", "uuid", "le", "quantile", "job", "instance", "Kind", "_x", "api_key",
        ] {
            #expect(MetricNames.problem(label: name) != nil, "\(name)")
        }
        for name in ["kind", "stage", "outcome", "region", "status_code"] {
            #expect(MetricNames.problem(label: name) == nil, "\(name)")
        }
    }

    @Test func `values that name one thing are refused`() {
        let names = [
            "", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "1732500000", "deadbeefdeadbeef",
            "a\nb", String(repeating: "é", count: 33), "job-20261125-1",
        ]
        for value in names { #expect(!MetricNames.isLabelValue(value), "\(value)") }
        let kinds = [
            "render", "404", "eu-west-1", "x86_64", "node-12", "deadline_exceeded", "wrongClusterOrProtocolVersion",
        ]
        for value in kinds { #expect(MetricNames.isLabelValue(value), "\(value)") }
    }

    @Test func `declarations are checked whole`() {
        #expect(MetricDeclaration.counter("jobs_done_total", help: "Jobs.").problems.isEmpty)
        #expect(!MetricDeclaration.counter("jobs_done_total", help: "").problems.isEmpty)
        let long = String(repeating: "x", count: MetricDeclaration.helpBytesMax + 1)
        #expect(!MetricDeclaration.counter("jobs_done_total", help: long).problems.isEmpty)
        #expect(!MetricDeclaration.counter("jobs_done_total", help: "Jobs.", labels: ["a", "a"]).problems.isEmpty)
        #expect(
            !MetricDeclaration.counter("jobs_done_total", help: "J.", labels: ["a", "b", "c", "d", "e"]).problems
                .isEmpty)
        #expect(!MetricDeclaration.counter("jobs_done_total", help: "J.", labels: ["a"], seriesMax: 0).problems.isEmpty)
        #expect(
            !MetricDeclaration.counter("jobs_done_total", help: "J.", labels: ["a"], seriesMax: 1001).problems.isEmpty)
        #expect(!MetricDeclaration.histogram("job_seconds", help: "J.", bounds: [2, 1]).problems.isEmpty)
        #expect(!MetricDeclaration.histogram("job_seconds", help: "J.", bounds: []).problems.isEmpty)
        #expect(!MetricDeclaration.histogram("job_seconds", help: "J.", bounds: [0, 1]).problems.isEmpty)
        #expect(
            !MetricDeclaration.histogram("job_seconds", help: "J.", bounds: (1...41).map { Double($0) }).problems
                .isEmpty)
        for bounds in [
            MetricDeclaration.secondsBounds, MetricDeclaration.callSecondsBounds, MetricDeclaration.bytesBounds,
        ] {
            #expect(MetricDeclaration.histogram("job_seconds", help: "J.", bounds: bounds).problems.isEmpty)
        }
    }
}
