import ClipModel
import Foundation
import Jobs
import Store
import Testing

@Suite struct JobWaterfallTests {
    private static let id = JobID("job_01hzzzzzzzzzzzzzzzzzzzzzzz")!
    private static let scan = StageKey(.scan)
    private static let failure = Failure(.transient, code: "tool_killed", reason: "It was killed.", hint: "Wait.")

    private static func at(_ seconds: Double) -> Timestamp {
        Timestamp(millisecondsSinceEpoch: 1_700_000_000_000).advanced(bySeconds: seconds)
    }

    private static func event(
        _ number: Int64, _ seconds: Double, _ kind: Event.Kind, node: String? = nil, failure: Failure? = nil,
        effort: Effort? = nil
    ) -> Event {
        Event(
            id: number, job: id, at: at(seconds), kind: kind, stage: scan, node: node.flatMap { NodeID($0) },
            failure: failure, effort: effort)
    }

    private static func stage(_ state: Stage.State, opened: Double = 0, notBefore: Double = 0) -> Stage {
        Stage(job: id, key: scan, state: state, openedAt: at(opened), notBefore: at(notBefore))
    }

    private static func make(
        _ stage: Stage, _ events: [Event], now: Double, bytes: [BlobName: Int64] = [:]
    ) -> JobWaterfall {
        let job = Job(
            id: id, upload: UploadID("upload_01hzzzzzzzzzzzzzzzzzzzzzzz")!, region: Region("eu")!, tenant: "ana",
            options: JobOptions(), createdAt: at(0))
        return .make(job: job, stages: [stage], events: events, isComplete: true, bytes: bytes, now: at(now))
    }

    @Test func `attempts on nodes that died or failed show, and pauses are no time in the queue`() throws {
        var stage = Self.stage(.done, notBefore: 19)
        (stage.startedAt, stage.endedAt, stage.holder) = (Self.at(20), Self.at(23), NodeID("c")!)
        let blobs = [BlobName("jobs/a")!, BlobName("jobs/b")!, BlobName("jobs/lost")!]
        stage.result = StageResult(
            id: ResultID("result_01hzzzzzzzzzzzzzzzzzzzzzzz")!, body: "{}", blobs: blobs, cacheKey: nil)
        let told = Self.make(
            stage,
            [
                Self.event(1, 0, .stageOpened), Self.event(2, 2, .stageStarted, node: "a"),
                Self.event(3, 8, .stageReleased, node: "a"), Self.event(4, 9, .stageStarted, node: "b"),
                Self.event(5, 11, .stageRetried, node: "b", failure: Self.failure),
                Self.event(6, 20, .stageStarted, node: "c"), Self.event(7, 23, .stageDone, node: "c"),
            ], now: 60, bytes: [blobs[0]: 10, blobs[1]: 5])
        let row = try #require(told.stages.first)
        #expect(row.attempts.map(\.outcome) == [.released, .retried, .done])
        #expect(row.attempts.map { $0.node?.rawValue } == ["a", "b", "c"])
        #expect(row.attempts.map(\.queueSeconds) == [2, 1, 1])
        #expect(row.attempts.map(\.runSeconds) == [6, 2, 3])
        #expect(row.attempts.map { $0.error?.code } == [nil, "tool_killed", nil])
        #expect(row.bytes == 15 && told.isComplete)
    }

    @Test func `the pause before an earlier retry is not known, so neither is its time in the queue`() throws {
        var stage = Self.stage(.running, notBefore: 12)
        (stage.startedAt, stage.holder) = (Self.at(14), NodeID("a")!)
        let told = Self.make(
            stage,
            [
                Self.event(1, 0, .stageOpened), Self.event(2, 1, .stageStarted, node: "a"),
                Self.event(3, 2, .stageRetried, node: "a", failure: Self.failure),
                Self.event(4, 6, .stageStarted, node: "a"),
                Self.event(5, 7, .stageRetried, node: "a", failure: Self.failure),
                Self.event(6, 14, .stageStarted, node: "a"),
            ], now: 20)
        let attempts = try #require(told.stages.first).attempts
        #expect(attempts.map(\.queueSeconds) == [1, nil, 2])
        #expect(attempts.map(\.runSeconds) == [1, 1, 6])
        #expect(attempts.last?.outcome == .running && attempts.last?.endedAt == nil)
    }

    @Test func `a stage that waits shows since when, and not for the time of its pause`() throws {
        var stage = Self.stage(.ready, notBefore: 30)
        stage.failure = Self.failure
        let events = [
            Self.event(1, 0, .stageOpened), Self.event(2, 1, .stageStarted, node: "a"),
            Self.event(3, 3, .stageRetried, node: "a", failure: Self.failure),
        ]
        let paused = try #require(Self.make(stage, events, now: 20).stages.first).attempts
        #expect(paused.map(\.outcome) == [.retried, .waiting] && paused[1].queueSeconds == 0)
        let waiting = try #require(Self.make(stage, events, now: 34).stages.first).attempts
        #expect(waiting[1].queueSeconds == 4 && waiting[1].node == nil && waiting[1].startedAt == nil)
    }

    @Test func `a cancelled attempt ends with its row`() throws {
        var stage = Self.stage(.cancelled)
        (stage.startedAt, stage.endedAt) = (Self.at(1), Self.at(5))
        let events = [Self.event(1, 0, .stageOpened), Self.event(2, 1, .stageStarted, node: "a")]
        let told = Self.make(stage, events, now: 99)
        let attempt = try #require(told.stages.first?.attempts.first)
        #expect(attempt.outcome == .cancelled && attempt.runSeconds == 4 && attempt.node?.rawValue == "a")
    }

