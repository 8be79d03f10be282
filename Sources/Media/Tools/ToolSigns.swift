/// What is seen of a tool at one moment.
package struct ToolSigns: Hashable, Sendable {
    /// Pieces of its output that its reader was given.
    package var chunksRead: Int
    /// What it said last is being worked on. Meanwhile a tool may wait at a full pipe.
    package var isReaderBusy: Bool
    /// Of all its threads. Nil: it cannot be looked at, because it is not there yet or no more.
    package var cpuSeconds: Double?
    /// Nil where the kernel does not count it.
    package var bytesRead: Int64?

    package init(
        chunksRead: Int = 0, isReaderBusy: Bool = false, cpuSeconds: Double? = nil, bytesRead: Int64? = nil
    ) {
        self.chunksRead = chunksRead
        self.isReaderBusy = isReaderBusy
        self.cpuSeconds = cpuSeconds
        self.bytesRead = bytesRead
    }
}
