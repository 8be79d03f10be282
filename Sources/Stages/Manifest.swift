package import ClipModel
package import Media

/// `manifest.json`: the whole story of a job beside its clips. Times are RFC 3339, durations seconds. Field names are
/// part of the contract with clients: add, do not rename.
package struct Manifest: Codable, Hashable, Sendable {
    package static let currentFormat = 1
    package var format: Int
    package var job: JobID
    package var createdAt: Timestamp
    package var startedAt: Timestamp?
    package var publishedAt: Timestamp
    package var region: Region
    package var options: JobOptions
    package var source: Source
    /// ISO 639-1, or `und`.
    package var language: String
    package var words: Int
    package var notes: [Note]
    package var clips: [Entry]
    package var tools: ToolVersions

    package struct Source: Codable, Hashable, Sendable {
        package var fileName: String
        package var bytes: Int64
        package var sha256: String
        package var facts: VideoFacts
        package var loudnessLUFS: Double?
        package var cuts: Int
    }

    package struct Entry: Codable, Hashable, Sendable {
        package var id: ClipID
        package var state: Clip.State
        package var start: Double
        package var end: Double
        package var durationSeconds: Double
        package var title: String
        package var score: Double
        package var reason: String
        package var signals: [String: Double]
        /// Absent: as the job made it.
        package var revision: Int?
        /// What it was rendered with, where that is not what the job says.
        package var options: JobOptions?
        /// Suggested for whoever posts the clip, without the sign.
        package var hashtags: [String]?
        /// Names as in the archive: `clip-1.mp4`, counted from 1 in order of rank.
        package var files: Files?
        package var figures: ClipFigures?
        package var framing: FramingFigures?
        package var failure: Failure?
    }

    package struct Files: Codable, Hashable, Sendable {
        package var video: String
        package var videoBytes: Int64
        package var videoSHA256: String
        package var srt: String?
        package var vtt: String?
        package var thumbnail: String?
    }

    package struct FramingFigures: Codable, Hashable, Sendable {
        package var faceInFrame: Double?
        package var reversalsPerSecond: Double
        package var travelPixelsPerSecond: Double

        /// Nil: of an older release.
        init?(_ figures: ClipFigures) {
            guard let travel = figures.travelPixelsPerSecond else { return nil }
            faceInFrame = figures.faceInFrame
            reversalsPerSecond = figures.reversalsPerSecond
            travelPixelsPerSecond = travel
        }
    }

    package init(_ inputs: StageInputs, tools: ToolVersions, publishedAt: Timestamp) throws(Failure) {
        let (job, upload) = (inputs.job, inputs.upload)
        let plan = try inputs.plan()
        let sound = try inputs.body(AudioResult.self)
        let transcript = try inputs.body(TranscriptResult.self)
        format = Self.currentFormat
        self.job = job.id
        createdAt = job.createdAt
        startedAt = job.startedAt
        self.publishedAt = publishedAt
        region = job.region
        options = job.options
        source = Source(
            fileName: upload.fileName, bytes: upload.bytes, sha256: upload.sha256,
            facts: try inputs.body(ProbeResult.self).facts, loudnessLUFS: sound.integratedLUFS,
            cuts: try inputs.body(ShotsResult.self).count)
        language = transcript.language
        words = transcript.words
        notes = plan.notes
        self.tools = tools
        clips = []
        for clip in try plan.clips(of: job.id) {
            clips.append(
                Entry(
                    id: clip.id, state: clip.state, start: clip.range.start, end: clip.range.end,
                    durationSeconds: clip.durationSeconds, title: clip.title, score: clip.score, reason: clip.reason,
                    signals: clip.signals, revision: clip.revision?.number, options: clip.revision?.options,
                    hashtags: clip.files?.hashtags,
                    files: clip.files.map { Files($0, ordinal: clip.id.ordinal) },
                    figures: clip.figures,
                    framing: clip.figures.flatMap(FramingFigures.init), failure: clip.failure))
        }
    }
}

extension Manifest.Files {
    init(_ files: ClipFiles, ordinal: Int) {
        let stem = "clip-\(ordinal + 1)"
        video = stem + ".mp4"
        videoBytes = files.videoBytes
        videoSHA256 = files.videoSHA256
        srt = files.srt.map { _ in stem + ".srt" }
        vtt = files.vtt.map { _ in stem + ".vtt" }
        thumbnail = files.thumbnail.map { _ in stem + ".jpg" }
    }
}
