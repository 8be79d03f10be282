import ClipModel
import HTTPGateway
import Membership
import Placement
import Testing

/// What a report shows, and what is made of it.
@Suite struct ClusterHealthTests {
    private func codes(_ health: ClusterHealth) -> [String] { health.reasons.map { "\($0.code) \($0.node ?? "")" } }

    @Test func `a cluster in which all is well is healthy, and every figure is there`() throws {
        let sample = ClusterSample()
        let report = sample.report(sample.rows)
        #expect(report.health == ClusterHealth(isHealthy: true, reasons: [], notes: []))
        #expect(report.nodes.map(\.id) == ["one", "three", "two"])
        #expect(report.nodes.allSatisfy { $0.state == .alive && $0.holdsLease == true && $0.obeys == true })
        #expect(report.view.number == 7 && report.view.members == 3 && report.view.digest.count == 16)
        let (one, three, two) = (report.nodes[0], report.nodes[1], report.nodes[2])
        #expect(one.isLocal && one.isConnected == nil && one.keyShare == 0.5 && one.agrees == nil)
        #expect(three.keyShare == 1 && three.roundTripMilliseconds == 80 && three.capacity == 4 && three.zone == "a")
        #expect(two.roundTripMilliseconds == 1.5 && two.certificateExpiresAt == .inDays(90))
        #expect(two.epoch == 1_700_000_000_000 && two.peer == "two:7000" && two.load?.threads == 2)
    }

    @Test(arguments: [
        (MemberStatus.suspect, "node_suspect"), (.unreachable, "node_unreachable"),
    ])
    func `a member that does not answer is an illness`(status: MemberStatus, code: String) {
        var sample = ClusterSample()
        sample.set("two", status: status)
        let report = sample.report(sample.rows)
        #expect(codes(report.health) == ["\(code) two"])
        // Its keys are with others exactly when it cannot be reached.
        #expect(report.nodes.first { $0.id == "two" }?.keyShare == (status == .unreachable ? 0 : 0.5))
    }

    @Test func `who is in the database and no member is told apart`() {
        let sample = ClusterSample()
        let report = sample.report(
            sample.rows + [
                ClusterSample.row("dead", isAlive: false), ClusterSample.row("left", isAlive: false, hasLeft: true),
                ClusterSample.row("unseen"),
            ])
        let states = report.nodes.filter { $0.epoch == nil }.map(\.state)
        #expect(states == [.dead, .left, .unseen])
        #expect(codes(report.health) == ["node_dead dead", "node_unseen unseen"])
    }

    @Test func `a member whose lease ran out does no work, and that is told`() {
        let sample = ClusterSample()
        let rows = [ClusterSample.row("one"), ClusterSample.row("two", isAlive: false), ClusterSample.row("three")]
        #expect(codes(sample.report(rows).health) == ["lease_lost two"])
        // Unknown is not lost: a member that the database does not know yet has just come.
        #expect(sample.report([ClusterSample.row("one")]).health.isHealthy)
    }

