import ClipModel
import Jobs
import Stages
import Store
import Testing

/// Every reason that a job can have to be where it is.
@Suite struct JobExplanationTests {
    // MARK: A small world

    private static let start = Timestamp(millisecondsSinceEpoch: 1_700_000_000_000)
    private static let id = JobID("job_01hzzzzzzzzzzzzzzzzzzzzzzz")!
    private static let uploadID = UploadID("upload_01hzzzzzzzzzzzzzzzzzzzzzzz")!
    private static let failure = Failure(.resource, code: "disk_full", reason: "The disk is full.", hint: "Make room.")
    private static let scan = StageKey(.scan)

    private static func node(
        _ name: String, region: String = "eu", isAlive: Bool = true,
        _ schedulability: NodeSchedulability = .schedulable, condition: NodeCondition = NodeCondition(),
        running: [StageProgress] = []
    ) -> Node {
        Node(
            id: NodeID(name)!, region: Region(region)!, epoch: 1, http: "http://\(name)", version: "1", threads: 2,
            startedAt: start, seenAt: start, isAlive: isAlive, schedulability: schedulability, condition: condition,
            running: running)
    }

    /// One with nothing to do that claims nothing.
    private static func paused(_ name: String, _ schedulability: NodeSchedulability = .schedulable) -> Node {
        let pause = NodeCondition.Pause(code: "disk_short", reason: "\(name) has no disk.", since: start)
        return node(name, schedulability, condition: NodeCondition(pause: pause))
    }

    private static func busy(_ name: String, region: String = "eu", level: OverloadLevel? = nil) -> Node {
        let other = StageProgress(
            job: JobID("job_01haaaaaaaaaaaaaaaaaaaaaaa")!, key: StageKey(.render), epoch: 1, fraction: 0.1)
        let condition = NodeCondition(level: level, levelReason: level.map { "It is on \($0.rawValue)." })
        return node(name, region: region, condition: condition, running: [other])
    }

    private static func stage(_ key: StageKey = scan, _ state: Stage.State = .ready) -> Stage {
        Stage(job: id, key: key, state: state, openedAt: start, notBefore: start)
    }

    private static func explain(
        _ stages: [Stage], nodes: [Node], waits: JobWaits? = nil, members: Set<NodeID>? = nil,
        missing: [MissingClip] = [], priority: Job.Priority = .interactive, change: (inout Job) -> Void = { _ in }
    ) -> JobExplanation {
        var job = Job(
            id: id, upload: uploadID, region: Region("eu")!, tenant: "ana", options: JobOptions(), priority: priority,
            createdAt: start)
        change(&job)
        let upload = Upload(
            id: uploadID, fileName: "talk.mp4", bytes: 1, sha256: String(repeating: "a", count: 64),
            blob: BlobName("uploads/x/source")!, transcript: nil, createdAt: start)
        let ready = stages.filter { $0.state == .ready }.map { JobWaits.StageWait(key: $0.key) }
        return .make(
            JobExplanation.Picture(
                job: job, upload: upload, stages: stages, missing: missing, waits: waits ?? JobWaits(stages: ready),
                nodes: nodes, members: members))
    }

    // MARK: Waiting

    @Test func `with an idle node and nothing before it a stage starts within seconds`() {
        let told = Self.explain([Self.stage()], nodes: [Self.busy("a"), Self.node("b")])
        #expect(told.reason.code == .aboutToStart && told.reason.ahead == 0)
        #expect(told.reason.text.contains("b has nothing"))
        #expect(told.reason.stage == "scan" && !told.needsOperator)
    }

