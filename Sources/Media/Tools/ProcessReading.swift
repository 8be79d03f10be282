import ClipModel
import Glibc
import SystemPackage

/// What the kernel has counted for one child. To be taken before the child is reaped: until then its number is its own,
/// and the counts stand still once it is dead.
struct ProcessReading: Hashable, Sendable {
    var cpuSeconds: Double
    /// Nil where the kernel does not count it.
    var bytesRead: Int64?
    /// Nil once the process is dying: its memory goes first.
    var memoryPeakBytes: Int64?

    /// Nil when there is no such process.
    init?(of process: pid_t) {
        guard let cpuSeconds = CPUClock.seconds(of: process) else { return nil }
        self.cpuSeconds = cpuSeconds
        bytesRead = Self.number("rchar:", in: "/proc/\(process)/io")
        memoryPeakBytes = Self.memoryPeakBytes(of: process)
    }

    /// What was spent since `earlier`.
    func effort(since earlier: ProcessReading? = nil) -> Effort {
        let before = earlier.map(\.bytesRead) ?? 0
        return Effort(
            cpuSeconds: max(0, cpuSeconds - (earlier?.cpuSeconds ?? 0)),
            bytesRead: bytesRead.flatMap { now in before.map { max(0, now - $0) } }, memoryPeakBytes: memoryPeakBytes)
    }

    /// The largest resident set that the program had since it was started.
    static func memoryPeakBytes(of process: pid_t) -> Int64? {
        number("VmHWM:", in: "/proc/\(process)/status").map { $0 << 10 }
    }

    private static let fileBytesMax = 4 << 10

    /// The number that stands after `name` in one of the kernel's lists.
    private static func number(_ name: String, in path: String) -> Int64? {
        guard let file = try? FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec) else { return nil }
        let bytes = try? file.closeAfter {
            try unsafe [UInt8](unsafeUninitializedCapacity: fileBytesMax) { buffer, filled in
                // Sound: reads at most the capacity that was asked for.
                filled = try unsafe file.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
        guard let bytes else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix(name) {
            return line.dropFirst(name.count).split(whereSeparator: \.isWhitespace).first.flatMap { Int64($0) }
        }
        return nil
    }
}

/// Follows the memory of one child. Its peak goes with its memory when it exits, and what `wait` tells instead begins
/// at the size of the node that forked it; so it is looked at while it prints, whenever it has worked a little more.
struct MemoryWatch {
    /// 20 looks a second of one core, of 30 µs each.
    private static let cpuSecondsBetween = 0.05

    private let process: pid_t
    private var lookedAt = 0.0
    private(set) var peakBytes: Int64?

    init(of process: pid_t) { self.process = process }

    mutating func look() {
        guard let spent = CPUClock.seconds(of: process), spent - lookedAt >= Self.cpuSecondsBetween else { return }
        lookedAt = spent
        peakBytes = ProcessReading.memoryPeakBytes(of: process) ?? peakBytes
    }
}