    @Test func `links and opinions count`() {
        var sample = ClusterSample()
        sample.peers[.named("two")]?.isConnected = false
        sample.peers[.named("three")]?.placementDigest = 1
        let health = sample.report(sample.rows).health
        #expect(
            codes(health) == ["disagrees three"]
                && health.notes.map(\.text) == ["two has no connection with the asked node."])
        sample.peers = [:]
        let alone = sample.report(sample.rows).health
        #expect(alone.isHealthy && alone.notes.map(\.node) == ["three", "two"])
    }

    @Test(arguments: [(-1, "certificate_expired"), (0, "certificate_expired"), (13, "certificate_ends"), (14, nil)])
    func `certificates are reported before they end`(days: Int, code: String?) {
        var sample = ClusterSample()
        sample.certificateExpiresAt = .inDays(days)
        #expect(sample.report(sample.rows).health.reasons.map(\.code) == [code].compactMap(\.self))
        sample = ClusterSample()
        sample.peers[.named("two")]?.certificateExpiresAt = .inDays(days)
        #expect(sample.report(sample.rows).health.reasons.map(\.node) == (code == nil ? [] : ["two"]))
    }

    @Test func `what the operator wants is a note and no illness, unless a region is left with nobody`() {
        var sample = ClusterSample()
        sample.set("two", .draining)
        let rows = sample.rows.map {
            $0.id.rawValue == "two" ? ClusterSample.row("two", schedulability: .draining) : $0
        }
        let drained = sample.report(rows)
        #expect(drained.health.isHealthy)
        #expect(drained.health.notes.map(\.text) == ["two is draining and empty."])
        sample.set("three", .cordoned)
        let cordoned = sample.report(nil)
        #expect(codes(cordoned.health) == ["region_without_nodes "])
        #expect(cordoned.nodes.first { $0.id == "three" }?.schedulability == .cordoned)
        #expect(cordoned.nodes.first { $0.id == "three" }?.obeys == nil)
    }

    @Test func `an order that the node has not heard of is on its way`() {
        let sample = ClusterSample()
        let rows = [ClusterSample.row("one", schedulability: .cordoned)]
        let report = sample.report(rows)
        #expect(report.nodes[0].schedulability == .cordoned && report.nodes[0].obeys == false)
        #expect(report.health.notes.map(\.code) == ["node_cordoned", "order_on_its_way"])
    }

    @Test(arguments: [(ClusterReport.Database.State.slow, "database_slow"), (.down, "database_down")])
    func `a database that does not answer is an illness`(state: ClusterReport.Database.State, code: String) {
        #expect(ClusterSample().report(nil, state: state).health.reasons.map(\.code) == [code])
    }

    // MARK: Decommissioning

    @Test func `a plan tells what moves and what will be missing`() throws {
        let sample = ClusterSample()
        let plan = try #require(
            DecommissionPlan.make("two", sample.report(sample.rows), sample.snapshot.placement))
        #expect(plan.isSafe && plan.objections.isEmpty && plan.stages == 0)
        #expect(plan.consequences.map(\.text) == ["Threads for work go from 6 to 4."])
        let home = try #require(plan.keys.homes.first { $0.home == "eu" })
        #expect(abs(home.movedShare - 0.5) < 1e-9 && home.moves.map(\.to) == ["one"])
        let last = try #require(
            DecommissionPlan.make("three", sample.report(sample.rows), sample.snapshot.placement))
        #expect(last.isSafe && last.consequences.map(\.code) == ["region_without_nodes", "threads"])
        #expect(DecommissionPlan.make("four", sample.report(sample.rows), sample.snapshot.placement) == nil)
    }

    @Test func `nobody goes while another is ill, or as the last one`() throws {
        var sample = ClusterSample()
        sample.set("three", status: .unreachable)
        let ill = try #require(
            DecommissionPlan.make("two", sample.report(sample.rows), sample.snapshot.placement))
        #expect(!ill.isSafe && ill.objections.map(\.code) == ["node_unreachable"])
        // The one that is ill may go, and so may one that is dead and only remembered.
        #expect(
            DecommissionPlan.make("three", sample.report(sample.rows), sample.snapshot.placement)?.isSafe == true)
        sample.members = [sample.members[0]]
        let alone = try #require(
            DecommissionPlan.make("one", sample.report(sample.rows), sample.snapshot.placement))
        #expect(!alone.isSafe && alone.objections.map(\.code) == ["last_node"])
        let remembered = sample.report(sample.rows + [ClusterSample.row("gone", isAlive: false)])
        let plan = try #require(DecommissionPlan.make("gone", remembered, sample.snapshot.placement))
        #expect(plan.isSafe && plan.keys.homes.allSatisfy { $0.movedShare == 0 })
    }
}
