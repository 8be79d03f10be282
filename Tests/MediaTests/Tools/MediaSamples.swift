import Foundation
import Media

/// Small videos that ffmpeg makes for one test, in a directory that goes with it.
struct MediaSamples {
    let directory: URL
    let toolbox = Toolbox(MediaConfiguration())

    static func with<Result>(_ body: (MediaSamples) async throws -> Result) async throws -> Result {
        let directory = FileManager.default.temporaryDirectory.appending(path: "tijera-media-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        return try await body(MediaSamples(directory: directory))
    }

    func path(_ name: String) -> String { directory.appending(path: name).path }

    /// Makes `name` with `arguments` between the program and the output file; returns its path.
    func make(_ name: String, _ arguments: [String]) async throws -> String {
        let limits = ToolLimits(wallSeconds: 120, memoryBytes: 4 << 30)
        let command = ToolCommand(
            .ffmpeg, ["-nostdin", "-v", "error", "-y", "-threads", "2"] + arguments + ["file:" + path(name)],
            limits: limits)
        _ = try await toolbox.run(command).checked()
        return path(name)
    }

    /// A test picture with a tone.
    func video(
        _ name: String = "video.mp4", seconds: Double = 3, size: String = "320x240", rate: Int = 25,
        options: [String] = []
    ) async throws -> String {
        let picture = Self.source("testsrc2=size=\(size):rate=\(rate):duration=\(seconds)")
        let sound = Self.source("sine=frequency=440:duration=\(seconds)")
        return try await make(name, picture + sound + ["-preset", "ultrafast"] + options)
    }

    static func source(_ filter: String) -> [String] { ["-f", "lavfi", "-i", filter] }

    func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        try Data(bytes).write(to: URL(filePath: path(name)))
        return path(name)
    }
}
