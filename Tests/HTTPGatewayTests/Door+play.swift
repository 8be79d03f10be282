import Blobs
import ClipModel
import Foundation
import Jobs
import Media
import Stages
import Store

/// Stages of a job, played: results as small as they can be, and what follows from them decided as in a node.
extension Door {
    /// The clips of every played job.
    private static let chosen = [TimeRange(start: 10, end: 30), TimeRange(start: 60, end: 80)]

    /// Runs whatever is ready, until nothing is.
    func play(_ life: NodeLife, failing: [StageKey: Failure] = [:]) async throws {
        while let lease = try await store.claim(1, for: life).first {
            if let failure = failing[lease.key] {
                _ = try await store.complete(lease, with: .failed(failure), advance: Pipeline.advance)
            } else {
                try await finish(lease)
            }
        }
    }

    /// `kept`: what a clip has left of the source, where something is cut out of it.
    func finish(_ lease: StageLease, kept: [TimeRange]? = nil) async throws {
        let blob = try await self.blob(of: lease)
        var made = made(lease.key, blob)
        if var check = made as? CheckResult {
            check.figures.kept = kept
            made = check
        }
        let body = try JSONEncoder().encode(made)
        let chance = Chance.system()
        let result = StageResult(
            id: chance.draw { ResultID(at: systemWallTime(), using: &$0) }, body: String(decoding: body, as: UTF8.self),
            blobs: [blob], cacheKey: nil)
        _ = try await store.complete(lease, with: .produced(result), advance: Pipeline.advance)
    }

    private func blob(of lease: StageLease) async throws -> BlobName {
        let name = StageAttempt(job: lease.job, key: lease.key, epoch: lease.epoch).blobName("file")
        let words = ["hello", "world"].enumerated().map {
            Word(text: $1, start: 12 + Double($0), end: 12.8 + Double($0), probability: 1)
        }
        let bytes: any Encodable & Sendable =
            switch lease.key.name {
            case .transcript: Transcript(language: "en", words: words)
            case .reframe:
                Framing(
                    segments: [.init(range: TimeRange(start: 0, end: 20), layout: .fit)], faceInFrame: nil,
                    reversalsPerSecond: 0, travelPixelsPerSecond: 0, faces: [])
            default: "\(lease.key) \(lease.epoch)"
            }
        _ = try await blobs.put(Array(try JSONEncoder().encode(bytes)), as: name)
        return name
    }

    private func made(_ key: StageKey, _ blob: BlobName) -> any StageBody {
        switch key.name {
        case .scan: ScanResult(format: "mp4")
        case .probe:
            ProbeResult(
                facts: VideoFacts(
                    durationSeconds: 120, displaySize: PixelSize(width: 1280, height: 720),
                    codedSize: PixelSize(width: 1280, height: 720), rotationDegrees: 0, framesPerSecond: 25,
                    videoCodec: "h264", videoStream: 0, audioStream: 1, audioCodec: "aac", audioChannels: 2,
                    isHDR: false, container: "mp4"))
        case .audio: AudioResult(pcm: blob, curves: blob, chunks: [TimeRange(start: 0, end: 120)])
        case .shots: ShotsResult(cuts: blob, count: 0)
        case .transcribe: TranscribeResult(chunk: blob, words: 2, language: "en", retriedWindows: 0)
        case .transcript: TranscriptResult(transcript: blob, language: "en", words: 2)
        case .highlights:
            HighlightsResult(
                highlights: Self.chosen.map {
                    Highlight(
                        range: $0, title: "Clip", score: 50, reason: "why", reasons: ["en": "why", "es": "por qué"],
                        signals: [:])
                }, notes: [])
        case .reframe: ReframeResult(framing: blob, reversalsPerSecond: 0, travelPixelsPerSecond: 0)
        case .render:
            RenderResult(video: blob, videoBytes: 5, videoSHA256: String(repeating: "\(key.index)", count: 64))
        case .check:
            CheckResult(
                figures: ClipFigures(
                    durationSeconds: 20, width: 1080, height: 1920, framesPerSecond: 25, videoCodec: "h264",
                    audioCodec: "aac", loudnessLUFS: -14, truePeakDBTP: -1, blackSeconds: 0, frozenSeconds: 0,
                    faceInFrame: nil, reversalsPerSecond: 0, flags: []))
        case .thumbnail: ThumbnailResult(thumbnail: blob, bytes: 5)
        case .publish: PublishResult(manifest: blob, clips: 2)
        }
    }
}
