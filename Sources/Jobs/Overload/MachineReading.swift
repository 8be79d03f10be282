package import Blobs
import Glibc

/// What a machine has left, at one moment. Nil: it could not be read.
package struct MachineReading: Sendable, Hashable {
    /// What can be had without swapping: of the machine, or of the control group where that is less.
    package var memoryAvailableBytes: Int64?
    /// Share of the last ten seconds in which something waited for memory, 0 to 100.
    package var memoryPressurePercent: Double?
    /// On the file system of the blobs, which is that of the scratch folder too.
    package var diskFreeBytes: Int64?

    package init(
        memoryAvailableBytes: Int64? = nil, memoryPressurePercent: Double? = nil, diskFreeBytes: Int64? = nil
    ) {
        self.memoryAvailableBytes = memoryAvailableBytes
        self.memoryPressurePercent = memoryPressurePercent
        self.diskFreeBytes = diskFreeBytes
    }

    /// Reads Linux: `/proc/meminfo`, pressure stall information, the control groups (version 2) that this process is
    /// in, and the file system of the blobs. Costs some ten microseconds each; nothing in it waits for a disk.
    package static func now(_ blobs: any BlobStore) -> MachineReading {
        var available = bytes("MemAvailable:", in: text("/proc/meminfo"))
        var pressure = stall(in: text("/proc/pressure/memory"))
        for group in groups(of: text("/proc/self/cgroup")) {
            let folder = "/sys/fs/cgroup" + group
            if let limit = number(in: text(folder + "/memory.max")),
                let used = number(in: text(folder + "/memory.current"))
            {
                // What the kernel can drop of cached files is used and can be had.
                let cache = plainNumber("inactive_file", in: text(folder + "/memory.stat")) ?? 0
                available = min(available ?? .max, max(0, limit - max(0, used - cache)))
            }
            if let own = stall(in: text(folder + "/memory.pressure")) { pressure = max(pressure ?? 0, own) }
        }
        return MachineReading(
            memoryAvailableBytes: available, memoryPressurePercent: pressure,
            diskFreeBytes: try? blobs.fileSystemFreeBytes())
    }

    // MARK: The kernel's text

    /// `MemAvailable:   123456 kB`
    static func bytes(_ name: String, in text: String) -> Int64? {
        plainNumber(name, in: text).map { $0 * 1024 }
    }

    /// `inactive_file 123456`
    static func plainNumber(_ name: String, in text: String) -> Int64? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count >= 2, words[0] == name { return Int64(words[1]) }
        }
        return nil
    }

    /// `some avg10=1.25 avg60=0.00 avg300=0.00 total=1234`
    static func stall(in text: String) -> Double? {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("some ") }),
            let word = line.split(separator: " ").first(where: { $0.hasPrefix("avg10=") })
        else { return nil }
        return Double(word.dropFirst("avg10=".count))
    }

    /// `max` is no number: there is no limit.
    static func number(in text: String) -> Int64? {
        text.split(separator: "\n").first.flatMap { Int64($0) }
    }

    /// From `0::/a/b`: `/a/b`, `/a` and the root. Limits of each hold.
    static func groups(of text: String) -> [String] {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("0::/") }) else { return [] }
        var path = line.dropFirst("0::".count)
        var groups: [String] = []
        while let slash = path.lastIndex(of: "/"), path.count > 1 {
            groups.append(String(path))
            path = path[..<slash]
        }
        return groups + [""]
    }

    /// Files of the kernel that this reads are some kilobytes long. Empty when there is none.
    private static func text(_ path: String) -> String {
        // The string lives for the length of the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { _ = close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: fileBytesMax)
        var length = 0
        while length < bytes.count {
            // Writes at most what is left of the array, which lives through the call.
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe read(descriptor, buffer.baseAddress! + length, buffer.count - length)
            }
            guard count > 0 else { break }
            length += count
        }
        return String(decoding: bytes[..<length], as: UTF8.self)
    }

    private static let fileBytesMax = 16_384
}
