import Foundation

/// What ffprobe says of a rendered file.
package struct ClipStreams: Hashable, Sendable, Codable {
    package var durationSeconds: Double
    package var videoCodec: String
    package var videoProfile: String
    package var pixelFormat: String
    package var width: Int
    package var height: Int
    package var framesPerSecond: Double
    package var frameCount: Int
    package var audioCodec: String
    package var audioSamplesPerSecond: Int
    package var audioChannels: Int
    /// How much later the sound begins than the picture.
    package var soundOffsetSeconds: Double
    /// Streams that are neither the one picture nor the one sound.
    package var otherStreams: Int

    package init(
        durationSeconds: Double, videoCodec: String, videoProfile: String, pixelFormat: String, width: Int, height: Int,
        framesPerSecond: Double, frameCount: Int, audioCodec: String, audioSamplesPerSecond: Int, audioChannels: Int,
        soundOffsetSeconds: Double = 0, otherStreams: Int
    ) {
        self.durationSeconds = durationSeconds
        self.videoCodec = videoCodec
        self.videoProfile = videoProfile
        self.pixelFormat = pixelFormat
        self.width = width
        self.height = height
        self.framesPerSecond = framesPerSecond
        self.frameCount = frameCount
        self.audioCodec = audioCodec
        self.audioSamplesPerSecond = audioSamplesPerSecond
        self.audioChannels = audioChannels
        self.soundOffsetSeconds = soundOffsetSeconds
        self.otherStreams = otherStreams
    }

    package static func command(path: String, limits: ToolLimits) -> ToolCommand {
        let entries =
            "format=duration:stream=codec_type,codec_name,profile,pix_fmt,width,height,avg_frame_rate,nb_frames,"
            + "sample_rate,channels,start_time,duration"
        return ToolCommand(
            .ffprobe,
            FFmpeg.probeLeading + ["-of", "json=compact=1", "-show_entries", entries] + FFmpeg.input(path),
            limits: limits)
    }

    /// Reads what `command` printed. A file without a picture or without sound is no clip.
    package init(fromJSON json: [UInt8]) throws(MediaError) {
        let report: Report
        do {
            report = try JSONDecoder().decode(Report.self, from: Data(json))
        } catch {
            throw MediaError(.unexpectedOutput, "ffprobe on a clip: \(error)")
        }
        let streams = report.streams ?? []
        guard let video = streams.first(where: { $0.type == "video" }),
            let audio = streams.first(where: { $0.type == "audio" })
        else { throw MediaError(.clipRejected, "the rendered file has \(streams.map { $0.type ?? "nothing" })") }
        durationSeconds = Double(video.duration ?? report.format?.duration ?? "") ?? 0
        videoCodec = video.codec ?? "unknown"
        videoProfile = video.profile ?? "unknown"
        pixelFormat = video.pixelFormat ?? "unknown"
        width = video.width ?? 0
        height = video.height ?? 0
        framesPerSecond = Self.rate(video.averageRate)
        frameCount = Int(video.frames ?? "") ?? 0
        audioCodec = audio.codec ?? "unknown"
        audioSamplesPerSecond = Int(audio.sampleRate ?? "") ?? 0
        audioChannels = audio.channels ?? 0
        soundOffsetSeconds = (Double(audio.start ?? "") ?? 0) - (Double(video.start ?? "") ?? 0)
        otherStreams = streams.count - 2
    }

    private static func rate(_ text: String?) -> Double {
        let parts = (text ?? "").split(separator: "/").compactMap { Double($0) }
        guard parts.count == 2, parts[1] > 0 else { return 0 }
        return parts[0] / parts[1]
    }

    private struct Report: Decodable {
        struct Stream: Decodable {
            enum CodingKeys: String, CodingKey {
                case type = "codec_type"
                case codec = "codec_name"
                case pixelFormat = "pix_fmt"
                case averageRate = "avg_frame_rate"
                case frames = "nb_frames"
                case sampleRate = "sample_rate"
                case start = "start_time"
                case profile, width, height, channels, duration
            }
            var type: String?
            var codec: String?
            var profile: String?
            var pixelFormat: String?
            var width: Int?
            var height: Int?
            var averageRate: String?
            var frames: String?
            var sampleRate: String?
            var channels: Int?
            var start: String?
            var duration: String?
        }
        struct Format: Decodable { var duration: String? }
        var streams: [Stream]?
        var format: Format?
    }
}
