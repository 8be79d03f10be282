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

    /// Nil when there is no such process. What it has waited for counts with it: before a tool in a sandbox there is
    /// the one that made the sandbox.
    init?(of process: pid_t) {
        guard let own = CPUClock.seconds(of: process) else { return nil }
        cpuSeconds = own + Self.waitedForCPUSeconds(of: process)
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

    /// Of children that have ended, in the kernel's ticks: proc(5), `cutime` and `cstime` of `stat`.
    private static func waitedForCPUSeconds(of process: pid_t) -> Double {
        // The name of the program, which stands in brackets, may hold anything.
        guard let text = text(of: "/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else { return 0 }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 14, let user = Double(fields[13]), let system = Double(fields[14]) else { return 0 }
        return (user + system) / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
    }

    /// The process `depth` below in a chain of processes that each have one child; nil while it is not there.
    static func descendant(of process: pid_t, depth: Int) -> pid_t? {
        var found = process
        for _ in 0..<depth {
            guard let text = text(of: "/proc/\(found)/task/\(found)/children"),
                let child = text.split(separator: " ").first.flatMap({ pid_t($0) })
            else { return nil }
            found = child
        }
        return found
    }

    private static let fileBytesMax = 4 << 10

    /// The number that stands after `name` in one of the kernel's lists.
    private static func number(_ name: String, in path: String) -> Int64? {
        guard let text = text(of: path) else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            return line.dropFirst(name.count).split(whereSeparator: \.isWhitespace).first.flatMap { Int64($0) }
        }
        return nil
    }

    private static func text(of path: String) -> String? {
        guard let file = try? FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec) else { return nil }
        let bytes = try? file.closeAfter {
            try unsafe [UInt8](unsafeUninitializedCapacity: fileBytesMax) { buffer, filled in
                // Sound: reads at most the capacity that was asked for.
                filled = try unsafe file.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Follows the memory of one child. Its peak goes with its memory when it exits, and what `wait` tells instead begins
/// at the size of the node that forked it; so it is looked at while it prints, whenever it has worked a little more.
struct MemoryWatch {
    /// 20 looks a second of one core, of 30 µs each.
    private static let cpuSecondsBetween = 0.05

    private let first: pid_t
    /// How many processes stand before the tool.
    private let depth: Int
    /// The tool itself; nil while it is not known, because what stands before it has not started it yet.
    private var process: pid_t?
    private var lookedAt = 0.0
    private(set) var peakBytes: Int64?

    init(of process: pid_t, behind depth: Int = 0) {
        first = process
        self.depth = depth
        self.process = depth == 0 ? process : nil
    }

    mutating func look() {
        if process == nil { process = ProcessReading.descendant(of: first, depth: depth) }
        guard let process else { return }
        guard let spent = CPUClock.seconds(of: process), spent - lookedAt >= Self.cpuSecondsBetween else { return }
        lookedAt = spent
        peakBytes = ProcessReading.memoryPeakBytes(of: process) ?? peakBytes
    }
}
