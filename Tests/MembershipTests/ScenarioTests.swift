import Membership
import Testing

@Suite struct ScenarioTests {
    @Test(arguments: Scenario.all)
    func `everybody agrees in the end, and nothing that must not happen happens`(scenario: Scenario) async {
        let range = SeedRange.forThisRun
        let failures = await range.failures { seed in
            let world = scenario.run(seed: seed)
            return world.record.violations
        }
        print("\(scenario.name): \(range.seeds.count) seeds, \(failures.count) failures")
        #expect(failures.isEmpty, "\(scenario.name): \(failures.prefix(3).joined(separator: "\n"))")
    }

    /// docs/membership.md promises at least twenty.
    @Test func `there are enough stories, each with a name of its own, in which nobody may be buried alive`() {
        #expect(Scenario.good.count >= 20)
        #expect(Set(Scenario.all.map(\.name)).count == Scenario.all.count)
    }
}
