import ClipModel
import Jobs
import Membership
import Testing

@Suite struct CoordinatorMachineTests {
    private let home = Region("eu")!
    private let now = Timestamp(millisecondsSinceEpoch: 1_000_000)

    private func stage(
        _ index: Int, _ state: Stage.State = .ready, on holder: String? = nil, after seconds: Double = 0
    ) -> Stage {
        Stage(
            job: JobID("job_01hzzzzzzzzzzzzzzzzzzzzzzz")!, key: StageKey(.render, index), state: state, epoch: 1,
            holder: holder.flatMap(NodeID.init), openedAt: now, notBefore: now.advanced(bySeconds: seconds))
    }

    private func node(
        _ name: String, _ region: String = "eu", threads: Int = 2, busy: Int = 0, alive: Bool = true,
        wanted: NodeSchedulability = .schedulable
    ) -> Node {
        let running = (0..<busy).map {
            StageProgress(
                job: JobID("job_01hzzzzzzzzzzzzzzzzzzzzzz1")!, key: StageKey(.render, $0), epoch: 1, fraction: 0)
        }
        return Node(
            id: NodeID(name)!, region: Region(region)!, epoch: 1, http: "http://\(name)", version: "1",
            threads: threads, startedAt: now, seenAt: now, isAlive: alive, schedulability: wanted,
            running: running)
    }

    private func look(
        _ stages: [Stage], _ nodes: [Node], hasEnded: Bool = false
    ) -> [CoordinatorMachine.Action] {
        var machine = CoordinatorMachine(home: home)
        return machine.looked(at: .init(hasEnded: hasEnded, stages: stages, nodes: nodes, now: now))
    }

    @Test func `as many nodes are told as the stages need, those at home and with more threads first`() {
        let nodes = [node("a", "us", threads: 8), node("b", busy: 1), node("c"), node("d", threads: 4)]
        let once = CoordinatorMachine.Action.lookAgain(afterSeconds: CoordinatorMachine.repeatSeconds)
        #expect(look([stage(0)], nodes) == [.nudge(NodeID("d")!), once])
        #expect(look((0..<5).map { stage($0) }, nodes) == [.nudge(NodeID("d")!), .nudge(NodeID("c")!), once])
        #expect(
            look((0..<9).map { stage($0) }, nodes)
                == ["d", "c", "b", "a"].map { .nudge(NodeID($0)!) } + [once])
    }

    @Test func `nobody is told who cannot take work`() {
        let nodes = [
            node("busy", busy: 2), node("dead", alive: false), node("full", threads: 0),
            node("cordoned", wanted: .cordoned), node("draining", wanted: .draining),
        ]
        #expect(look([stage(0)], nodes) == [])
    }

    @Test func `a retry is looked at when its time has come, and not told of before`() {
        #expect(look([stage(0, after: 7)], [node("a")]) == [.lookAgain(afterSeconds: 7)])
        // The earlier of both.
        #expect(
            look([stage(0, after: 0.5), stage(1)], [node("a")])
                == [.nudge(NodeID("a")!), .lookAgain(afterSeconds: 0.5)])
    }

    @Test func `whoever works on a job that has ended is stopped, once`() {
        var machine = CoordinatorMachine(home: home)
        let running = [stage(0, .running, on: "a"), stage(1, .running, on: "b"), stage(2, .running, on: "a")]
        _ = machine.looked(at: .init(hasEnded: false, stages: running, nodes: [node("a"), node("b")], now: now))
        let cancelled = [stage(0, .cancelled), stage(1, .cancelled), stage(2, .cancelled)]
        let end = CoordinatorMachine.Picture(hasEnded: true, stages: cancelled, nodes: [], now: now)
        #expect(machine.looked(at: end) == [.stop(NodeID("a")!), .stop(NodeID("b")!), .rest])
        #expect(machine.looked(at: end) == [.rest])
        // A deleted job has no stages any more.
        _ = machine.looked(at: .init(hasEnded: false, stages: running, nodes: [], now: now))
        #expect(machine.looked(at: nil) == [.stop(NodeID("a")!), .stop(NodeID("b")!), .rest])
    }
}

@Suite struct DeathWatchTests {
    private func life(_ name: String, _ epoch: UInt64 = 1) -> MemberLife {
        MemberLife(id: MemberID(name)!, epoch: epoch)
    }

    @Test func `a node that vanishes is pursued until it is settled`() {
        var watch = DeathWatch()
        watch.saw([life("a"), life("b")], at: .zero)
        #expect(watch.due(at: .zero).isEmpty)
        watch.saw([life("a")], at: .seconds(1))
        #expect(watch.due(at: .seconds(1)) == [life("b")])
        watch.settled(life("b"))
        #expect(watch.isEmpty)
    }

    @Test func `a node that is back is let alone, as is one with a new life`() {
        var watch = DeathWatch()
        watch.saw([life("a"), life("b")], at: .zero)
        watch.saw([life("a")], at: .seconds(1))
        watch.saw([life("a"), life("b")], at: .seconds(2))
        #expect(watch.due(at: .seconds(2)).isEmpty)
        watch.saw([life("a"), life("b", 2)], at: .seconds(3))
        #expect(watch.due(at: .seconds(3)).isEmpty)
    }

    @Test func `the pursuit ends when leases have run out anyway`() {
        var watch = DeathWatch(pursuit: .seconds(15))
        watch.saw([life("a"), life("b")], at: .zero)
        watch.saw([life("a")], at: .seconds(1))
        #expect(watch.due(at: .seconds(15.9)) == [life("b")])
        #expect(watch.due(at: .seconds(16)).isEmpty)
    }
}
