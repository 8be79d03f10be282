import Membership
import Placement
import Testing

@Suite struct RegionTests {
    static let world = [
        member("e1", region: "eu"), member("e2", region: "eu"), member("u1", region: "us"), member("u2", region: "us"),
        member("a1", region: "ap"), member("s1", region: "sa"),
    ]

    @Test func `a key with a home is owned at home, one without anywhere`() {
        let placement = placement(Self.world)
        for key in keys(500, home: "us") {
            #expect(["u1", "u2"].contains(placement.owner(of: key)?.rawValue))
        }
        #expect(Set(keys(500, home: nil).compactMap { placement.owner(of: $0) }).count == 6)
    }

    @Test func `other regions are no matter for the keys of a home that has members`() {
        let before = placement(Self.world)
        let after = placement([member("e1", region: "eu"), member("e2", region: "eu"), member("x", region: "ap")])
        for key in keys(500, home: "eu") { #expect(before.owner(of: key) == after.owner(of: key)) }
    }

    @Test func `a region that loses everybody sends its keys to the configured ones first`() {
        let policy = PlacementPolicy(salt: "test", fallbackRegions: ["eu": ["nowhere", "sa", "us"]])
        let before = Placement(Self.world, policy: policy)
        let after = before.without(.named("e1")).without(.named("e2"))
        for key in keys(200, home: "eu") { #expect(after.owner(of: key) == .named("s1")) }
        let further = after.without(.named("s1"))
        for key in keys(200, home: "eu") { #expect(further.owner(of: key)?.rawValue.hasPrefix("u") == true) }
        // Nothing else moves: neither keys of other homes nor those that were there before.
        for home in ["us", "ap", "sa"] {
            for key in keys(200, home: home) { #expect(after.owner(of: key) == before.owner(of: key)) }
        }
    }

    @Test func `without configured fallbacks the keys of a lost region spread over the others`() {
        let after = placement(Self.world.filter { $0.region != "eu" })
        let counts = Law.counts(keys(30_000, home: "eu").map { after.owner(of: $0) })
        // A third for each region; in us that is for two.
        for (name, share) in [("u1", 1.0 / 6), ("u2", 1.0 / 6), ("a1", 1.0 / 3), ("s1", 1.0 / 3)] {
            let found = Double(counts[.named(name)] ?? 0) / 30_000
            #expect(abs(found - share) < 0.015, "\(name) has \(found)")
        }
    }

    @Test func `a region that comes takes from the fallback of others only what it wins`() {
        let homeless = Self.world.filter { $0.region != "eu" }
        let before = placement(homeless), after = placement(homeless + [member("x", region: "za")])
        var moved = 0
        for key in keys(4000, home: "eu") where before.owner(of: key) != after.owner(of: key) {
            moved += 1
            #expect(after.owner(of: key) == .named("x"))
        }
        #expect((800...1200).contains(moved), "a quarter of 4000 should move, \(moved) did")
    }

    @Test func `a member that joins a fallback region moves no key between regions`() {
        let homeless = Self.world.filter { $0.region != "eu" }
        let before = placement(homeless), after = placement(homeless + [member("a2", region: "ap", weight: 50)])
        for key in keys(2000, home: "eu") where before.owner(of: key) != after.owner(of: key) {
            #expect(before.owner(of: key) == .named("a1") && after.owner(of: key) == .named("a2"))
        }
    }

    @Test func `a cordon of a whole region moves none of its keys`() {
        let members = Self.world.map {
            $0.region == "eu" ? member($0.id.rawValue, region: "eu", .cordoned) : $0
        }
        let before = placement(Self.world), after = placement(members)
        for key in keys(100, home: "eu") { #expect(after.owner(of: key) == before.owner(of: key)) }
    }

    // MARK: Replicas

    @Test(arguments: seeds)
    func `replicas stand in distinct zones while there are zones left`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let placement = placement(randomMembers(&random))
        let facts = Dictionary(uniqueKeysWithValues: placement.members.map { ($0.id, $0) })
        for home in homes {
            for key in keys(100, home: home) {
                let all = placement.ranking(of: key).compactMap { facts[$0] }
                let pool = home == nil ? all : all.filter { $0.region == all.first?.region }
                let zones = Set(pool.map { $0.region + "/" + $0.zone })
                let chosen = placement.replicas(of: key, count: zones.count).compactMap { facts[$0] }
                #expect(Set(chosen.map { $0.region + "/" + $0.zone }) == zones)
            }
        }
    }

    @Test(arguments: seeds)
    func `a member that leaves replaces at most one replica, and none where it held none`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let members = (0..<9).map {
            member(
                "n\($0)", zone: ["a", "b", "c"].randomElement(using: &random)!,
                weight: Int.random(in: 1...4, using: &random))
        }
        let before = placement(members)
        for leaver in members {
            let after = before.without(leaver.id)
            for key in keys(100) {
                let old = Set(before.replicas(of: key, count: 3)), new = Set(after.replicas(of: key, count: 3))
                #expect(old.subtracting(new) == (old.contains(leaver.id) ? [leaver.id] : []))
            }
        }
    }

    @Test func `the region is used up before another is asked for a replica`() {
        let placement = placement([
            member("a", zone: "z"), member("b", zone: "z"), member("c", region: "us", zone: "y"),
        ])
        let replicas = placement.replicas(of: PlacementKey("k", home: "eu"), count: 3).map(\.rawValue)
        #expect(Set(replicas.prefix(2)) == ["a", "b"] && replicas[2] == "c")
        #expect(placement.replicas(of: PlacementKey("k", home: "eu"), count: -1).isEmpty)
    }
}
