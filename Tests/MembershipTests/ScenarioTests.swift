import Membership
import Testing

@Suite struct ScenarioTests {
    @Test(arguments: Scenario.all)
    func `everybody agrees in the end, and nothing that must not happen happens`(scenario: Scenario) async {
        let failures = await SeedRange.forThisRun.failures { seed in
            let world = scenario.run(seed: seed)
            return world.record.violations
        }
        #expect(failures.isEmpty, "\(scenario.name): \(failures.prefix(3).joined(separator: "\n"))")
    }
}
