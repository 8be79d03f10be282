import Membership

// MARK: - Ends and returns

extension Scenario {
    static let ends = [
        Scenario(
            name: "kill -9 is seen within a second", end: .seconds(12),
            tell: { world in
                world.startTogether()
                world.at(.seconds(5)) { $0.crash(2) }
            },
            verify: { world in
                let time = world.seenByAll(2, as: .dead, since: .seconds(5))
                world.expect(time.map { $0 <= 1 } == true, "seen after \(time ?? -1) s")
            }),
        Scenario(
            name: "kill -9 of one of two", nodes: 2, end: .seconds(10),
            tell: { world in
                world.startTogether()
                world.at(.seconds(5)) { $0.crash(1) }
            },
            verify: { world in
                let time = world.seenByAll(1, as: .dead, since: .seconds(5))
                world.expect(time.map { $0 <= 1 } == true, "seen after \(time ?? -1) s")
            }),
        Scenario(
            name: "kill -9 while a fifth of the messages is lost", end: .seconds(25),
            tell: { world in
                world.startTogether()
                world.at(.seconds(4)) { $0.faults.loss = 0.2 }
                world.at(.seconds(6)) { $0.crash(0) }
                world.at(.seconds(12)) { $0.faults.loss = 0 }
            },
            verify: { $0.expect($0.seenByAll(0, as: .dead, since: .seconds(6)) != nil, "not seen by all") }),
        Scenario(
            name: "a rack of four of nine is killed", nodes: 9, zones: 3, end: .seconds(15),
            tell: { world in
                world.startTogether()
                world.at(.seconds(6)) { world in for index in [1, 4, 7] { world.crash(index) } }
            },
            verify: { world in
                for observer in [0, 2, 3, 5, 6, 8] {
                    let views = world.record.views.filter { $0.observer == observer && $0.time > 6_000_000 }
                    world.expect(views.count == 1, "node \(observer) changed its view \(views.count) times")
                }
            }),
        Scenario(
            name: "a host is lost without a word", end: .seconds(50),
            tell: { world in
                world.startTogether(seeingDatabase: true)
                world.at(.seconds(5)) { $0.loseHost(3) }
            },
            verify: { world in
                let seen = world.seenByAll(3, as: .unreachable, since: .seconds(5))
                world.expect(seen.map { $0 <= 6 } == true, "seen after \(seen ?? -1) s")
                let buried = world.seenByAll(3, as: .dead, since: .seconds(5))
                world.expect(buried.map { 30...42 ~= $0 } == true, "buried after \(buried ?? -1) s")
            }),
        Scenario(
            name: "a node is restarted at once", end: .seconds(12),
            tell: { world in
                world.startTogether()
                world.at(.seconds(5)) { $0.restart(2, seeds: [0, 1]) }
            },
            verify: { world in
                world.expect(world.counters.livesReplaced > 0, "nobody saw its new life")
                world.expect(!world.wasEver(.unreachable), "somebody was unreachable")
            }),
        Scenario(
            name: "a node is restarted again and again", end: .seconds(25),
            tell: { world in
                world.startTogether()
                for second in 4..<10 { world.at(.seconds(second)) { $0.restart(2, seeds: [0, 1]) } }
            }),
        Scenario(
            name: "a node is restarted behind a partition", end: .seconds(30),
            tell: { world in
                world.startTogether()
                world.at(.seconds(3)) { $0.cutBetween([4], [0, 1, 2, 3]) }
                world.at(.seconds(8)) { $0.restart(4, seeds: [0, 1]) }
                world.at(.seconds(15)) { $0.cutBetween([4], [0, 1, 2, 3], false) }
            }),
        Scenario(
            name: "a rolling restart", end: .seconds(40),
            tell: { world in
                world.startTogether()
                for index in 0..<5 {
                    let begin = Duration.seconds(5 + 4 * index)
                    world.at(begin) { world in
                        world.tell(index, .leaveRequested)
                    }
                    world.at(begin + .seconds(2)) { $0.start(index, seeds: [0, 1, 2]) }
                }
            },
            verify: { $0.expect(!$0.wasEver(.dead), "a farewell was taken for a death") }),
        Scenario(
            name: "a node takes its leave", end: .seconds(12),
            tell: { world in
                world.startTogether()
                world.at(.seconds(5)) { $0.tell(3, .leaveRequested) }
            },
            verify: { world in
                world.expect(world.nodes[3].hasDeparted, "it never departed")
                world.expect(!world.wasEver(.dead) && !world.wasEver(.suspect), "its farewell was not heard")
                let time = world.seenByAll(3, as: .left, since: .seconds(5))
                world.expect(time.map { $0 < 1 } == true, "seen after \(time ?? -1) s")
            }),
    ]

    static let changes = [
        Scenario(
            name: "a node is drained while messages are lost", end: .seconds(30),
            tell: { world in
                world.startTogether()
                world.at(.seconds(4)) { world in
                    world.faults.loss = 0.3
                    var metadata = world.nodes[2].metadata
                    metadata.schedulability = .draining
                    world.tell(2, .metadataChanged(metadata))
                }
                world.at(.seconds(10)) { $0.faults.loss = 0 }
            },
            verify: { world in
                for observer in 0..<5 {
                    let seen = world.nodes[observer].machine?.view?[memberID("n2")]?.metadata.schedulability
                    world.expect(seen == .draining, "node \(observer) sees \(String(describing: seen))")
                }
            }),
        Scenario(
            name: "two nodes have the same name", nodes: 4, end: .seconds(20),
            tell: { world in
                world.nodes[3] = SimulatedNode(index: 3, id: memberID("n2"), metadata: world.nodes[3].metadata)
                for index in 0..<3 { world.at(.zero) { $0.start(index, seeds: [0, 1]) } }
                world.at(.seconds(6)) { $0.start(3, seeds: [0]) }
            },
            verify: { world in
                world.expect(world.nodes[2].wasReplaced, "the older one was not told")
                world.expect(!world.nodes[3].wasReplaced, "the newer one was told to stop")
            }),
        Scenario(
            name: "a clock was set back before a restart", nodes: 4, end: .seconds(20),
            tell: { world in
                world.startTogether()
                world.at(.seconds(5)) { world in
                    world.crash(3)
                    world.start(3, seeds: [0, 1], epoch: 7)
                }
            },
            verify: { world in
                world.expect(world.nodes[3].wasReplaced, "a life with an old epoch went on")
                world.expect(world.counters.oldLivesRefused > 0, "nobody refused it")
            }),
    ]
}