    @Test func `without its events a stage shows what its row knows, and says that more may be missing`() throws {
        var stage = Self.stage(.failed, opened: 2)
        (stage.startedAt, stage.endedAt, stage.holder) = (Self.at(5), Self.at(6), NodeID("a")!)
        stage.failure = Self.failure
        let told = Self.make(stage, [], now: 99)
        let attempts = try #require(told.stages.first).attempts
        #expect(attempts.count == 1 && attempts[0].outcome == .failed && attempts[0].node?.rawValue == "a")
        #expect(attempts[0].queueSeconds == 3 && attempts[0].runSeconds == 1)
        #expect(attempts[0].error?.code == "tool_killed" && !told.isComplete)
    }

    @Test func `every attempt shows what it took, as far as it is known, and the JSON leaves out what is not`() throws {
        var stage = Self.stage(.done)
        (stage.startedAt, stage.endedAt) = (Self.at(9), Self.at(11))
        let failed = Effort(cpuSeconds: 1.5, bytesRead: nil, bytesWritten: 3, memoryPeakBytes: 5)
        let done = Effort(cpuSeconds: 0.25, bytesRead: 7, bytesWritten: 11)
        let told = Self.make(
            stage,
            [
                Self.event(1, 0, .stageOpened), Self.event(2, 1, .stageStarted, node: "dead"),
                Self.event(3, 4, .stageReleased, node: "dead"), Self.event(4, 5, .stageStarted, node: "a"),
                Self.event(5, 8, .stageRetried, node: "a", failure: Self.failure, effort: failed),
                Self.event(6, 9, .stageStarted, node: "b"), Self.event(7, 11, .stageDone, node: "b", effort: done),
            ], now: 60)
        let attempts = try #require(told.stages.first).attempts
        #expect(attempts.map(\.cpuSeconds) == [nil, 1.5, 0.25])
        #expect(attempts.map(\.bytesRead) == [nil, nil, 7])
        #expect(attempts.map(\.bytesWritten) == [nil, 3, 11])
        #expect(attempts.map(\.memoryPeakBytes) == [nil, 5, nil])
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let texts = try attempts.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
        #expect(["cpuSeconds", "bytes", "memory"].allSatisfy { !texts[0].contains($0) })
        #expect(texts[1].contains(#""bytesWritten":3,"cpuSeconds":1.5,"#) && texts[1].contains(#""memoryPeakBytes":5"#))
        #expect(!texts[1].contains("bytesRead") && texts[2].contains(#""bytesRead":7,"bytesWritten":11,"#))
        // An answer of a node that does not measure yet.
        #expect(try JSONDecoder().decode(JobWaterfall.Attempt.self, from: Data(texts[0].utf8)) == attempts[0])
    }

    @Test func `the days between a job and its revision are no part of its rounds of work`() throws {
        var job = Job(
            id: Self.id, upload: UploadID("upload_01hzzzzzzzzzzzzzzzzzzzzzzz")!, region: Region("eu")!, tenant: "ana",
            options: JobOptions(), status: .ready, createdAt: Self.at(0))
        (job.startedAt, job.endedAt) = (Self.at(2), Self.at(90_010))
        job.restedMilliseconds = 89_980_000
        func done(_ key: StageKey, _ opened: Double, _ ended: Double) -> Stage {
            Stage(
                job: Self.id, key: key, state: .done, openedAt: Self.at(opened), notBefore: Self.at(opened),
                startedAt: Self.at(opened + 1), endedAt: Self.at(ended))
        }
        let stages = [
            done(StageKey(.scan), 1, 5), done(StageKey(.probe), 5, 20), done(StageKey(.reframe, 2), 90_000, 90_010),
        ]
        let told = JobWaterfall.make(
            job: job, stages: stages, events: [], isComplete: true, bytes: [:], now: Self.at(99_999))
        #expect(told.rounds?.map(\.startedAt) == [Self.at(0), Self.at(90_000)])
        #expect(told.rounds?.map(\.endedAt) == [Self.at(20), Self.at(90_010)])
        #expect(job.tookSeconds == 28)
        (job.status, job.endedAt) = (.processing, nil)
        let going = JobWaterfall.make(
            job: job, stages: stages, events: [], isComplete: true, bytes: [:], now: Self.at(99_999))
        #expect(going.rounds?.map(\.startedAt) == [Self.at(0), Self.at(90_000)])
        #expect(going.rounds?.map(\.endedAt) == [Self.at(20), nil])
    }

    @Test func `a pause before another try is no end of a round`() throws {
        let stage = Self.stage(.ready, notBefore: 600)
        let events = [
            Self.event(1, 0, .stageOpened), Self.event(2, 1, .stageStarted, node: "a"),
            Self.event(3, 3, .stageRetried, node: "a", failure: Self.failure),
        ]
        let rounds = Self.make(stage, events, now: 300).rounds
        #expect(rounds?.map(\.startedAt) == [Self.at(0)] && rounds?.map(\.endedAt) == [nil])
    }

    @Test func `a stage that was never begun and given up has no attempt`() throws {
        let told = Self.make(Self.stage(.cancelled), [Self.event(1, 0, .stageOpened)], now: 9)
        #expect(try #require(told.stages.first).attempts.isEmpty && told.isComplete)
    }
}
