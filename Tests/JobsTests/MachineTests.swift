import ClipModel
import Jobs
import Stages
import Store
import Testing

@Suite struct LeaseKeeperTests {
    @Test func `trust counts from when the attempt began and ends a margin early`() {
        var keeper = LeaseKeeper(lease: .seconds(6), margin: .seconds(2), registrationStartedAt: .seconds(10))
        #expect(keeper.isTrusted(at: .seconds(13.9)))
        #expect(!keeper.isTrusted(at: .seconds(14)))
        keeper.renewed(attemptStartedAt: .seconds(12))
        #expect(keeper.trustedUntil == .seconds(16))
        #expect(keeper.wait(at: .seconds(15)) == .seconds(1))
        #expect(keeper.wait(at: .seconds(16)) == nil)
    }

    @Test func `an answer that comes late never shortens the trust`() {
        var keeper = LeaseKeeper(lease: .seconds(6), margin: .seconds(1), registrationStartedAt: .seconds(0))
        keeper.renewed(attemptStartedAt: .seconds(9))
        keeper.renewed(attemptStartedAt: .seconds(3))
        #expect(keeper.trustedUntil == .seconds(14))
    }

    @Test func `a stage is begun only while its claim is younger than the trust of a lease`() {
        let keeper = LeaseKeeper(lease: .seconds(6), margin: .seconds(2), registrationStartedAt: .seconds(0))
        #expect(keeper.mayBegin(claimAskedAt: .seconds(100), at: .seconds(103.9)))
        #expect(!keeper.mayBegin(claimAskedAt: .seconds(100), at: .seconds(104)))
    }
}

@Suite struct WorkerMachineTests {
    private let first = lease(StageKey(.render, 0))
    private let second = lease(StageKey(.render, 1))

    @Test func `a claim that is answered too late starts nothing and is given back`() {
        var machine = WorkerMachine(schedule: Schedule())
        #expect(machine.received(.claimedLate(first)) == [.giveBack(first)])
        #expect(machine.isIdle)
        _ = machine.received(.lifeLost)
        #expect(machine.received(.claimedLate(first)).isEmpty)
    }

    @Test func `a claim that is answered twice starts one run`() {
        var machine = WorkerMachine(schedule: Schedule())
        #expect(machine.received(.claimed(first)) == [.start(first)])
        #expect(machine.received(.claimed(first)) == [])
    }

    @Test func `a cancelled job stops its own runs, once`() {
        var machine = working(on: [first, lease(StageKey(.render, 0), job: "1")])
        // The stop may have been meant for its former end: then somebody has to get the stage.
        #expect(machine.received(.stopped(first.job)) == [.stop(first, giveBack: true)])
        #expect(machine.received(.stopped(first.job)) == [])
    }

    @Test func `only the named epoch is dropped`() {
        var machine = working(on: [first])
        let older = StageProgress(job: first.job, key: first.key, epoch: 0, fraction: 0)
        #expect(machine.received(.dropped([older])) == [])
        let same = StageProgress(job: first.job, key: first.key, epoch: first.epoch, fraction: 0)
        #expect(machine.received(.dropped([same])) == [.stop(first, giveBack: false)])
    }

    @Test func `a lost life stops everything and ends`() {
        var machine = working(on: [first, second])
        let stops: [WorkerMachine.Action] = [.stop(first, giveBack: false), .stop(second, giveBack: false), .end]
        #expect(machine.received(.lifeLost) == stops)
        #expect(machine.isLifeLost && machine.state == .over)
        #expect(machine.received(.claimed(lease(StageKey(.probe)))) == [])
        #expect(machine.received(.lifeLost) == [])
    }

    @Test func `draining waits for the runs, then gives them back`() {
        var machine = working(on: [first, second])
        #expect(machine.received(.drainBegan) == [])
        #expect(!machine.claimsAllowed)
        #expect(machine.received(.claimed(lease(StageKey(.probe)))) == [.giveBack(lease(StageKey(.probe)))])
        #expect(machine.received(.finished(first)) == [])
        #expect(machine.received(.graceEnded) == [.stop(second, giveBack: true)])
        #expect(machine.received(.finished(second)) == [.end])
    }

    @Test func `an idle node that drains ends at once`() {
        var machine = WorkerMachine(schedule: Schedule())
        #expect(machine.received(.drainBegan) == [.end])
        #expect(machine.received(.drainBegan) == [])
    }

