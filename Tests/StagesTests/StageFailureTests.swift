import Blobs
import ClipModel
import Media
import Stages
import Testing

@Suite struct StageFailureTests {
    private struct Surprise: Error {}

    @Test func `every error of a stage becomes a failure with a class, a code and a hint`() {
        let table: [(any Error, Failure.Class, String)] = [
            (broken, .poison, "broken"),
            (MediaError(.noVideoStream, "secret"), .poison, "no_video_stream"),
            (MediaError(.diskFull), .resource, "disk_full"),
            (BlobError(.full, "secret"), .resource, "disk_full"),
            (BlobError(.missing, "secret"), .resource, "blob_missing"),
            (CancellationError(), .cancelled, "cancelled"),
            (Surprise(), .transient, "unexpected_error"),
        ]
        for (error, kind, code) in table {
            let failure = Failure(stageError: error)
            #expect(failure.class == kind && failure.code == code)
            #expect(!failure.reason.isEmpty && !failure.hint.isEmpty && !failure.description.contains("secret"))
        }
    }

    /// Else a disk that is full for a minute costs a clip of a job that becomes ready without it.
    @Test func `a full disk and a store that is away are waited for, and nothing else of theirs`() {
        #expect(Failure(stageError: MediaError(.diskFull)).waits)
        #expect(MediaError.Code.allCases.filter { Failure(stageError: MediaError($0)).waits } == [.diskFull])
        let waiting = BlobError.Code.allCases.filter { Failure(stageError: BlobError($0, "secret")).waits }
        #expect(waiting == [.full, .unavailable])
    }

    @Test func `a body that the database would not take is refused before it gets there`() {
        let notes = (0..<10_000).map { Note(code: "n\($0)", text: "a note that is long enough to add up") }
        #expect(throws: Failure.self) { try StageOutput(HighlightsResult(highlights: [], notes: notes)) }
    }

    @Test func `the name of a blob tells which attempt made it`() throws {
        let attempt = StageAttempt(job: SampleJob.id, key: StageKey(.render, 3), epoch: 7)
        let name = attempt.blobName("clip.mp4")
        #expect(name.rawValue == "results/01hzzzzzzzzzzzzzzzzzzzzzzz/render-3/7/clip.mp4")
        #expect(StageAttempt(owning: name) == attempt)
        for other in [
            "uploads/a/source", "results/x/render-3/7/clip.mp4", "results/01hzzzzzzzzzzzzzzzzzzzzzzz/a-1/7/b",
        ] {
            #expect(StageAttempt(owning: BlobName(other)!) == nil)
        }
    }

    @Test func `the manifest tells everything about the clips`() throws {
        let sample = SampleJob()
        let manifest = try Manifest(
            sample.inputs(StageKey(.publish)), tools: ToolVersions(ffmpeg: "5.1", speechModel: "s", faceModel: "f"),
            publishedAt: SampleJob.noon)
        #expect(manifest.job == SampleJob.id)
        #expect(manifest.language == "es" && manifest.words == 20)
        #expect(manifest.source.facts.durationSeconds == 120)
        #expect(manifest.clips.map(\.files?.video) == ["clip-1.mp4", "clip-2.mp4"])
        #expect(manifest.clips.allSatisfy { $0.figures?.loudnessLUFS == -14 })
        // Those that were measured in the clip, not those that were planned.
        let framing = try manifest.clips.map { try #require($0.framing) }
        #expect(framing.allSatisfy { $0.faceInFrame == 1 && $0.travelPixelsPerSecond == 12 })
        #expect(framing.allSatisfy { $0.reversalsPerSecond == 0.05 })
    }
}
