import Foundation

/// A finished program: its exit code, what it printed, wall and CPU seconds of it and all its children.
struct Finished {
    let code: Int32
    let output: Data
    let wallSeconds: Double
    let cpuSeconds: Double
}

enum Processes {
    /// Runs a program to its end. One at a time: CPU time is read as the growth of our children's.
    static func run(_ program: String, _ arguments: [String]) throws -> Finished {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        let cpu = childrenCPUSeconds()
        let start = ContinuousClock.now
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let wall = start.duration(to: .now) / .seconds(1)
        return Finished(
            code: process.terminationStatus, output: output, wallSeconds: wall,
            cpuSeconds: childrenCPUSeconds() - cpu)
    }

    /// As `run`, but a failure ends the benchmark: a figure of something that failed is no figure.
    static func must(_ program: String, _ arguments: [String]) throws -> Finished {
        let finished = try run(program, arguments)
        guard finished.code == 0 else {
            throw BenchmarkError("\(program) \(arguments.joined(separator: " ")) ended with \(finished.code)")
        }
        return finished
    }

    /// User and system seconds of our children that have ended.
    private static func childrenCPUSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    /// CPU seconds of processes by pid, with their ended and their living children.
    static func cpuSeconds(of pids: [Int32]) -> Double {
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        var total = 0.0
        var parents: [Int32: [Int32]] = [:]
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        for pid in all {
            if let fields = stat(pid), let parent = Int32(fields[1]) { parents[parent, default: []].append(pid) }
        }
        var queue = pids
        while let pid = queue.popLast() {
            guard let fields = stat(pid) else { continue }
            // utime, stime, cutime, cstime: fields 14 to 17 of proc(5); the first two columns are cut off here.
            total += fields[11...14].compactMap { Double($0) }.reduce(0, +) / ticks
            queue += parents[pid] ?? []
        }
        return total
    }

    /// Most memory a process ever had, in MB, without its children.
    static func peakMemoryMB(of pid: Int32) -> Double {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (Double(line.split(separator: " ").dropLast().last ?? "0") ?? 0) / 1024
    }

    /// The columns of /proc/PID/stat after the name, which may itself hold spaces and brackets.
    private static func stat(_ pid: Int32) -> [Substring]? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        return text[text.index(after: end)...].split(separator: " ")
    }
}

struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
