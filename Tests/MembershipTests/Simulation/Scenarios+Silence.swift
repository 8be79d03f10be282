import Membership

// MARK: - Pauses and partitions

extension Scenario {
    static let silences = [
        Scenario(
            name: "eight seconds of SIGSTOP remove nobody", end: .seconds(25),
            tell: { world in
                world.startTogether()
                world.at(.seconds(4)) { $0.pause(2) }
                world.at(.seconds(12)) { $0.resume(2) }
            },
            verify: { world in
                let time = world.seenByAll(2, as: .unreachable, since: .seconds(4))
                world.expect(time.map { $0 <= 6 } == true, "the pause was seen after \(time ?? -1) s")
                // It woke to find everybody silent for eight seconds, and knew whose silence that was.
                let accused = world.record.changes.contains {
                    $0.observer == 2 && $0.time >= 4_000_000 && $0.change.member.status != .alive
                }
                world.expect(!accused, "the node that had slept accused others")
            }),
        Scenario(
            name: "all nodes are stopped for eight seconds", end: .seconds(30),
            tell: { world in
                world.startTogether()
                world.at(.seconds(4)) { world in for index in 0..<5 { world.pause(index) } }
                for index in 0..<5 { world.at(.milliseconds(12_000 + 37 * index)) { $0.resume(index) } }
            },
            verify: { $0.expect(!$0.wasEver(.unreachable), "somebody was unreachable") }),
        Scenario(
            name: "a node sleeps for three quarters of a minute, is buried and comes back", end: .seconds(65),
            mayBuryTheLiving: true,
            tell: { world in
                world.startTogether()
                world.at(.seconds(3)) { $0.pause(1) }
                world.at(.seconds(48)) { $0.resume(1) }
            },
            verify: { $0.expect($0.wasEver(.dead), "it was never buried") }),
        Scenario(
            name: "a node is cut off for three quarters of a minute and its lease is renewed", end: .seconds(65),
            tell: { world in
                world.startTogether(seeingDatabase: true)
                world.at(.seconds(3)) { world in world.cutBetween([1], [0, 2, 3, 4]) }
                world.at(.seconds(48)) { world in world.cutBetween([1], [0, 2, 3, 4], false) }
            },
            verify: { $0.expect($0.counters.leasesVouched > 0, "no lease spoke for it") }),
        Scenario(
            name: "only some of the nodes can read the leases", end: .seconds(85), mayBuryTheLiving: true,
            tell: { world in
                for index in [0, 1] { world.nodes[index].seesDatabase = true }
                world.startTogether()
                world.at(.seconds(3)) { world in world.cutBetween([1], [0, 2, 3, 4]) }
                world.at(.seconds(65)) { world in world.cutBetween([1], [0, 2, 3, 4], false) }
            },
            verify: { world in
                // The one that is cut off buries those without a lease; nobody buries the one that has one.
                let isBuried = world.record.changes.contains {
                    $0.change.member.id == world.nodes[1].id && $0.change.member.status == .dead
                }
                world.expect(!isBuried, "a node whose lease was renewed was buried")
                world.expect(world.counters.leasesVouched > 0, "no lease spoke for it")
            }),
        Scenario(
            name: "a short partition in halves", nodes: 6, end: .seconds(30),
            tell: { world in
                world.startTogether()
                world.at(.seconds(3)) { $0.cutBetween(0..<3, [3, 4, 5]) }
                world.at(.seconds(15)) { $0.cutBetween(0..<3, [3, 4, 5], false) }
            },
            verify: { $0.expect($0.wasEver(.unreachable), "nobody noticed the partition") }),
        Scenario(
            name: "a long partition: the halves bury each other and heal", nodes: 6, end: .seconds(75),
            mayBuryTheLiving: true,
            tell: { world in
                world.startTogether()
                world.at(.seconds(3)) { $0.cutBetween(0..<3, [3, 4, 5]) }
                world.at(.seconds(48)) { $0.cutBetween(0..<3, [3, 4, 5], false) }
            },
            verify: { world in
                // Each half buried the other; nobody was buried by his own half, then or at the healing.
                for entry in world.record.changes where entry.change.member.status == .dead {
                    let subject = world.nodes.firstIndex { $0.id == entry.change.member.id }!
                    world.expect((entry.observer < 3) != (subject < 3), "node \(entry.observer) buried its neighbour")
                }
                world.expect(world.counters.deathsChallenged > 0, "no death was put to the one it was said of")
            }),
        Scenario(
            name: "a long partition with leases buries nobody", nodes: 6, end: .seconds(70),
            tell: { world in
                world.startTogether(seeingDatabase: true)
                world.at(.seconds(3)) { $0.cutBetween(0..<3, [3, 4, 5]) }
                world.at(.seconds(48)) { $0.cutBetween(0..<3, [3, 4, 5], false) }
            }),
        Scenario(
            name: "a shell that comes late suspects itself first", end: .seconds(40),
            tell: { world in
                world.startTogether()
                world.at(.seconds(3)) { $0.nodes[3].shellDelay = 200_000...700_000 }
                world.at(.seconds(25)) { $0.nodes[3].shellDelay = 0...2000 }
            },
            verify: { $0.expect(!$0.wasEver(.unreachable), "somebody was unreachable") }),
        Scenario(
            name: "clocks run up to a twentieth apart", end: .seconds(45),
            tell: { world in
                for index in 0..<5 {
                    world.nodes[index].clockRate = Double.random(in: 0.95...1.05, using: &world.dice)
                    world.nodes[index].clockOffset = Int64.random(in: 0...1_000_000_000_000, using: &world.dice)
                }
                world.faults.loss = 0.1
                world.startTogether()
                world.at(.seconds(30)) { $0.faults.loss = 0 }
            }),
    ]
}
