import Membership
import Testing

/// A story that is told to many worlds, and what must be true of each of them in the end.
struct Scenario: Sendable, CustomTestStringConvertible {
    let name: String
    var nodes = 5
    var zones = 1
    /// How long the run takes, in the world's time.
    var end: Duration
    var configuration = MembershipConfiguration.lan
    /// The living may be buried: nothing in this story tells them from the dead.
    var mayBuryTheLiving = false
    /// Everybody who runs at the end knows the same, and it is the truth.
    var agrees = true
    let tell: @Sendable (World) -> Void
    var verify: @Sendable (World) -> Void = { _ in }

    var testDescription: String { name }

    func run(seed: UInt64, tamper: Tamper? = nil) -> World {
        var configuration = configuration
        tamper?.configure(&configuration)
        let world = World(seed: seed, nodes: nodes, zones: zones, configuration: configuration)
        world.tamper = tamper
        tell(world)
        world.run(until: end)
        if !mayBuryTheLiving, let death = world.record.falseDeaths.first { world.record.violated(death) }
        if agrees { world.checkAgreement() }
        verify(world)
        return world
    }
}

extension World {
    /// All nodes come up within half a second and know the first two as seeds.
    func startTogether() {
        for index in nodes.indices {
            let time = Duration.microseconds(Int64.random(in: 0...500_000, using: &dice))
            at(time) { $0.start(index, seeds: [0, 1]) }
        }
    }

    func startTogether(seeingDatabase: Bool) {
        for index in nodes.indices { nodes[index].seesDatabase = seeingDatabase }
        startTogether()
    }

    func expect(_ isTrue: Bool, _ what: @autoclosure () -> String) {
        if !isTrue { record.violated(what()) }
    }
}

/// A bug, planted between a machine and its shell.
struct Tamper: Sendable {
    let name: String
    var configure: @Sendable (inout MembershipConfiguration) -> Void = { _ in }
    var incoming: @Sendable (Membership.Event, World, Int) -> [Membership.Event] = { event, _, _ in [event] }
    var outgoing: @Sendable (Membership.Action, World, Int) -> [Membership.Action] = { action, _, _ in [action] }
}
