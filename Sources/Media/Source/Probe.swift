import ClipModel
import Synchronization

/// Asks ffprobe what a source is, and decides whether it is taken.
package struct Probe {
    /// What the file at `path` is, when it can become clips; else a failure that says why not.
    package static func run(path: String, toolbox: Toolbox) async throws(MediaError) -> VideoFacts {
        let output = try await toolbox.run(command(path: path, limits: toolbox.configuration.probeLimits))
        // A file that ffprobe cannot open at all is damaged: its kind was recognised before.
        let json = try output.checked(otherwise: .undecodable).standardOutput
        let limits = toolbox.configuration.source
        var facts: VideoFacts
        do {
            facts = try Self.facts(fromJSON: json, limits: limits)
        } catch  where error.code == .unknownDuration {
            let measured = try await measuredSeconds(path: path, toolbox: toolbox)
            facts = try Self.facts(fromJSON: json, measuredSeconds: measured, limits: limits)
        }
        try await expectDecodable(path: path, facts: facts, toolbox: toolbox)
        if try await !isAudible(path: path, facts: facts, toolbox: toolbox) {
            (facts.audioStream, facts.audioCodec, facts.audioChannels) = (nil, nil, 0)
        }
        return facts
    }

    // MARK: The rules

    /// The facts in what ffprobe printed, or the reason why the source is not taken.
    ///
    /// `measuredSeconds` stands in when no length is written in the file (a recording of a browser).
    package static func facts(
        fromJSON json: [UInt8], measuredSeconds: Double? = nil, limits: SourceLimits = SourceLimits()
    ) throws(MediaError) -> VideoFacts {
        let report = try ProbeReport(json: json)
        let streams = report.streams ?? []
        guard !streams.isEmpty else { throw MediaError(.noStreams) }
        guard streams.count <= limits.streamsMax else { throw MediaError(.tooManyStreams, "\(streams.count)") }
        guard let video = videoStream(streams) else { throw MediaError(.noVideoStream) }
        guard !video.isEncrypted else { throw MediaError(.encrypted) }
        let coded = try codedSize(video, limits: limits)
        let length = try durationSeconds(report, video: video, measured: measuredSeconds, limits: limits)
        let audio = audioStream(streams)
        let rotation = video.rotationDegrees
        return VideoFacts(
            durationSeconds: length,
            displaySize: displaySize(coded, pixelAspect: video.pixelAspect, rotationDegrees: rotation),
            codedSize: coded, rotationDegrees: rotation, framesPerSecond: video.framesPerSecond,
            videoCodec: video.codecName ?? "unknown", videoStream: video.index, audioStream: audio?.index,
            audioCodec: audio?.codecName, audioChannels: audio?.channels ?? 0,
            isHDR: ["smpte2084", "arib-std-b67"].contains(video.colorTransfer),
            container: report.format?.name ?? "unknown", colorMatrix: video.colorMatrix)
    }

    /// The stream marked as default, else the largest, else the first: as players choose.
    private static func videoStream(_ streams: [ProbeReport.Stream]) -> ProbeReport.Stream? {
        streams.filter(\.isVideo).max { left, right in
            if left.isDefault != right.isDefault { return right.isDefault }
            if left.pixels != right.pixels { return left.pixels < right.pixels }
            return left.index > right.index
        }
    }

    /// The track marked as default, else the first.
    private static func audioStream(_ streams: [ProbeReport.Stream]) -> ProbeReport.Stream? {
        let tracks = streams.filter { $0.isSound && !$0.isEncrypted }
        return tracks.first(where: \.isDefault) ?? tracks.first
    }

    private static func codedSize(_ video: ProbeReport.Stream, limits: SourceLimits) throws(MediaError) -> PixelSize {
        guard let width = video.width, let height = video.height, width > 0, height > 0 else {
            throw MediaError(.undecodable, "the prober found no picture size")
        }
        let size = "\(width)x\(height)"
        guard max(width, height) <= limits.sideMax, video.pixels <= limits.pixelsMax else {
            throw MediaError(.pictureTooLarge, size)
        }
        guard min(width, height) >= limits.sideMin else { throw MediaError(.pictureTooSmall, size) }
        return PixelSize(width: width, height: height)
    }

    /// How the picture is seen: pixels made square by stretching the width, then turned.
    private static func displaySize(_ coded: PixelSize, pixelAspect: Double, rotationDegrees: Int) -> PixelSize {
        let width = max(1, Int((Double(coded.width) * pixelAspect).rounded()))
        let isTurned = rotationDegrees % 180 != 0
        return PixelSize(width: isTurned ? coded.height : width, height: isTurned ? width : coded.height)
    }

    /// Where the picture ends. Sound that goes on behind it makes no clip.
    private static func durationSeconds(
        _ report: ProbeReport, video: ProbeReport.Stream, measured: Double?, limits: SourceLimits
    ) throws(MediaError) -> Double {
        let fileStart = ProbeReport.seconds(report.format?.startTime) ?? 0
        let candidates = [ProbeReport.seconds(report.format?.duration), video.endSeconds(fileStart: fileStart)]
        let known = candidates.compactMap { $0 }.filter { $0 > 0 }.min()
        guard let length = known ?? measured, length > 0 else { throw MediaError(.unknownDuration) }
        guard length >= limits.secondsMin else { throw MediaError(.tooShort, "\(length) s") }
        guard length <= limits.secondsMax else { throw MediaError(.tooLong, "\(length) s") }
        return length
    }

    // MARK: The questions

    /// Asks for the entries of `ProbeReport`.
    package static func command(path: String, limits: ToolLimits) -> ToolCommand {
        let arguments = FFmpeg.probeLeading + ["-of", "json=compact=1", "-show_entries", ProbeReport.entries]
        return ToolCommand(.ffprobe, arguments + FFmpeg.input(path), limits: limits)
    }

    /// Reads all packets without decoding and sees where the last one ends.
    package static func measuringCommand(path: String, limits: ToolLimits) -> ToolCommand {
        let arguments = ["-map", "0:V", "-c", "copy"] + FFmpeg.progress + ["-f", "null", "-"]
        return ToolCommand(.ffmpeg, FFmpeg.leading + FFmpeg.input(path) + arguments, limits: limits)
    }

    private static func measuredSeconds(
        path: String, toolbox: Toolbox
    ) async throws(MediaError) -> Double? {
        let last = Mutex<Double?>(nil)
        // Nothing is decoded, so even four hours take seconds; the floor of a pass is ample.
        let command = measuringCommand(path: path, limits: toolbox.configuration.passLimits(overSeconds: 0))
        let output = try await toolbox.run(command) { line in
            guard line.hasPrefix("out_time_us="), let time = Double(line.dropFirst(12)) else { return }
            last.withLock { $0 = max($0 ?? 0, time / 1_000_000) }
        }
        _ = try output.checked(otherwise: .undecodable)
        return last.withLock { $0 }
    }

    /// Decodes two seconds of one stream, or `frames` frames of it, from `start` on; errors in between are skipped.
    package static func decodingCommand(
        path: String, stream: Int, start: Double, frames: Int? = nil, limits: ToolLimits
    ) -> ToolCommand {
        let seek = start > 0 ? ["-ss", FFmpeg.seconds(start)] : []
        let opening = FFmpeg.leading + FFmpeg.tolerant + FFmpeg.input(path, options: ["-threads", "2"] + seek)
        let part = ["-map", "0:\(stream)", "-t", "2"] + (frames.map { ["-frames:v", "\($0)"] } ?? [])
        return ToolCommand(.ffmpeg, opening + part + FFmpeg.progress + ["-f", "null", "-"], limits: limits)
    }

    /// One frame anywhere is enough: a damaged stretch is stepped over by every later pass. The middle is asked only
    /// when the beginning gives nothing.
    private static func expectDecodable(path: String, facts: VideoFacts, toolbox: Toolbox) async throws(MediaError) {
        for start in [0, facts.durationSeconds / 2] {
            let command = decodingCommand(
                path: path, stream: facts.videoStream, start: start, frames: 8,
                limits: toolbox.configuration.probeLimits)
            let frames = Mutex(0)
            let output = try await toolbox.run(command) { line in
                guard line.hasPrefix("frame="), let count = Int(line.dropFirst(6).trimmingSpaces) else { return }
                frames.withLock { $0 = max($0, count) }
            }
            if frames.withLock({ $0 > 0 }) { return }
            try expectOwnFault(output)
        }
        throw MediaError(.undecodable, "no frame at the beginning nor in the middle")
    }

    /// Whether there is a track, and a decoder for it. A track that nothing here can decode (object sound of phones)
    /// is no reason to refuse a video; it is treated as one without sound.
    private static func isAudible(path: String, facts: VideoFacts, toolbox: Toolbox) async throws(MediaError) -> Bool {
        guard let stream = facts.audioStream else { return false }
        let limits = toolbox.configuration.probeLimits
        let output = try await toolbox.run(decodingCommand(path: path, stream: stream, start: 0, limits: limits))
        try expectOwnFault(output)
        return output.succeeded
    }

    /// A decoder that fails says that the file is damaged. A tool that starved or was killed says nothing of the file.
    private static func expectOwnFault(_ output: ToolOutput) throws(MediaError) {
        if let error = output.error(otherwise: .undecodable), error.code != .undecodable { throw error }
    }
}
