import ClipModel
import Foundation
import Jobs
import Media
import PostgresStore
import Stages
import Store

/// A video whose stages make nothing: one piece of sound, one clip, results as small as they can be. The plan of its
/// job is the real one, twelve stages long.
struct EmptyVideo: Sendable {
    static let stages = 12
    /// Every job is of this one upload: taking in bytes is not what is measured.
    let upload: UploadID

    private let region = Region("bench")!
    private let chance: Chance

    /// - Throws: `ConfigurationError` when a node works on that database: it would take the stages for its own.
    init(in store: PostgresStore, chance: Chance) async throws {
        if let other = try await store.nodes().first(where: { $0.isAlive && !$0.id.rawValue.hasPrefix("bench-") }) {
            throw ConfigurationError([
                "--store: node \(other.id) works on this database and would take the empty stages for its own; "
                    + "give the benchmark a database of its own"
            ])
        }
        self.chance = chance
        let now = systemWallTime()
        upload = chance.draw { UploadID(at: now, using: &$0) }
        try await store.insert(
            Upload(
                id: upload, fileName: "bench", bytes: 1, sha256: String(repeating: "0", count: 64),
                blob: BlobName("bench/\(upload.ulid)")!, createdAt: now))
    }

    func submit(to store: PostgresStore, as client: String = "bench") async throws -> JobID {
        let now = systemWallTime()
        let id = chance.draw { JobID(at: now, using: &$0) }
        _ = try await store.submit(
            JobDraft(
                id: id, upload: upload, region: region, tenant: client, options: JobOptions(),
                stages: Pipeline.firstStages))
        return id
    }

    func node(_ number: Int, threads: Int = 1, leaseSeconds: Int) -> NodeDraft {
        NodeDraft(
            id: NodeID("bench-\(number)")!, region: region, http: "", version: tijeraVersion, threads: threads,
            leaseSeconds: leaseSeconds)
    }

    /// What an attempt at that stage makes.
    func result(of lease: StageLease) -> StageResult {
        let id = chance.draw { ResultID(at: systemWallTime(), using: &$0) }
        return StageResult(id: id, body: Self.bodies[lease.key.name] ?? "{}", blobs: [], cacheKey: nil)
    }

    static func body(of name: StageName) -> String { bodies[name] ?? "{}" }

    private static let bodies: [StageName: String] = {
        let blob = BlobName("bench/empty")!
        let bodies: [any StageBody] = [
            ScanResult(format: "mp4"), ProbeResult(facts: facts),
            AudioResult(pcm: blob, curves: blob, chunks: [TimeRange(start: 0, end: 30)], integratedLUFS: -20),
            ShotsResult(cuts: blob, count: 0),
            TranscribeResult(chunk: blob, words: 0, language: "en", retriedWindows: 0),
            TranscriptResult(transcript: blob, language: "en", words: 0),
            HighlightsResult(
                highlights: [
                    Highlight(range: TimeRange(start: 0, end: 30), title: "", score: 50, reason: "", signals: [:])
                ], notes: []),
            ReframeResult(framing: blob, reversalsPerSecond: 0, travelPixelsPerSecond: 0),
            RenderResult(video: blob, videoBytes: 1, videoSHA256: ""), CheckResult(figures: figures),
            ThumbnailResult(thumbnail: blob, bytes: 1), PublishResult(manifest: blob, clips: 1),
        ]
        return Dictionary(uniqueKeysWithValues: bodies.map { (type(of: $0).stage, json($0)) })
    }()

    private static func json(_ body: some StageBody) -> String {
        // They hold nothing that JSON cannot.
        (try? JSONEncoder().encode(body)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private static let facts = VideoFacts(
        durationSeconds: 30, displaySize: PixelSize(width: 1280, height: 720),
        codedSize: PixelSize(width: 1280, height: 720), rotationDegrees: 0, framesPerSecond: 25, videoCodec: "h264",
        videoStream: 0, audioStream: 1, audioCodec: "aac", audioChannels: 2, isHDR: false, container: "mp4")

    private static let figures = ClipFigures(
        durationSeconds: 30, width: 1080, height: 1920, framesPerSecond: 25, videoCodec: "h264", audioCodec: "aac",
        loudnessLUFS: -14, truePeakDBTP: -1, blackSeconds: 0, frozenSeconds: 0, faceInFrame: nil,
        reversalsPerSecond: 0, flags: [])
}
