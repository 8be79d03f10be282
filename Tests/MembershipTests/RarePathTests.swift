import Membership
import Testing

@Suite struct RarePathTests {
    /// What may stay at zero in the scenarios, because they stay within every limit: the limits have tests of their
    /// own.
    private static let limits: Set<String> = [
        "relaysRefused", "malformed", "membersRefused", "rumoursDropped", "membersForgotten",
    ]

    /// A simulation that never takes a path proves nothing about it.
    @Test func `every path is taken in the scenarios`() async {
        var sum = MembershipCounters()
        for scenario in Scenario.all {
            for seed in UInt64(0)..<4 { sum.add(scenario.run(seed: seed).counters) }
        }
        for (name, path) in MembershipCounters.fields {
            print("\(name): \(sum[keyPath: path])")
            if !Self.limits.contains(name) { #expect(sum[keyPath: path] > 0, "\(name) never happened") }
        }
    }

    @Test func `a run is repeated by its seed`() {
        for scenario in Scenario.all.prefix(12) {
            let one = scenario.run(seed: 42), two = scenario.run(seed: 42), other = scenario.run(seed: 43)
            #expect(one.record.trace == two.record.trace, "\(scenario.name)")
            #expect(one.record.trace != other.record.trace, "\(scenario.name)")
        }
    }
}
