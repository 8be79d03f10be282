/// One clip of a job, as clients see it: planned by `highlights`, filled in as its stages finish.
package struct Clip: Hashable, Sendable, Codable {
    /// `planned` -> `rendering` (first of its stages is done) -> `ready` or `error`
    package enum State: String, Sendable, Codable, CaseIterable { case planned, rendering, ready, error }

    package let id: ClipID
    package var state: State
    /// Where the clip lies in the source, in seconds.
    package let range: TimeRange
    /// A short headline taken from what is said.
    package let title: String
    /// 0 to 100, comparable inside one video only.
    package let score: Double
    /// In plain words, why this moment was chosen.
    package let reason: String
    /// The parts the score is made of, by name, each 0 to 1 after weighting.
    package let signals: [String: Double]
    package var files: ClipFiles?
    /// Measured on the rendered file.
    package var figures: ClipFigures?
    package var failure: Failure?
    /// Nil: as the job made it, and nobody asked for anything else.
    package var revision: ClipRevision?

    /// How long it plays: less than `range` where something was cut out.
    package var durationSeconds: Double {
        let seconds = figures?.kept?.reduce(0) { $0 + $1.duration } ?? range.duration
        // To the millisecond, as its borders are: differences are off in the last digits.
        return (seconds * 1000).rounded() / 1000
    }

    package init(
        id: ClipID, state: State, range: TimeRange, title: String, score: Double, reason: String,
        signals: [String: Double], files: ClipFiles? = nil, figures: ClipFigures? = nil, failure: Failure? = nil,
        revision: ClipRevision? = nil
    ) {
        self.id = id
        self.state = state
        self.range = range
        self.title = title
        self.score = score
        self.reason = reason
        self.signals = signals
        self.files = files
        self.figures = figures
        self.failure = failure
        self.revision = revision
    }
}

/// Where the files of a clip stand, and what goes along with them.
package struct ClipFiles: Hashable, Sendable, Codable {
    package var video: BlobName
    package var videoBytes: Int64
    package var videoSHA256: String
    package var srt: BlobName?
    package var vtt: BlobName?
    package var thumbnail: BlobName?
    /// Pictures to choose from, the best first, which is `thumbnail`. Nil: that one alone.
    package var thumbnails: [BlobName]?
    /// Suggested for whoever posts the clip, without the sign. Nil: made by an earlier release.
    package var hashtags: [String]?

    package init(
        video: BlobName, videoBytes: Int64, videoSHA256: String, srt: BlobName? = nil, vtt: BlobName? = nil,
        thumbnail: BlobName? = nil
    ) {
        self.video = video
        self.videoBytes = videoBytes
        self.videoSHA256 = videoSHA256
        self.srt = srt
        self.vtt = vtt
        self.thumbnail = thumbnail
    }
}

/// What was measured on a rendered clip, after encoding.
package struct ClipFigures: Hashable, Sendable, Codable {
    package var durationSeconds: Double
    package var width: Int
    package var height: Int
    package var framesPerSecond: Double
    package var videoCodec: String
    package var audioCodec: String
    /// EBU R128 integrated loudness in LUFS. Nil when there is nothing to hear.
    package var loudnessLUFS: Double?
    /// In dBTP.
    package var truePeakDBTP: Double?
    package var blackSeconds: Double
    package var frozenSeconds: Double
    /// Share of sampled frames with a face. Nil when the source shows none.
    package var faceInFrame: Double?
    /// Of the pictures in which the main face was found in its place or was cut off, the share in which it was found.
    /// One that should be there and was not found (a profile, a hand) counts for neither. Nil without any.
    package var speakerInFrame: Double?
    /// Of the pictures with a main face, the share in which it was cut off and nobody else was found.
    package var emptyFrames: Double?
    /// Camera reversals per second inside shots.
    package var reversalsPerSecond: Double
    /// Mean speed of the camera, in pixels of a clip 1080 wide, per second.
    package var travelPixelsPerSecond: Double?
    /// What burned captions hide of a face, on average. Nil without captions or faces.
    package var captionsOverFaces: Double?
    /// How much later the sound begins than the picture.
    package var soundOffsetSeconds: Double?
    /// Share of the clip in each layout, by name.
    package var layouts: [String: Double]?
    /// What of the source is in the clip, where pauses and fillers were cut out; in seconds of the source, in order.
    /// Nil: all of it.
    package var kept: [TimeRange]?
    /// What was made otherwise than planned, because the first choice would not have passed.
    package var repairs: [Note]?
    /// What fell outside its bounds. Empty: the clip passed.
    package var flags: [Note]

    package init(
        durationSeconds: Double, width: Int, height: Int, framesPerSecond: Double, videoCodec: String,
        audioCodec: String, loudnessLUFS: Double?, truePeakDBTP: Double?, blackSeconds: Double, frozenSeconds: Double,
        faceInFrame: Double?, speakerInFrame: Double? = nil, emptyFrames: Double? = nil, reversalsPerSecond: Double,
        travelPixelsPerSecond: Double? = nil, captionsOverFaces: Double? = nil, soundOffsetSeconds: Double? = nil,
        layouts: [String: Double]? = nil,
        repairs: [Note]? = nil, flags: [Note]
    ) {
        self.durationSeconds = durationSeconds
        self.width = width
        self.height = height
        self.framesPerSecond = framesPerSecond
        self.videoCodec = videoCodec
        self.audioCodec = audioCodec
        self.loudnessLUFS = loudnessLUFS
        self.truePeakDBTP = truePeakDBTP
        self.blackSeconds = blackSeconds
        self.frozenSeconds = frozenSeconds
        self.faceInFrame = faceInFrame
        self.speakerInFrame = speakerInFrame
        self.emptyFrames = emptyFrames
        self.reversalsPerSecond = reversalsPerSecond
        self.travelPixelsPerSecond = travelPixelsPerSecond
        self.captionsOverFaces = captionsOverFaces
        self.soundOffsetSeconds = soundOffsetSeconds
        self.layouts = layouts
        self.repairs = repairs
        self.flags = flags
    }
}
