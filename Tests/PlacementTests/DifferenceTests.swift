import Membership
import Placement
import Testing

@Suite struct DifferenceTests {
    @Test func `a node less moves its share to the others by their weights`() throws {
        let before = placement([member("a", weight: 1), member("b", weight: 2), member("c", weight: 5)])
        let difference = before.difference(to: before.without(.named("c")))
        let home = try #require(difference.homes.first { $0.home == "eu" })
        #expect(abs(home.movedShare - 5.0 / 8) < 1e-12)
        #expect(home.moves.map(\.from) == ["c", "c"] && home.moves.map(\.to) == ["b", "a"])
        #expect(abs(home.moves[0].share - 5.0 / 8 * 2 / 3) < 1e-12)
        #expect(home.members.map(\.member) == ["a", "b", "c"])
        #expect(abs(home.members[0].after - 1.0 / 3) < 1e-12 && home.members[2].after == 0)
        #expect(difference.homes.map(\.home) == ["eu", nil])
        #expect(difference.before != difference.after)
    }

    @Test func `nothing moves when nothing changes`() {
        let same = placement(RegionTests.world)
        for home in same.difference(to: same).homes {
            #expect(home.movedShare < 1e-12 && home.moves.isEmpty)
        }
    }

    /// The arithmetic against counting: any two clusters, any home.
    @Test(arguments: seeds)
    func `the arithmetic says what counting finds`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let fallbacks = ["eu": ["ap"], "sa": ["us", "eu"]]
        let policy = PlacementPolicy(salt: "test", fallbackRegions: Bool.random(using: &random) ? fallbacks : [:])
        let before = Placement(randomMembers(&random), policy: policy)
        let after = Placement(randomMembers(&random), policy: policy)
        let samples = 20_000
        for home in before.difference(to: after).homes {
            var counted: [[String]: Int] = [:]
            var moved = 0
            for key in keys(samples, home: home.home) {
                guard let old = before.owner(of: key), let new = after.owner(of: key) else { continue }
                counted[[old.rawValue, new.rawValue], default: 0] += 1
                moved += old == new ? 0 : 1
            }
            guard !counted.isEmpty else { continue }
            // Five standard deviations of a count of 20,000 are below 0.018.
            #expect(abs(home.movedShare - Double(moved) / Double(samples)) < 0.018, "home \(home.home ?? "none")")
            let told = Dictionary(uniqueKeysWithValues: home.moves.map { ([$0.from, $0.to], $0.share) })
            for (pair, count) in counted where pair[0] != pair[1] {
                let share = told[pair] ?? 0
                #expect(abs(share - Double(count) / Double(samples)) < 0.018, "\(pair) in \(home.home ?? "none")")
            }
            #expect(abs(home.moves.reduce(0) { $0 + $1.share } - home.movedShare) < 1e-9)
            for change in home.members {
                let gained = home.moves.filter { $0.to == change.member }.reduce(0) { $0 + $1.share }
                let lost = home.moves.filter { $0.from == change.member }.reduce(0) { $0 + $1.share }
                #expect(abs(change.before + gained - lost - change.after) < 1e-9)
            }
        }
    }

    @Test func `shares add up to one and follow the weights`() {
        let placement = placement(
            RegionTests.world.filter { $0.region != "eu" } + [member("e", weight: 3), member("f")])
        for home in homes {
            #expect(abs(placement.keyShares(home: home).reduce(0) { $0 + $1.share } - 1) < 1e-12)
        }
        #expect(placement.keyShareAtHome(of: .named("e")) == 0.75)
        #expect(placement.keyShareAtHome(of: .named("stranger")) == nil)
        let drained = self.drained
        #expect(drained.keyShareAtHome(of: .named("a")) == 0 && drained.keyShareAtHome(of: .named("b")) == 1)
    }

    private var drained: Placement { placement([member("a", .draining), member("b")]) }

    @Test func `moves are listed up to a number of members, and the moved share beyond it too`() throws {
        for (count, isListed) in [(PlacementDifference.membersMax, true), (PlacementDifference.membersMax + 1, false)] {
            let before = placement(equalMembers(count))
            let home = try #require(before.difference(to: before.without(.named("n1"))).homes.first)
            #expect(abs(home.movedShare - 1 / Double(count)) < 1e-9)
            #expect(home.moves.isEmpty != isListed)
        }
    }
}