    @Test func `a paused node takes nothing, and is named with what it lacks`() {
        var failed = Self.stage()
        failed.failure = Self.failure
        let avoiding = JobWaits(
            stages: [JobWaits.StageWait(key: Self.scan, avoided: NodeID("a")!, avoidedFor: .seconds(20))])
        let away = Self.node("c", region: "us")
        let table: [(nodes: [Node], stage: Stage, waits: JobWaits?, code: JobExplanation.Code, text: String)] = [
            ([Self.busy("a"), Self.paused("b")], Self.stage(), nil, .freeThread, "one of 2 threads of 1 node in eu"),
            ([Self.paused("b"), Self.busy("a"), away], Self.stage(), nil, .aboutToStart, "c has nothing"),
            ([Self.paused("b"), away], Self.stage(), nil, .homeRegionWithoutNode, "No node of its region eu"),
            ([Self.node("a"), Self.paused("b")], failed, avoiding, .avoidedNodeOnly, "Only a takes work"),
            ([Self.paused("b")], Self.stage(), nil, .nodesWithoutRoom, "No node has room"),
        ]
        for row in table {
            let told = Self.explain([row.stage], nodes: row.nodes, waits: row.waits)
            #expect(told.reason.code == row.code && told.reason.text.contains(row.text), "\(told)")
            // What starts within seconds has nobody to wait for.
            let isTold = row.code != .aboutToStart
            let why = "b claims nothing since 2023-11-14T22:13:20.000Z: b has no disk."
            #expect(told.reason.text.contains(why) == isTold, "\(told)")
            #expect(told.hint.contains("what the text says is missing") == isTold, "\(told)")
            #expect(told.needsOperator == (row.code == .nodesWithoutRoom), "\(told)")
        }
        // Whoever is cordoned would take nothing with room either.
        let cordoned = Self.explain([Self.stage()], nodes: [Self.busy("a"), Self.paused("b", .cordoned)])
        #expect(cordoned.reason.code == .freeThread && !cordoned.reason.text.contains("b claims nothing"))
        #expect(!cordoned.hint.contains("what the text says is missing"))
    }

    @Test func `a held job waits for its client's others, whatever the nodes do`() {
        let told = Self.explain([], nodes: [Self.node("a")]) { $0.isHeld = true }
        #expect(told.reason.code == .clientLimit && told.stages.isEmpty && !told.needsOperator)
        #expect(told.reason.text.contains("ana") && told.hint.contains("tijera clients set ana"))
    }

    @Test func `what waited long in other regions is before it too`() {
        let waits = JobWaits(
            stages: [JobWaits.StageWait(key: Self.scan)],
            crowds: [
                JobWaits.Crowd(region: Region("eu")!, stages: 9, ahead: 4),
                JobWaits.Crowd(region: Region("us")!, stages: 5, ahead: 3, ripeAhead: 2),
            ])
        #expect(Self.explain([Self.stage()], nodes: [Self.busy("a")], waits: waits).reason.ahead == 6)
        // Without a node at home: first all of theirs, and once it has waited long itself, by its rank.
        let away = [Self.busy("a", region: "us")]
        #expect(Self.explain([Self.stage()], nodes: away, waits: waits).reason.ahead == 9)
        let ripe = JobWaits(stages: [JobWaits.StageWait(key: Self.scan, isRipe: true)], crowds: waits.crowds)
        let told = Self.explain([Self.stage()], nodes: away, waits: ripe)
        #expect(told.reason.code == .homeRegionWithoutNode && told.reason.ahead == 3)
        #expect(told.reason.text.contains("as their own"))
    }

    @Test func `with all nodes at work it waits for a thread, behind older jobs and its own earlier stages`() {
        let stages = [StageKey(.audio), StageKey(.shots)].map { Self.stage($0) }
        let waits = JobWaits(
            stages: stages.map { JobWaits.StageWait(key: $0.key) },
            crowds: [
                JobWaits.Crowd(region: Region("eu")!, stages: 9, ahead: 4),
                JobWaits.Crowd(region: Region("us")!, stages: 5, ahead: 3),
            ])
        let told = Self.explain(stages, nodes: [Self.busy("a"), Self.busy("b", region: "us")], waits: waits)
        #expect(told.stages.prefix(2).map(\.code) == [.freeThread, .freeThread])
        #expect(told.stages.prefix(2).map(\.ahead) == [4, 5])
        #expect(told.reason == told.stages[0] && told.reason.text.contains("one of 2 threads of 1 node in eu"))
        #expect(told.reason.text.contains("4 stages are before it"))
    }

