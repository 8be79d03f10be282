package import ClipModel
package import Media

/// The body of one kind of stage result: small, JSON, never changed once published. Large things (words, curves,
/// framings) are blobs of their own that a body points at, so that planning a job reads a few hundred bytes.
package protocol StageBody: Codable, Hashable, Sendable {
    static var stage: StageName { get }
}

package struct ScanResult: StageBody {
    package static let stage = StageName.scan
    /// What the bytes are, by content.
    package var format: String
    /// What the client should know of how it was looked at; nil: nothing.
    package var notes: [Note]?

    package init(format: String, notes: [Note]? = nil) {
        self.format = format
        self.notes = notes
    }
}

package struct ProbeResult: StageBody {
    package static let stage = StageName.probe
    package var facts: VideoFacts

    package init(facts: VideoFacts) {
        self.facts = facts
    }
}

package struct AudioResult: StageBody {
    package static let stage = StageName.audio
    /// 16 kHz mono WAV; nil when the source has no sound.
    package var pcm: BlobName?
    /// `SoundCurves` as JSON; nil when the source has no sound.
    package var curves: BlobName?
    /// What is transcribed piece by piece. Empty: nothing to hear.
    package var chunks: [TimeRange]
    package var languageSample: TimeRange?
    package var integratedLUFS: Double?

    package init(
        pcm: BlobName? = nil, curves: BlobName? = nil, chunks: [TimeRange], languageSample: TimeRange? = nil,
        integratedLUFS: Double? = nil
    ) {
        self.pcm = pcm
        self.curves = curves
        self.chunks = chunks
        self.languageSample = languageSample
        self.integratedLUFS = integratedLUFS
    }
}

package struct ShotsResult: StageBody {
    package static let stage = StageName.shots
    /// Times of hard cuts as a JSON array of seconds.
    package var cuts: BlobName
    package var count: Int

    package init(cuts: BlobName, count: Int) {
        self.cuts = cuts
        self.count = count
    }
}

package struct TranscribeResult: StageBody {
    package static let stage = StageName.transcribe
    /// `TranscribedChunk` as JSON.
    package var chunk: BlobName
    package var words: Int
    package var language: String
    /// Windows that looked dropped or repeated and were heard a second time.
    package var retriedWindows: Int

    package init(chunk: BlobName, words: Int, language: String, retriedWindows: Int) {
        self.chunk = chunk
        self.words = words
        self.language = language
        self.retriedWindows = retriedWindows
    }
}

package struct TranscriptResult: StageBody {
    package static let stage = StageName.transcript
    /// `Transcript` as JSON.
    package var transcript: BlobName
    package var language: String
    package var words: Int

    package init(transcript: BlobName, language: String, words: Int) {
        self.transcript = transcript
        self.language = language
        self.words = words
    }
}

package struct HighlightsResult: StageBody {
    package static let stage = StageName.highlights
    package var highlights: [Highlight]
    package var notes: [Note]
    /// How interesting the video is along its length; nil in results of earlier releases.
    package var interest: [InterestPoint]?

    package init(highlights: [Highlight], notes: [Note], interest: [InterestPoint]? = nil) {
        self.highlights = highlights
        self.notes = notes
        self.interest = interest
    }
}

package struct ReframeResult: StageBody {
    package static let stage = StageName.reframe
    /// `Framing` as JSON.
    package var framing: BlobName
    package var faceInFrame: Double?
    package var reversalsPerSecond: Double
    package var travelPixelsPerSecond: Double

    package init(
        framing: BlobName, faceInFrame: Double? = nil, reversalsPerSecond: Double, travelPixelsPerSecond: Double
    ) {
        self.framing = framing
        self.faceInFrame = faceInFrame
        self.reversalsPerSecond = reversalsPerSecond
        self.travelPixelsPerSecond = travelPixelsPerSecond
    }
}

package struct RenderResult: StageBody {
    package static let stage = StageName.render
    package var video: BlobName
    package var videoBytes: Int64
    package var videoSHA256: String
    package var srt: BlobName?
    package var vtt: BlobName?
    /// Captions were to be burned, and no font here has their script; nil: no. Which clip that is says the job: another
    /// one of the same moment shares this result.
    package var captionsUnwritable: Bool?
    /// `Framing` as JSON; nil: as it was planned.
    package var framing: BlobName?
    /// Measured on `video`; nil in results of older releases.
    package var figures: ClipFigures?

    package init(
        video: BlobName, videoBytes: Int64, videoSHA256: String, srt: BlobName? = nil, vtt: BlobName? = nil,
        framing: BlobName? = nil, figures: ClipFigures? = nil
    ) {
        self.video = video
        self.videoBytes = videoBytes
        self.videoSHA256 = videoSHA256
        self.framing = framing
        self.figures = figures
        self.srt = srt
        self.vtt = vtt
    }
}

package struct CheckResult: StageBody {
    package static let stage = StageName.check
    package var figures: ClipFigures

    package init(figures: ClipFigures) {
        self.figures = figures
    }
}

package struct ThumbnailResult: StageBody {
    package static let stage = StageName.thumbnail
    package var thumbnail: BlobName
    package var bytes: Int64
    /// The best first, which is `thumbnail`. Nil: that one alone.
    package var choices: [BlobName]?
    /// Suggested for whoever posts the clip, without the sign. Nil: made by an earlier release.
    package var hashtags: [String]?

    package init(thumbnail: BlobName, bytes: Int64) {
        self.thumbnail = thumbnail
        self.bytes = bytes
    }
}

package struct PublishResult: StageBody {
    package static let stage = StageName.publish
    package var manifest: BlobName
    package var clips: Int

    package init(manifest: BlobName, clips: Int) {
        self.manifest = manifest
        self.clips = clips
    }
}