    @Test func `a cordoned node claims nothing, keeps what it was given, and may be taken back`() {
        var machine = working(on: [first])
        #expect(machine.received(.wanted(.cordoned)) == [])
        #expect(!machine.claimsAllowed && machine.state == .working)
        // Granted before the cordon, answered after it.
        #expect(machine.received(.claimed(second)) == [.start(second)])
        #expect(machine.received(.finished(first)) == [] && machine.received(.finished(second)) == [])
        #expect(machine.received(.patienceEnded(drain: machine.drains)) == [])
        #expect(machine.received(.wanted(.schedulable)) == [] && machine.claimsAllowed)
    }

    @Test func `a node drained by its operator empties and does not end`() {
        var machine = working(on: [first, second])
        #expect(machine.received(.wanted(.draining)) == [])
        #expect(!machine.claimsAllowed)
        #expect(machine.received(.claimed(lease(StageKey(.probe)))) == [.giveBack(lease(StageKey(.probe)))])
        #expect(machine.received(.finished(first)) == [])
        #expect(machine.received(.patienceEnded(drain: 1)) == [.stop(second, giveBack: true)])
        #expect(machine.received(.patienceEnded(drain: 1)) == [])
        #expect(machine.received(.finished(second)) == [])
        #expect(machine.state == .working && machine.isIdle)
    }

    @Test func `the patience of a drain that was taken back ends nothing in the next one`() {
        var machine = working(on: [first])
        for wanted in [NodeSchedulability.draining, .schedulable, .draining, .draining] {
            _ = machine.received(.wanted(wanted))
        }
        #expect(machine.received(.patienceEnded(drain: 1)) == [])
        #expect(machine.received(.patienceEnded(drain: 2)) == [.stop(first, giveBack: true)])
    }

    @Test func `a node that is cordoned can still be told to go`() {
        var machine = working(on: [first])
        _ = machine.received(.wanted(.cordoned))
        #expect(machine.received(.drainBegan) == [])
        #expect(machine.received(.finished(first)) == [.end])
    }

    @Test func `a stage that took too many nodes with it is refused`() throws {
        var machine = WorkerMachine(schedule: Schedule(crashesMax: 6))
        #expect(machine.received(.claimed(lease(StageKey(.render), attempts: 6, crashes: 5))) != [])
        let actions = machine.received(.claimed(lease(StageKey(.render), attempts: 8, crashes: 6)))
        guard case .refuse(_, let failure) = try #require(actions.first) else {
            Issue.record("\(actions)")
            return
        }
        #expect(failure.class == .poison && failure.code == "stage_crashed_repeatedly")
        #expect(failure.reason.contains("stopped 6 times"))
    }

    private func working(on leases: [StageLease]) -> WorkerMachine {
        var machine = WorkerMachine(schedule: Schedule())
        for lease in leases { _ = machine.received(.claimed(lease)) }
        return machine
    }
}

@Suite struct BatchDelayTests {
    @Test func `while batch jobs are delayed one claim in twenty goes by rank alone`() {
        let table: [(turns: [(isOn: Bool, claims: Int)], alone: [Int])] = [
            ([(false, 50)], []), ([(true, 19)], []), ([(true, 20)], [19]), ([(true, 76)], [19, 39, 59]),
            // A claim in the ordinary way begins the count anew.
            ([(true, 19), (false, 1), (true, 1)], []), ([(true, 19), (false, 1), (true, 20)], [39]),
        ]
        for (turns, alone) in table {
            let isOn = turns.flatMap { turn in [Bool](repeating: turn.isOn, count: turn.claims) }
            var delay = BatchDelay()
            let ways = isOn.map { delay.next(isOn: $0) }
            let expected = isOn.indices.map { index -> BatchDelay.Way in
                guard isOn[index] else { return .ordinary }
                return alone.contains(index) ? .byRankAlone : .othersFirst
            }
            #expect(ways == expected)
        }
    }
}

@Suite struct ScheduleTests {
    private let schedule = Schedule()