    @Test func `a batch job is passed over for interactive ones while its region delays it`() {
        let (eu, us) = (Region("eu")!, Region("us")!)
        // By rank one batch job of each region is before it; interactive ones of both go first while the load lasts.
        let crowds = [
            JobWaits.Crowd(region: eu, priority: .batch, stages: 3, ahead: 1),
            JobWaits.Crowd(region: eu, stages: 5, ahead: 2),
            JobWaits.Crowd(region: us, priority: .batch, stages: 4, ahead: 2, ripeAhead: 1),
            JobWaits.Crowd(region: us, stages: 2, ahead: 0),
        ]
        let behind = [JobWaits.Crowd(region: eu, stages: 5, ahead: 0)]
        let batchOnly = [JobWaits.Crowd(region: eu, priority: .batch, stages: 5, ahead: 3)]
        let (a, b) = (Self.busy("a", level: .delayBatch), Self.busy("b", level: .refuse))
        let idle = Self.node("c", condition: NodeCondition(level: .delayBatch))
        let (ordinary, normal) = (Self.busy("c"), Self.busy("a", level: .normal))
        let (free, freeAway) = (Self.node("c"), Self.node("c", region: "us"))
        typealias Row = (
            priority: Job.Priority, nodes: [Node], crowds: [JobWaits.Crowd], code: JobExplanation.Code, ahead: Int
        )
        let table: [Row] = [
            (.batch, [a, b], crowds, .batchDelayed, 9),
            (.batch, [a, b, idle], behind, .batchDelayed, 5),
            (.batch, [a, b, ordinary], crowds, .freeThread, 4),
            (.batch, [a, b, free], behind, .aboutToStart, 0),
            (.batch, [a, b, freeAway], behind, .aboutToStart, 0),
            (.batch, [a, b], batchOnly, .freeThread, 3),
            (.batch, [a, b, idle], [], .aboutToStart, 0),
            (.interactive, [a, b], crowds, .freeThread, 4),
            (.batch, [normal], crowds, .freeThread, 4),
        ]
        for row in table {
            let waits = JobWaits(stages: [JobWaits.StageWait(key: Self.scan)], crowds: row.crowds)
            let told = Self.explain([Self.stage()], nodes: row.nodes, waits: waits, priority: row.priority)
            #expect(told.reason.code == row.code && told.reason.ahead == row.ahead, "\(told)")
            #expect(!told.needsOperator)
        }
        let waits = JobWaits(stages: [JobWaits.StageWait(key: Self.scan)], crowds: crowds)
        let told = Self.explain([Self.stage()], nodes: [a, b], waits: waits, priority: .batch)
        #expect(told.reason.text.contains("7 stages of interactive jobs go first. One claim in 20"))
        #expect(told.reason.text.contains("It is on delay_batch."))
        #expect(told.hint.contains("It starts by itself"))
    }

    @Test func `an idle node does not hide those who are before it`() {
        let waits = JobWaits(
            stages: [JobWaits.StageWait(key: Self.scan)],
            crowds: [JobWaits.Crowd(region: Region("eu")!, stages: 2, ahead: 1)])
        let told = Self.explain([Self.stage()], nodes: [Self.node("a")], waits: waits)
        #expect(told.reason.code == .freeThread && told.reason.ahead == 1)
        #expect(told.reason.text.contains("1 stage is before it"))
    }

