import Membership

// MARK: - What every network and every machine does now and then

extension Scenario {
    static let weather = [
        Scenario(
            name: "one, then five, then ten of a hundred messages are lost", end: .seconds(50),
            tell: { world in
                world.startTogether()
                world.at(.seconds(3)) { $0.faults.loss = 0.01 }
                world.at(.seconds(18)) { $0.faults.loss = 0.05 }
                world.at(.seconds(30)) { $0.faults.loss = 0.1 }
                world.at(.seconds(42)) { $0.faults.loss = 0 }
            },
            verify: { $0.expect(!$0.wasEver(.dead), "somebody was buried") }),
        Scenario(
            name: "a way of 80 ms there and back, with jitter", end: .seconds(30),
            tell: { world in
                world.faults.delay = 30_000...60_000
                world.startTogether()
            },
            verify: { $0.expect(!$0.wasEver(.unreachable), "somebody was unreachable") }),
        Scenario(
            name: "two regions 80 ms apart, losing messages between them", nodes: 6, zones: 2, end: .seconds(90),
            configuration: .wan,
            tell: { world in
                world.faults.distance = 40_000
                world.faults.delay = 100...5000
                world.startTogether()
                world.at(.seconds(10)) { $0.faults.loss = 0.03 }
                world.at(.seconds(60)) { $0.faults.loss = 0 }
            },
            verify: { $0.expect(!$0.wasEver(.unreachable), "somebody was unreachable") }),
        Scenario(
            name: "one of two regions is cut off for ten seconds", nodes: 6, zones: 2, end: .seconds(100),
            configuration: .wan,
            tell: { world in
                world.faults.distance = 40_000
                world.startTogether()
                world.at(.seconds(10)) { $0.cutBetween([0, 2, 4], [1, 3, 5]) }
                world.at(.seconds(20)) { $0.cutBetween([0, 2, 4], [1, 3, 5], false) }
            }),
        Scenario(
            // Long enough for what gossip lost to be found by the next comparisons, one in ten seconds.
            name: "every process stands still for up to 0.9 s now and then", end: .seconds(75),
            tell: { world in
                world.startTogether()
                for index in 0..<5 {
                    var time: Int64 = 3_000_000
                    while time < 30_000_000 {
                        time += Int64.random(in: 300_000...3_000_000, using: &world.dice)
                        let length = Int64.random(in: 50_000...900_000, using: &world.dice)
                        world.at(.microseconds(time)) { $0.pause(index) }
                        time += length
                        world.at(.microseconds(time)) { $0.resume(index) }
                    }
                }
            }),
        Scenario(
            name: "two of seven are stopped for eight seconds, one after the other begins", nodes: 7, end: .seconds(35),
            tell: { world in
                world.startTogether()
                for (index, begin) in [(2, 4), (5, 7)] {
                    world.at(.seconds(begin)) { $0.pause(index) }
                    world.at(.seconds(begin + 8)) { $0.resume(index) }
                }
            },
            verify: { $0.expect($0.wasEver(.unreachable), "nobody noticed") }),
        Scenario(
            name: "connections are clogged and let everything go at once", end: .seconds(40),
            tell: { world in
                world.startTogether()
                for second in 3..<28 {
                    world.at(.seconds(second)) { world in
                        let one = Int.random(in: 0..<5, using: &world.dice)
                        let other = (one + Int.random(in: 1..<5, using: &world.dice)) % 5
                        let length = Int64.random(in: 100_000...3_000_000, using: &world.dice)
                        world.clog(from: one, to: other, for: .microseconds(length))
                    }
                }
            },
            verify: { $0.expect(!$0.wasEver(.unreachable), "somebody was unreachable") }),
        Scenario(
            name: "bits are turned and TLS ends the connections", end: .seconds(30),
            tell: { world in
                world.startTogether()
                for step in 0..<200 {
                    world.at(.milliseconds(3000 + 100 * step)) { world in
                        let one = Int.random(in: 0..<5, using: &world.dice)
                        world.snap(one, (one + Int.random(in: 1..<5, using: &world.dice)) % 5)
                    }
                }
            },
            verify: { $0.expect(!$0.wasEver(.suspect), "a broken connection was taken for a broken node") }),
    ]
}

// MARK: - Many at once

extension Scenario {
    static let crowds = [
        Scenario(
            name: "twenty-seven nodes join three within a tenth of a second", nodes: 30, end: .seconds(12),
            tell: { world in
                for index in 0..<3 { world.at(.zero) { $0.start(index, seeds: [0, 1, 2]) } }
                for index in 3..<30 {
                    let time = Int64.random(in: 3_000_000...3_100_000, using: &world.dice)
                    world.at(.microseconds(time)) { $0.start(index, seeds: [0, 1, 2]) }
                }
            },
            verify: { $0.expect(!$0.wasEver(.suspect), "a newcomer was suspected") }),
        Scenario(
            name: "twenty of thirty nodes take their leave within a second", nodes: 30, end: .seconds(12),
            tell: { world in
                world.startSettled()
                for index in 5..<25 {
                    let time = Int64.random(in: 2_000_000...3_000_000, using: &world.dice)
                    world.at(.microseconds(time)) { $0.tell(index, .leaveRequested) }
                }
            },
            verify: { $0.expect(!$0.wasEver(.dead), "a farewell was taken for a death") }),
        Scenario(
            name: "metadata change ten times a second while messages are lost", nodes: 8, end: .seconds(60),
            tell: { world in
                world.startTogether()
                world.at(.seconds(3)) { $0.faults.loss = 0.1 }
                for step in 0..<100 {
                    world.at(.milliseconds(3000 + 100 * step)) { world in
                        let index = Int.random(in: 0..<8, using: &world.dice)
                        guard var metadata = world.nodes[index].machine?.ownMember.metadata else { return }
                        metadata.capacity = 1 + step
                        world.tell(index, .metadataChanged(metadata))
                    }
                }
                world.at(.seconds(13)) { $0.faults.loss = 0 }
            }),
        Scenario(
            name: "a rolling restart by kill -9", nodes: 6, end: .seconds(40),
            tell: { world in
                world.startTogether()
                for index in 0..<6 {
                    world.at(.seconds(5 + 4 * index)) { $0.crash(index) }
                    world.at(.seconds(7 + 4 * index)) { $0.start(index, seeds: [0, 1, 2]) }
                }
            }),
        Scenario(
            name: "a hundred nodes lose one of twenty messages, and one node", nodes: 100, zones: 3, end: .seconds(8),
            // What gossip lost is found by comparing, which so many nodes do every thirty seconds: after the end.
            agrees: false,
            tell: { world in
                world.faults.loss = 0.05
                world.startSettled()
                world.at(.seconds(2)) { $0.crash(50) }
                world.at(.seconds(5)) { $0.faults.loss = 0 }
            },
            verify: { $0.expect($0.seenByAll(50, as: .dead, since: .seconds(2)) != nil, "not seen by all") }),
    ]
}
