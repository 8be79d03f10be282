import ClipModel
import Foundation
import Media
import Stages

/// What played stages make of a video: results as small as they can be.
struct PlayedVideo: Sendable {
    var chunks = 2
    var clips = 2
    var hasSound = true
    var durationSeconds = 120.0

    /// The body that `key` would make.
    func body(_ key: StageKey, blob: BlobName) -> String {
        let body: any StageBody =
            switch key.name {
            case .scan: ScanResult(format: "mp4")
            case .probe: ProbeResult(facts: facts)
            case .audio:
                hasSound
                    ? AudioResult(pcm: blob, curves: blob, chunks: (0..<chunks).map(range), integratedLUFS: -20)
                    : AudioResult(chunks: [])
            case .shots: ShotsResult(cuts: blob, count: 3)
            case .transcribe: TranscribeResult(chunk: blob, words: 10, language: "es", retriedWindows: 0)
            case .transcript: TranscriptResult(transcript: blob, language: "es", words: 20)
            case .highlights:
                HighlightsResult(
                    highlights: (0..<clips).map {
                        Highlight(range: range($0), title: "Clip \($0)", score: 50, reason: "why", signals: [:])
                    }, notes: [])
            case .reframe:
                ReframeResult(framing: blob, faceInFrame: 1, reversalsPerSecond: 0, travelPixelsPerSecond: 0)
            case .render: RenderResult(video: blob, videoBytes: 10, videoSHA256: "cc", srt: blob, vtt: blob)
            case .check: CheckResult(figures: figures)
            case .thumbnail: ThumbnailResult(thumbnail: blob, bytes: 5)
            case .publish: PublishResult(manifest: blob, clips: clips)
            }
        return String(decoding: encoded(body), as: UTF8.self)
    }

    private func range(_ index: Int) -> TimeRange {
        TimeRange(start: Double(index) * 30, end: Double(index) * 30 + 30)
    }

    private var facts: VideoFacts {
        VideoFacts(
            durationSeconds: durationSeconds, displaySize: PixelSize(width: 1280, height: 720),
            codedSize: PixelSize(width: 1280, height: 720), rotationDegrees: 0, framesPerSecond: 25,
            videoCodec: "h264", videoStream: 0, audioStream: hasSound ? 1 : nil, audioCodec: hasSound ? "aac" : nil,
            audioChannels: hasSound ? 2 : 0, isHDR: false, container: "mp4")
    }

    private var figures: ClipFigures {
        ClipFigures(
            durationSeconds: 30, width: 1080, height: 1920, framesPerSecond: 25, videoCodec: "h264",
            audioCodec: "aac", loudnessLUFS: -14, truePeakDBTP: -1, blackSeconds: 0, frozenSeconds: 0, faceInFrame: 1,
            reversalsPerSecond: 0, flags: [])
    }

    private func encoded(_ body: some StageBody) -> Data {
        // The sample bodies hold nothing that JSON cannot.
        (try? JSONEncoder().encode(body)) ?? Data()
    }
}

/// The generator of the tests: a seed is a run.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

let broken = Failure(.poison, code: "broken", reason: "It is broken.", hint: "Mend it.")