    @Test func `a retry is waited for until a known time, with what failed`() {
        var stage = Self.stage()
        stage.failure = Self.failure
        stage.notBefore = Self.start.advanced(bySeconds: 7)
        let waits = JobWaits(stages: [JobWaits.StageWait(key: Self.scan, opensIn: .milliseconds(6500))])
        let told = Self.explain([stage], nodes: [Self.node("a")], waits: waits)
        #expect(told.reason.code == .retryLater && told.reason.seconds == 6.5)
        #expect(told.reason.error?.code == "disk_full" && told.reason.text.contains("2023-11-14T22:13:27.000Z"))
        #expect(told.hint.contains("tijera jobs requeue \(Self.id) scan"))
        #expect(!told.needsOperator)
        // What waits until somebody brings it back says so.
        stage.failure = Failure(
            .resource, code: "disk_full", reason: "The disk is full.", hint: "Make room.", waits: true)
        let waiting = Self.explain([stage], nodes: [Self.node("a")], waits: waits)
        #expect(waiting.reason.code == .retryLater && waiting.needsOperator)
        #expect(waiting.hint.hasPrefix("Make room. It starts by itself"))
    }

    @Test func `the only node is the avoided one`() {
        var stage = Self.stage()
        stage.failure = Self.failure
        let waits = JobWaits(
            stages: [JobWaits.StageWait(key: Self.scan, avoided: NodeID("a")!, avoidedFor: .seconds(20))])
        let nodes = [Self.node("a"), Self.node("b", .cordoned), Self.node("c", isAlive: false)]
        let told = Self.explain([stage], nodes: nodes, waits: waits)
        #expect(told.reason.code == .avoidedNodeOnly && told.reason.node == "a" && told.reason.seconds == 20)
        // With another one there it is offered to that one.
        let free = Self.explain([stage], nodes: nodes + [Self.node("d")], waits: waits)
        #expect(free.reason.code == .aboutToStart && free.reason.text.contains("d has nothing"))
    }

    @Test func `a region without nodes is served by the one that is through first`() {
        let waits = JobWaits(
            stages: [JobWaits.StageWait(key: Self.scan)],
            crowds: [
                JobWaits.Crowd(region: Region("asia")!, stages: 1, ahead: 1),
                JobWaits.Crowd(region: Region("eu")!, stages: 5, ahead: 2),
                JobWaits.Crowd(region: Region("us")!, stages: 8, ahead: 1),
            ])
        let nodes = [Self.node("a", .draining), Self.node("b", region: "us"), Self.node("c", region: "asia")]
        let told = Self.explain([Self.stage()], nodes: nodes, waits: waits)
        // In asia: its own one, then the older ones of eu and of us.
        #expect(told.reason.code == .homeRegionWithoutNode && told.reason.ahead == 1 + 2 + 1)
        #expect(told.reason.text.contains("those of asia, us take it"))
    }

    @Test func `cordoned nodes take nothing, whatever else it waits for`() {
        let nodes = [
            Self.node("a", .cordoned), Self.node("b", region: "us", .draining), Self.node("c", isAlive: false),
        ]
        let waits = JobWaits(stages: [JobWaits.StageWait(key: Self.scan, opensIn: .seconds(5))])
        let told = Self.explain([Self.stage()], nodes: nodes, waits: waits)
        #expect(told.reason.code == .noSchedulableNode && told.needsOperator)
        #expect(told.reason.text.contains("All 2 living nodes are cordoned or draining"))
        #expect(told.hint.contains("uncordon"))
    }

    @Test func `members that live without a lease are cut off from the database`() {
        let dead = [Self.node("a", isAlive: false)]
        let cutOff = Self.explain([Self.stage()], nodes: dead, members: [NodeID("b")!, NodeID("a")!])
        #expect(cutOff.reason.code == .nodesWithoutDatabase && cutOff.needsOperator)
        #expect(cutOff.reason.text.contains("2 nodes (a, b)"))
        for members in [nil, []] as [Set<NodeID>?] {
            let gone = Self.explain([Self.stage()], nodes: dead, members: members)
            #expect(gone.reason.code == .noLivingNode && gone.needsOperator)
        }
    }

