import Membership
import Placement
import Testing

@Suite struct PlacementTests {
    // MARK: Standings

    static let standings: [(MemberStatus, Schedulability, PlacementMember.Standing)] = [
        (.alive, .schedulable, .open), (.alive, .cordoned, .holding), (.alive, .draining, .departing),
        (.suspect, .schedulable, .holding), (.suspect, .cordoned, .holding), (.suspect, .draining, .departing),
        (.unreachable, .schedulable, .absent), (.unreachable, .cordoned, .absent), (.unreachable, .draining, .absent),
        (.dead, .schedulable, .absent), (.left, .schedulable, .absent),
    ]

    @Test(arguments: standings)
    func `every state of a member has a standing`(
        status: MemberStatus, schedulability: Schedulability, standing: PlacementMember.Standing
    ) {
        #expect(member("a", status: status, schedulability).standing == standing)
    }

    @Test func `a cordon and a suspicion move no key`() {
        let well = equalMembers(4)
        let before = placement(well)
        for changed in [member("n2", .cordoned), member("n2", status: .suspect)] {
            let after = placement([well[0], changed, well[2], well[3]])
            #expect(after.digest == before.digest)
            for key in keys(2000) { #expect(after.owner(of: key) == before.owner(of: key)) }
        }
    }

    @Test(arguments: [member("n2", .draining), member("n2", status: .unreachable)])
    func `a drained or unreachable member loses its keys as if it had left`(changed: PlacementMember) {
        let well = equalMembers(4)
        let after = placement([well[0], changed, well[2], well[3]])
        let gone = placement(well).without(changed.id)
        #expect(after.digest == gone.digest)
        #expect(after.digest != placement(well).digest)
        for key in keys(2000) { #expect(after.owner(of: key) == gone.owner(of: key)) }
    }

    @Test func `the draining hold keys only while nobody else does`() {
        let draining = placement([member("a", .draining), member("b", .draining), member("c", status: .unreachable)])
        #expect(Set(keys(100).compactMap { draining.owner(of: $0) }) == [.named("a"), .named("b")])
        let elsewhere = placement([member("a", .draining), member("z", region: "us", .cordoned)])
        #expect(keys(100).allSatisfy { elsewhere.owner(of: $0) == .named("z") })
    }

    @Test func `without members there is no owner`() {
        for members in [[], [member("a", status: .unreachable)]] {
            let empty = placement(members)
            let key = PlacementKey("k", home: "eu")
            #expect(empty.owner(of: key) == nil && empty.ranking(of: key).isEmpty)
            #expect(empty.replicas(of: key, count: 3).isEmpty)
            #expect(empty.keyShares(home: "eu").isEmpty)
            #expect(empty.explain(key).reason == "No member of the cluster can hold keys.")
            #expect(empty.difference(to: empty).homes.allSatisfy { $0.movedShare == 0 && $0.moves.isEmpty })
        }
    }

    // MARK: Determinism

    @Test(arguments: seeds)
    func `the order in which members are named does not matter`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let members = randomMembers(&random)
        let one = placement(members), other = placement(members.shuffled(using: &random))
        #expect(one.digest == other.digest)
        for home in homes {
            for key in keys(200, home: home) { #expect(one.ranking(of: key) == other.ranking(of: key)) }
        }
    }

    @Test(arguments: seeds)
    func `equal digests mean equal answers, and what changes an answer changes the digest`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var seen: [UInt64: [[MemberID]]] = [:]
        let asked = homes.flatMap { keys(20, home: $0) }
        for _ in 0..<50 {
            let placement = placement(randomMembers(&random))
            let answers = asked.map { placement.ranking(of: $0) }
            if let known = seen[placement.digest] { #expect(known == answers) }
            seen[placement.digest] = answers
        }
        let before = equalMembers(3)
        for changed in [
            member("n1", weight: 2), member("n1", region: "us"), member("n1", zone: "z"), member("n4"),
        ] {
            #expect(placement([changed] + before.dropFirst()).digest != placement(before).digest)
        }
    }

    @Test(arguments: seeds)
    func `the owner is the first of the ranking and of the replicas`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let placement = placement(randomMembers(&random))
        for home in homes {
            for key in keys(200, home: home) {
                let ranking = placement.ranking(of: key)
                #expect(placement.owner(of: key) == ranking.first)
                #expect(placement.replicas(of: key, count: 1).first == ranking.first)
                #expect(Set(ranking).count == ranking.count)
                #expect(Set(placement.replicas(of: key, count: 100)) == Set(ranking))
                #expect(placement.explain(key).owner == ranking.first?.rawValue)
            }
        }
    }

    @Test func `kind, name, home and salt all count, and a name may be anything`() {
        let members = equalMembers(40)
        func owners(_ make: (Int) -> PlacementKey, salt: String = "test") -> [MemberID?] {
            let placement = placement(members, salt: salt)
            return (0..<50).map { placement.owner(of: make($0)) }
        }
        let first = owners { PlacementKey("k\($0)", kind: "a") }
        #expect(first != owners { PlacementKey("k\($0)", kind: "b") })
        #expect(first != owners { PlacementKey("l\($0)", kind: "a") })
        #expect(first != owners({ PlacementKey("k\($0)", kind: "a") }, salt: "other"))
        for name in ["", "ñandú", String(repeating: "x", count: 100_000), "a\u{0}b", "👩‍🚀"] {
            #expect(placement(members).owner(of: PlacementKey(name)) != nil)
        }
    }

    // MARK: Limits

    @Test(arguments: [(Int.min, 1), (0, 1), (10_000, 10_000), (10_001, 10_000), (Int.max, 10_000)])
    func `wild weights are bent`(given: Int, kept: Int) {
        #expect(member("a", weight: given).weight == kept)
        let placement = placement([member("a", weight: given), member("b", weight: .max)])
        #expect(keys(100).allSatisfy { placement.owner(of: $0) != nil })
    }

    @Test func `of two members with one name the first counts`() {
        let twice = placement([member("a"), member("a", region: "us"), member("b")])
        #expect(twice.members.map(\.id.rawValue) == ["a", "b"])
        #expect(twice.members[0].region == "eu")
    }

    @Test func `the algorithm id changes with everything that changes an owner`() {
        let base = PlacementPolicy(salt: "s", fallbackRegions: ["eu": ["us"]])
        #expect(base.algorithmID.hasPrefix("rendezvous-1/"))
        #expect(base.algorithmID == PlacementPolicy(salt: "s", fallbackRegions: ["eu": ["us"]]).algorithmID)
        #expect(base.algorithmID != PlacementPolicy(salt: "t", fallbackRegions: ["eu": ["us"]]).algorithmID)
        #expect(base.algorithmID != PlacementPolicy(salt: "s", fallbackRegions: ["eu": ["us", "ap"]]).algorithmID)
        #expect(base.algorithmID != PlacementPolicy(salt: "s").algorithmID)
    }
}
