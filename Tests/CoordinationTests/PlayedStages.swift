import ClipModel
import Media
import Stages

/// What played stages make: the smallest results that the real pipeline can read.
struct PlayedStages: Sendable {
    var chunks = 2
    var clips = 2

    func output(of key: StageKey, blob: BlobName, isKept: Bool) throws -> StageOutput {
        try StageOutput(body(of: key, blob), blobs: isKept ? [blob] : [])
    }

    private func body(of key: StageKey, _ blob: BlobName) -> any StageBody {
        switch key.name {
        case .scan: ScanResult(format: "mp4")
        case .probe: ProbeResult(facts: Self.facts)
        case .audio: AudioResult(pcm: blob, curves: blob, chunks: (0..<chunks).map(Self.range), integratedLUFS: -20)
        case .shots: ShotsResult(cuts: blob, count: 3)
        case .transcribe: TranscribeResult(chunk: blob, words: 10, language: "es", retriedWindows: 0)
        case .transcript: TranscriptResult(transcript: blob, language: "es", words: 20)
        case .highlights:
            HighlightsResult(
                highlights: (0..<clips).map {
                    Highlight(range: Self.range($0), title: "Clip \($0)", score: 50, reason: "why", signals: [:])
                }, notes: [])
        case .reframe: ReframeResult(framing: blob, faceInFrame: 1, reversalsPerSecond: 0, travelPixelsPerSecond: 0)
        case .render: RenderResult(video: blob, videoBytes: 10, videoSHA256: "cc", srt: blob, vtt: blob)
        case .check: CheckResult(figures: Self.figures)
        case .thumbnail: ThumbnailResult(thumbnail: blob, bytes: 5)
        case .publish: PublishResult(manifest: blob, clips: clips)
        }
    }

    private static func range(_ index: Int) -> TimeRange {
        TimeRange(start: Double(index) * 30, end: Double(index) * 30 + 30)
    }

    private static let facts = VideoFacts(
        durationSeconds: 120, displaySize: PixelSize(width: 1280, height: 720),
        codedSize: PixelSize(width: 1280, height: 720), rotationDegrees: 0, framesPerSecond: 25, videoCodec: "h264",
        videoStream: 0, audioStream: 1, audioCodec: "aac", audioChannels: 2, isHDR: false, container: "mp4")

    private static let figures = ClipFigures(
        durationSeconds: 30, width: 1080, height: 1920, framesPerSecond: 25, videoCodec: "h264", audioCodec: "aac",
        loudnessLUFS: -14, truePeakDBTP: -1, blackSeconds: 0, frozenSeconds: 0, faceInFrame: 1, reversalsPerSecond: 0,
        flags: [])
}
