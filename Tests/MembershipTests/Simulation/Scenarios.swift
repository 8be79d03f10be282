import Membership

extension Scenario {
    /// Every story; the rest of this file and its neighbours tell them.
    static let all: [Scenario] = [starts, losses, silences, ends, changes, weather, crowds].flatMap { $0 }

    /// Those in which nobody may be buried who lives.
    static let good = all.filter { !$0.mayBuryTheLiving }
}

// MARK: - Coming up

extension Scenario {
    static let starts = [
        Scenario(name: "three nodes start together", nodes: 3, end: .seconds(8), tell: { $0.startTogether() }),
        Scenario(
            name: "seven nodes start while a quarter of the messages is lost", nodes: 7, end: .seconds(30),
            tell: { world in
                world.faults.loss = 0.25
                world.startTogether()
                world.at(.seconds(15)) { $0.faults.loss = 0 }
            }),
        Scenario(
            name: "nodes come one after the other, each knowing only the one before", nodes: 6, end: .seconds(20),
            tell: { world in
                for index in 0..<6 {
                    world.at(.milliseconds(700 * index)) { $0.start(index, seeds: [max(0, index - 1)]) }
                }
            }),
        Scenario(
            name: "the seeds come up long after the others", nodes: 5, end: .seconds(30),
            tell: { world in
                for index in 2..<5 { world.at(.zero) { $0.start(index, seeds: [0, 1]) } }
                for index in 0..<2 { world.at(.seconds(12)) { $0.start(index, seeds: [0, 1]) } }
            },
            verify: { world in
                // Nobody waits for ever: each began alone.
                for index in 2..<5 {
                    let first = world.record.views.first { $0.observer == index }
                    world.expect(
                        first.map { $0.time < 4_000_000 } == true, "node \(index) had no view before the seeds")
                }
            }),
        Scenario(
            name: "two clusters that grew apart find each other by a seed", nodes: 6, end: .seconds(30),
            tell: { world in
                world.cutBetween(0..<3, [3, 4, 5])
                for index in 0..<3 { world.at(.zero) { $0.start(index, seeds: [0, 3]) } }
                for index in 3..<6 { world.at(.zero) { $0.start(index, seeds: [0, 3]) } }
                world.at(.seconds(10)) { $0.cutBetween(0..<3, [3, 4, 5], false) }
            }),
    ]
}

// MARK: - A bad network

extension Scenario {
    static let losses = [
        Scenario(
            name: "a fifth of the messages is lost for most of a minute", end: .seconds(55),
            tell: { world in
                world.startTogether()
                world.at(.seconds(3)) { $0.faults.loss = 0.2 }
                world.at(.seconds(42)) { $0.faults.loss = 0 }
            }),
        Scenario(
            name: "half of the messages is lost for half a minute", end: .seconds(45),
            tell: { world in
                world.startTogether()
                world.at(.seconds(3)) { $0.faults.loss = 0.5 }
                world.at(.seconds(30)) { $0.faults.loss = 0 }
            }),
        Scenario(
            name: "messages are delayed, overtake each other and come twice", end: .seconds(40),
            tell: { world in
                world.startTogether()
                world.faults.delay = 500...180_000
                world.faults.duplicates = 0.3
                world.faults.loss = 0.05
                world.at(.seconds(30)) { $0.faults = NetworkFaults() }
            }),
        Scenario(
            name: "two nodes cannot talk to each other, everybody else can", end: .seconds(30),
            tell: { world in
                world.startTogether()
                world.at(.seconds(3)) { $0.cutBetween([2], [3]) }
            },
            verify: { world in
                world.expect(!world.wasEver(.unreachable), "somebody was unreachable: the relays were not believed")
                world.expect(world.counters.indirectAcks > 0, "nobody answered through a relay")
            }),
        Scenario(
            name: "one direction between two nodes is cut", end: .seconds(30),
            tell: { world in
                world.startTogether()
                world.at(.seconds(3)) { $0.cut(from: 1, to: 4) }
            },
            verify: { $0.expect(!$0.wasEver(.unreachable), "somebody was unreachable") }),
        Scenario(
            name: "a node hears nobody for twenty seconds", end: .seconds(45),
            tell: { world in
                world.startTogether()
                world.at(.seconds(3)) { world in for other in 0..<4 { world.cut(from: other, to: 4) } }
                world.at(.seconds(23)) { world in for other in 0..<4 { world.cut(from: other, to: 4, false) } }
            }),
        Scenario(
            name: "nobody hears a node for twenty seconds", end: .seconds(45),
            tell: { world in
                world.startTogether()
                world.at(.seconds(3)) { world in for other in 0..<4 { world.cut(from: 4, to: other) } }
                world.at(.seconds(23)) { world in for other in 0..<4 { world.cut(from: 4, to: other, false) } }
            }),
        Scenario(
            name: "a firewall between two nodes rejects their connections", end: .seconds(30),
            tell: { world in
                world.startTogether()
                for (from, to) in [(1, 3), (3, 1)] {
                    world.at(.seconds(3)) { $0.reject(from: from, to: to) }
                    world.at(.seconds(18)) { $0.reject(from: from, to: to, false) }
                }
            },
            verify: { world in
                world.expect(world.counters.refusalsContradicted > 0, "no relay contradicted a refusal")
            }),
        Scenario(
            name: "links flap", end: .seconds(45),
            tell: { world in
                world.startTogether()
                for second in stride(from: 3, to: 30, by: 2) {
                    let one = Int.random(in: 0..<5, using: &world.dice)
                    let others = (0..<5).filter { $0 != one }
                    world.at(.seconds(second)) { $0.cutBetween([one], others) }
                    world.at(.milliseconds(second * 1000 + 1500)) { $0.cutBetween([one], others, false) }
                }
            }),
    ]
}