    @Test(arguments: [Failure.Class.transient, .resource])
    func `what may work is tried four times, with growing waits`(kind: Failure.Class) throws {
        let longest = try (1...3).map { try #require(schedule.retryDelaySeconds(after: kind, attempts: $0, chance: 1)) }
        #expect(longest == [3, 9, 27])
        let shortest = try (1...3).map {
            try #require(schedule.retryDelaySeconds(after: kind, attempts: $0, chance: 0))
        }
        #expect(shortest == [1, 1, 1])
        #expect(schedule.retryDelaySeconds(after: kind, attempts: 4, chance: 0.5) == nil)
    }

    @Test(arguments: [Failure.Class.poison, .cancelled])
    func `what cannot work is not tried again`(kind: Failure.Class) {
        #expect(schedule.retryDelaySeconds(after: kind, attempts: 1, chance: 0.5) == nil)
    }

    @Test func `what waits for something outside is tried less and less often, up to a bound`() {
        #expect(schedule.waitSeconds(waitedFor: 0, chance: 0.5) == 1)
        #expect(schedule.waitSeconds(waitedFor: 40, chance: 0.5) == 10)
        #expect(schedule.waitSeconds(waitedFor: 86_400, chance: 0.5) == 30)
        #expect(schedule.waitSeconds(waitedFor: 86_400, chance: 0) == 22.5)
    }

    /// What follows when the scan fails.
    private func after(
        _ failure: Failure, epoch: Int, attempts: Int, crashes: Int = 0, hours: Double = 0
    ) -> JobAdvance {
        let start = Timestamp(millisecondsSinceEpoch: 1_700_000_000_000)
        let job = Job(
            id: JobID("job_01hzzzzzzzzzzzzzzzzzzzzzzz")!, upload: UploadID("upload_01hzzzzzzzzzzzzzzzzzzzzzzz")!,
            region: Region("eu")!, tenant: "ana", options: JobOptions(), status: .processing, createdAt: start)
        let upload = Upload(
            id: job.upload, fileName: "talk.mp4", bytes: 1, sha256: String(repeating: "a", count: 64),
            blob: BlobName("uploads/x/source")!, transcript: nil, createdAt: start)
        let stage = Stage(
            job: job.id, key: StageKey(.scan), state: .failed, epoch: epoch, attempts: attempts, crashes: crashes,
            failure: failure, openedAt: start, notBefore: start)
        let snapshot = JobSnapshot(
            job: job, upload: upload, stages: [stage], clips: [], changed: stage.key,
            now: start.advanced(bySeconds: hours * 3600))
        return schedule.advance(snapshot, chance: 0.5)
    }

    /// It fails for want of something that is to come back.
    private func afterWaiting(hours: Double, tries: Int, attempts: Int) -> JobAdvance {
        let away = Failure(.resource, code: "away", reason: "It is away.", hint: "Wait.", waits: true)
        return after(away, epoch: tries + attempts, attempts: attempts, hours: hours)
    }

    @Test func `deaths of nodes use up no tries of what fails, and failures are no deaths`() {
        let scan = StageKey(.scan)
        let flaky = Failure(.transient, code: "flaky", reason: "It did not work.", hint: "Wait.")
        // The first failure after three deaths is followed as any first one is.
        #expect(after(flaky, epoch: 4, attempts: 4, crashes: 3).reopen == [scan: 2])
        #expect(after(flaky, epoch: 6, attempts: 6, crashes: 3).reopen == [scan: 14])
        let last = after(flaky, epoch: 7, attempts: 7, crashes: 3)
        #expect(last.reopen.isEmpty && last.status == .error && last.failure?.failure.code == "flaky")
        let table: [(attempts: Int, crashes: Int, isRefused: Bool)] = [
            (7, 3, false), (9, 5, false), (7, 6, true), (10, 6, true),
        ]
        for (attempts, crashes, isRefused) in table {
            let refusal = schedule.refusal(of: lease(scan, attempts: attempts, crashes: crashes))
            #expect((refusal != nil) == isRefused, "\(crashes) of \(attempts)")
        }
    }

    @Test func `what waits has a day and a hundred tries, and then those of any other failure`() {
        let scan = StageKey(.scan)
        #expect(afterWaiting(hours: 23, tries: 3000, attempts: 0).reopen == [scan: 30])
        // It was begun after two days in the queue.
        #expect(afterWaiting(hours: 48, tries: 99, attempts: 0).reopen == [scan: 30])
        #expect(afterWaiting(hours: 24, tries: 100, attempts: 1).reopen == [scan: 2])
        #expect(afterWaiting(hours: 24, tries: 100, attempts: 3).reopen == [scan: 14])
        let last = afterWaiting(hours: 24, tries: 100, attempts: 4)
        #expect(last.reopen.isEmpty && last.status == .error && last.failure?.failure.code == "away")
    }

    @Test func `no wait is longer than the longest`() {
        let patient = Schedule(attemptsMax: 50, crashesMax: 60)
        #expect(patient.retryDelaySeconds(after: .transient, attempts: 49, chance: 1) == 30)
    }
}

private func lease(_ key: StageKey, job: String = "z", attempts: Int = 1, crashes: Int = 0) -> StageLease {
    StageLease(
        job: JobID("job_01hzzzzzzzzzzzzzzzzzzzzzz" + job)!, key: key, epoch: 1, node: NodeID("a")!, nodeEpoch: 1,
        attempts: attempts, crashes: crashes)
}
