import Foundation
import Membership
import Placement
import Testing

@Suite struct ExplainTests {
    @Test(arguments: seeds)
    func `an explanation names the owner that its own numbers give`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let placement = placement(randomMembers(&random))
        for home in homes {
            for key in keys(50, home: home) {
                let explanation = placement.explain(key)
                let ranked = explanation.candidates.filter { $0.rank != nil }
                #expect(ranked.map(\.rank) == (0..<ranked.count).map { $0 + 1 })
                #expect(ranked.map(\.member) == placement.ranking(of: key).map(\.rawValue))
                #expect(explanation.candidates.count == placement.members.count)
                // The greatest score of the chosen region owns the key.
                let chosen = explanation.regions.first(where: \.isChosen)?.name
                let rivals = ranked.filter { chosen == nil || $0.region == chosen }
                #expect(rivals.max { ($0.score ?? 0) < ($1.score ?? 0) }?.member == explanation.owner)
                #expect(explanation.reason.contains(explanation.owner ?? "No member"))
            }
        }
    }

    @Test func `words say why a member cannot hold a key, and why a region was passed over`() throws {
        let policy = PlacementPolicy(salt: "test", fallbackRegions: ["eu": ["ap", "us"]])
        let placement = Placement(
            [
                member("a", region: "eu", .draining), member("b", region: "eu", status: .unreachable),
                member("c", region: "us", .cordoned), member("d", region: "us", status: .suspect),
                member("e", region: "sa"),
            ], policy: policy)
        let explanation = placement.explain(PlacementKey("job_1", kind: "job-coordinator", home: "eu"))
        #expect(explanation.regions.map(\.name) == ["eu", "ap", "us", "sa"])
        #expect(explanation.regions.map(\.isChosen) == [false, false, true, false])
        #expect(
            explanation.regions.map(\.reason) == [
                "the key's home, but no member there can hold keys",
                "a configured fallback, but no member there can hold keys", "a configured fallback",
                "next by the key's own order",
            ])
        #expect(explanation.reason.hasSuffix("; home eu has none, and us is a configured fallback."))
        func words(_ name: String) throws -> String {
            try #require(explanation.candidates.first { $0.member == name }).reason
        }
        #expect(try words("a") == "cannot hold the key: it is draining, so its keys have moved to others")
        #expect(try words("b").hasPrefix("cannot hold the key: it is unreachable"))
        #expect(try words("c").contains("it is cordoned: it keeps its keys and gets nothing new"))
        #expect(try words("d").contains("it is suspected: it keeps its keys"))
        #expect(try words("e") == "would own the key without those before it: it is alive and schedulable")
    }

    @Test func `the last ones who drain say so`() {
        let explanation = placement([member("a", .draining)]).explain(PlacementKey("k"))
        #expect(
            explanation.reason
                == "a is the only member of the cluster that holds keys; all of them are draining, "
                + "and nobody else is there.")
        #expect(explanation.candidates[0].reason == "owns the key: it is draining, but nobody else can hold keys")
    }

    @Test func `it survives JSON`() throws {
        let explanation = VectorTests.sample.explain(PlacementKey("k", home: "af"))
        let text = try JSONEncoder().encode(explanation)
        #expect(try JSONDecoder().decode(PlacementExplanation.self, from: text) == explanation)
        let difference = VectorTests.sample.difference(to: VectorTests.sample.without(.named("n1")))
        let other = try JSONEncoder().encode(difference)
        #expect(try JSONDecoder().decode(PlacementDifference.self, from: other) == difference)
    }
}
