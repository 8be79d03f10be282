import Jobs

/// The part of the configuration that says when there is too much to do, and when a machine is full.
package struct OverloadSettings: Sendable {
    package let overload: OverloadConfiguration
    package let claimGuard: ClaimGuard.Limits

    /// - Parameter blobsFreeBytesMin: what must stay free for running work to end.
    init(_ values: ConfigurationValues, blobsFreeBytesMin: Int64) throws(ConfigurationError) {
        let rungs = ["delayBatchSeconds", "sendAwaySeconds", "deferNewSeconds", "refuseSeconds"].map {
            (key: "overload.\($0)", seconds: values.integer("overload.\($0)"))
        }
        for (lower, higher) in zip(rungs, rungs.dropFirst()) where lower.seconds >= higher.seconds {
            throw ConfigurationError(["\(higher.key) must be more than \(lower.key), which is \(lower.seconds)"])
        }
        overload = OverloadConfiguration(
            thresholds: OverloadLadder.Thresholds(
                delayBatchSeconds: Double(rungs[0].seconds), sendAwaySeconds: Double(rungs[1].seconds),
                deferNewSeconds: Double(rungs[2].seconds), refuseSeconds: Double(rungs[3].seconds),
                fallsAtPercent: values.integer("overload.fallsAtPercent"),
                dwell: .seconds(values.integer("overload.dwellSeconds")), diskFreeBytesMin: blobsFreeBytesMin,
                memoryPressurePercent: Double(values.integer("overload.memoryPressurePercent"))),
            deferSecondsMax: Double(values.integer("overload.deferSecondsMax")))
        claimGuard = ClaimGuard.Limits(
            memoryFreeBytesMin: Int64(values.integer("worker.memoryFreeBytesMin")),
            stageMemoryBytes: Int64(values.integer("worker.stageMemoryBytes")),
            memoryPressurePercentMax: Double(values.integer("worker.memoryPressurePercentMax")),
            diskFreeBytesMin: blobsFreeBytesMin + Int64(values.integer("worker.scratchFreeBytesMin")))
    }
}
