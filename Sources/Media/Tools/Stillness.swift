/// Tells a tool that stands still from one that is slow: it computes nothing, reads nothing and says nothing, though
/// nobody keeps it waiting.
///
/// Any sign that is not what it was at the look before counts, however little it moved: a tool on a machine that is
/// busy with others may get a thousandth of a second of it. The price is ffmpeg from version 7 on, whose main thread
/// wakes twice a second for its report while others do the work: once its files are open, one that waits for ever still
/// computes a little. It is ended by its wall limit there, and by this one when it hangs while it opens them or is
/// stopped as a whole.
package struct Stillness: Sendable {
    private let limitSeconds: Double
    private var last: ToolSigns
    private var stillSeconds = 0.0

    /// - Parameter first: what was seen when the tool was started.
    package init(limitSeconds: Double, first: ToolSigns) {
        precondition(limitSeconds > 0, "limitSeconds is \(limitSeconds)")
        self.limitSeconds = limitSeconds
        last = first
    }

    /// Whether the last look found a sign of life.
    package var isAlive: Bool { stillSeconds == 0 }

    /// Four looks in one limit: what fell still just after a look is noticed a fourth of the limit late.
    package var secondsBetweenLooks: Double { limitSeconds / 4 }

    /// The tool was looked at, `seconds` after the look before. True: it has been still for too long.
    ///
    /// Only time between looks counts, so a node that was itself stopped for an hour does not end its tools for it.
    package mutating func saw(_ signs: ToolSigns, afterSeconds seconds: Double) -> Bool {
        // Nothing is said of a process that cannot be looked at.
        let lives = signs.isReaderBusy || signs.cpuSeconds == nil || signs != last
        stillSeconds = lives ? 0 : stillSeconds + seconds
        last = signs
        return stillSeconds >= limitSeconds
    }
}