    // MARK: At work

    @Test func `a running stage is told with its node and how far it is, and with who waits for it`() {
        var stage = Self.stage(Self.scan, .running)
        (stage.holder, stage.epoch, stage.attempts) = (NodeID("a")!, 3, 2)
        let progress = StageProgress(job: Self.id, key: Self.scan, epoch: 3, fraction: 0.427)
        let told = Self.explain([stage], nodes: [Self.node("a", running: [progress])])
        #expect(told.reason.code == .running && told.reason.node == "a" && told.reason.fraction == 0.427)
        #expect(told.reason.text == "It runs on a, 42 % done, second attempt.")
        let probe = told.stages.first { $0.stage == "probe" }
        #expect(probe?.code == .otherStages && probe?.waitsFor == ["scan"])
        #expect(probe?.text == "It waits for scan (on a, 42 %).")
        // A report of an earlier attempt says nothing about this one.
        let old = StageProgress(job: Self.id, key: Self.scan, epoch: 2, fraction: 0.9)
        #expect(Self.explain([stage], nodes: [Self.node("a", running: [old])]).reason.fraction == 0)
    }

    @Test func `a stage whose node is dead is freed soon, and a running one is what the job is about`() {
        var lost = Self.stage(StageKey(.audio), .running)
        lost.holder = NodeID("a")!
        var runs = Self.stage(StageKey(.shots), .running)
        runs.holder = NodeID("b")!
        let told = Self.explain([lost, runs], nodes: [Self.node("a", isAlive: false), Self.node("b")])
        #expect(told.stages.prefix(2).map(\.code) == [.holderDead, .running])
        #expect(told.reason.code == .running && told.reason.node == "b")
    }

    // MARK: Ended

    @Test func `a job that is ready without some clips says which ones, why, and what makes them again`() {
        let missing = [1, 4].map { ordinal in
            MissingClip(
                id: ClipID(job: Self.id, ordinal: ordinal), stage: StageKey(.render, ordinal), failure: Self.failure)
        }
        let told = Self.explain([], nodes: [], missing: missing) { $0.status = .ready }
        #expect(told.reason.code == .endedReady && told.reason.stage == "render[1]" && !told.needsOperator)
        #expect(told.reason.error?.code == "disk_full")
        #expect(told.reason.text.contains("without clip 2 (render[1]: The disk is full.), clip 5 (render[4]: "))
        #expect(told.hint.hasPrefix("Make room. "))
        for ordinal in [1, 4] { #expect(told.hint.contains("tijera jobs requeue \(Self.id) render[\(ordinal)]")) }
    }

    @Test func `what has ended says how, why and what to do`() {
        let ready = Self.explain([], nodes: []) { $0.status = .ready }
        #expect(ready.reason.code == .endedReady && ready.stages.isEmpty)
        let cancelled = Self.explain([Self.stage(Self.scan, .cancelled)], nodes: []) { job in
            job.status = .cancelled
            job.endedAt = Self.start
        }
        #expect(cancelled.reason.code == .endedCancelled && cancelled.reason.text.contains("\(Self.start)"))
        #expect(cancelled.stages.map(\.code) == [.abandoned])
        var stage = Self.stage(Self.scan, .failed)
        (stage.failure, stage.attempts) = (Self.failure, 4)
        let failed = Self.explain([stage], nodes: []) { job in
            job.status = .error
            job.failure = JobFailure(stage: Self.scan, failure: Self.failure)
        }
        #expect(failed.reason.code == .endedInError && failed.reason.error?.code == "disk_full")
        #expect(failed.stages.map(\.code) == [.failed] && failed.stages[0].text.contains("after 4 attempts"))
        #expect(failed.hint.contains("Make room.") && failed.hint.contains("tijera jobs retry"))
        #expect(!failed.needsOperator)
    }
}
