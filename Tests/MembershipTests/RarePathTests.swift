import Membership
import Testing

@Suite struct RarePathTests {
    /// What may stay at zero in the scenarios, because they stay within every limit: the limits have tests of their
    /// own.
    private static let limits: Set<String> = [
        "relaysRefused", "malformed", "membersRefused", "rumoursDropped", "membersForgotten",
    ]

    /// Which paths that many runs of the stories never took.
    private static func untaken(_ scenarios: [Scenario], seeds: UInt64) -> Set<String> {
        var sum = MembershipCounters()
        for scenario in scenarios {
            for seed in 0..<seeds { sum.add(scenario.run(seed: seed).counters) }
        }
        for (name, path) in MembershipCounters.fields { print("\(name): \(sum[keyPath: path])") }
        return Set(MembershipCounters.fields.filter { sum[keyPath: $0.1] == 0 }.map(\.0)).subtracting(limits)
    }

    /// A simulation that never takes a path proves nothing about it.
    @Test func `every path is taken in the scenarios`() {
        let untaken = Self.untaken(Scenario.all, seeds: 4)
        #expect(untaken.isEmpty, "never happened: \(untaken.sorted())")
    }

    @Test func `a story in which nothing happens is told which paths it never took`() {
        let untaken = Self.untaken([Scenario.starts[0]], seeds: 1)
        #expect(untaken.isSuperset(of: ["livesReplaced", "oldLivesRefused", "leasesVouched", "deathsChallenged"]))
        #expect(!untaken.contains("syncs"))
    }

    @Test func `a run is repeated by its seed`() {
        for scenario in Scenario.all.prefix(12) {
            let one = scenario.run(seed: 42), two = scenario.run(seed: 42), other = scenario.run(seed: 43)
            #expect(one.record.trace == two.record.trace, "\(scenario.name)")
            #expect(one.record.trace != other.record.trace, "\(scenario.name)")
        }
    }
}
