import ClipModel
import Telemetry

extension MetricRegistry {
    /// What attempts at stages take on this node; to be told of every one when it has ended, well or not.
    func stageEfforts() -> @Sendable (StageName, Effort) -> Void {
        let cpu = histograms(
            .histogram(
                "stage_cpu_seconds", help: "Processor time that one attempt at a stage took, failed ones too.",
                labels: ["stage"], seriesMax: StageName.allCases.count))
        let read = counters(
            .counter(
                "stage_read_bytes_total", unit: .bytes, help: "Bytes that attempts at stages read from files.",
                labels: ["stage"], seriesMax: StageName.allCases.count))
        let written = counters(
            .counter(
                "stage_written_bytes_total", unit: .bytes, help: "Bytes that attempts at stages made blobs of.",
                labels: ["stage"], seriesMax: StageName.allCases.count))
        return { stage, effort in
            cpu[labels: [stage.rawValue]].record(effort.cpuSeconds)
            read[labels: [stage.rawValue]].count(Int(effort.bytesRead ?? 0))
            written[labels: [stage.rawValue]].count(Int(effort.bytesWritten))
        }
    }

    /// Attempts that wait for what an operator has to bring back; to be told of every one.
    func stageWaits() -> @Sendable (Failure) -> Void {
        let waits = counters(
            .counter(
                "stage_waits_total",
                help: "Attempts at stages that failed for what is waited for: a full disk, a service that is away.",
                labels: ["code"], seriesMax: 10))
        return { waits[labels: [$0.code]].count(1) }
    }
}
