import ClipModel
import Foundation
import Media
import Stages

/// A job with results as small as they can be.
struct SampleJob {
    var upload: Upload
    var job: Job
    var durationSeconds = 120.0
    var hasSound = true
    var chunks = 2
    var clips = 2
    /// What the render stage measured, as it does since it measures.
    var rendered: ClipFigures?

    static let noon = Timestamp("2026-01-31T12:00:00Z")!
    static let id = JobID("job_01hzzzzzzzzzzzzzzzzzzzzzzz")!

    init(options: JobOptions = JobOptions(), sidecar: SidecarTranscript? = nil, sha256: String = "aa") {
        let id = UploadID("upload_01hzzzzzzzzzzzzzzzzzzzzzzz")!
        upload = Upload(
            id: id, fileName: "talk.mp4", bytes: 1000, sha256: sha256, blob: BlobName("uploads/a/source")!,
            transcript: sidecar, createdAt: Self.noon)
        job = Job(
            id: Self.id, upload: id, region: Region("eu")!, tenant: "test", options: options, status: .processing,
            createdAt: Self.noon, startedAt: Self.noon)
    }

    static let sidecar = SidecarTranscript(format: .srt, blob: BlobName("uploads/a/transcript")!, sha256: "bb")

    /// The body that a stage of this job would make.
    func body(_ key: StageKey) -> String {
        let blob = StageAttempt(job: job.id, key: key, epoch: 1).blobName("file")
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
            case .render:
                RenderResult(
                    video: blob, videoBytes: 10, videoSHA256: "cc", srt: blob, vtt: blob, figures: rendered)
            case .check: CheckResult(figures: figures)
            case .thumbnail: ThumbnailResult(thumbnail: blob, bytes: 5)
            case .publish: PublishResult(manifest: blob, clips: clips)
            }
        return String(decoding: encoded(body), as: UTF8.self)
    }

    /// A finished stage.
    func done(_ key: StageKey, cacheKey: String? = nil) -> Stage {
        var stage = Stage(job: job.id, key: key, state: .done, openedAt: Self.noon, notBefore: Self.noon)
        let id = ResultID("result_01hzzzzzzzzzzzzzzzzzzzzzzz")!
        stage.result = StageResult(id: id, body: body(key), blobs: [], cacheKey: cacheKey ?? "key of \(key)")
        return stage
    }

    func stage(_ key: StageKey, _ state: Stage.State, _ failure: Failure? = nil) -> Stage {
        if state == .done { return done(key) }
        var stage = Stage(job: job.id, key: key, state: state, openedAt: Self.noon, notBefore: Self.noon)
        stage.failure = failure
        return stage
    }

    /// The inputs of `key` with everything before it done.
    func inputs(_ key: StageKey) -> StageInputs {
        let before = StageName.allCases.filter { $0 < key.name }.flatMap { name in
            let count = name == .transcribe ? (upload.transcript == nil ? chunks : 1) : name.fansOut ? clips : 1
            return (0..<count).map { StageKey(name, $0) }
        }
        return StageInputs(job: job, upload: upload, stages: before.map { done($0) }, key: key)
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

    var figures: ClipFigures {
        ClipFigures(
            durationSeconds: 30, width: 1080, height: 1920, framesPerSecond: 25, videoCodec: "h264",
            audioCodec: "aac", loudnessLUFS: -14, truePeakDBTP: -1, blackSeconds: 0, frozenSeconds: 0, faceInFrame: 1,
            reversalsPerSecond: 0.05, travelPixelsPerSecond: 12, flags: [])
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
