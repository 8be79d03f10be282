/// What one attempt at a stage took, as it was measured. `EffortMeter` says how, and what is left out.
///
/// Kept with the attempt for as long as its events are, so fields are added and never renamed.
package struct Effort: Hashable, Sendable, Codable {
    /// Processor time, user and system together.
    package var cpuSeconds: Double
    /// Nil where it could not be found out.
    package var bytesRead: Int64?
    /// What became blobs.
    package var bytesWritten: Int64
    /// The resident set of the largest process that worked for it, at its peak. Nil when none lived long enough to be
    /// looked at.
    package var memoryPeakBytes: Int64?

    package init(
        cpuSeconds: Double = 0, bytesRead: Int64? = 0, bytesWritten: Int64 = 0, memoryPeakBytes: Int64? = nil
    ) {
        self.cpuSeconds = cpuSeconds
        self.bytesRead = bytesRead
        self.bytesWritten = bytesWritten
        self.memoryPeakBytes = memoryPeakBytes
    }

    /// Adds what was spent beside or after it. What is unknown of a part is unknown of the whole.
    package static func += (effort: inout Effort, more: Effort) {
        effort.cpuSeconds += more.cpuSeconds
        effort.bytesRead = effort.bytesRead.flatMap { read in more.bytesRead.map { read + $0 } }
        effort.bytesWritten += more.bytesWritten
        effort.memoryPeakBytes = [effort.memoryPeakBytes, more.memoryPeakBytes].compactMap(\.self).max()
    }
}
