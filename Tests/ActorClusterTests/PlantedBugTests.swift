import ActorCluster
import ClusterSimulation
import Distributed
import Membership
import Placement
import Synchronization
import Testing
import WireProtocol

/// Bugs that the product might have, planted between a node and its network: the checks have to find each of them, and
/// nothing without them.
@Suite struct PlantedBugTests {
    struct Bug: Sendable, CustomStringConvertible {
        let description: String
        /// Given the node, what becomes of each frame that it sends.
        let rule: @Sendable (_ node: String) -> MeddlingTransport.Rule
        /// The node that has the bug.
        var node = "node-2"
        /// Finds what is wrong. Has to find nothing without the bug.
        let check: @Sendable (TestWorld) throws -> [String]

        /// A rule that has no memory.
        static func each(
            _ description: String, _ rule: @escaping MeddlingTransport.Rule,
            check: @escaping @Sendable (TestWorld) throws -> [String]
        ) -> Bug { Bug(description: description, rule: { _ in rule }, check: check) }
    }

    static let bugs: [Bug] = [
        .each("cancel frames are lost", { $0.kind == FrameKind.cancel.rawValue ? [] : [$0.bytes] }, check: cancels),
        .each(
            "a reply is sent twice", { $0.kind == FrameKind.reply.rawValue ? [$0.bytes, $0.bytes] : [$0.bytes] },
            check: shift),
        Bug(description: "replies go to the wrong calls", rule: { _ in swappedReplies() }, check: shift),
        .each(
            "a call is sent twice", { $0.kind == FrameKind.call.rawValue ? [$0.bytes, $0.bytes] : [$0.bytes] },
            check: shift),
        .each("replies are lost", { $0.kind == FrameKind.reply.rawValue ? [] : [$0.bytes] }, check: answers),
        .each("gossip is not sent", { $0.kind == FrameKind.gossip.rawValue ? [] : [$0.bytes] }, check: agreement),
        .each("deadlines do not travel", { [withoutDeadline($0)] }, check: deadlines),
        .each(
            "an idle connection is not kept alive",
            { [FrameKind.ping, .ack].map(\.rawValue).contains($0.kind) ? [] : [$0.bytes] }, check: silence),
        .each(
            "credit is given twice",
            { $0.kind == FrameKind.streamCredit.rawValue ? [$0.bytes, $0.bytes] : [$0.bytes] }, check: streams),
        .each("the end of a stream is lost", { [withoutEnd($0)] }, check: streams),
    ]

    @Test(arguments: bugs)
    func `is found`(bug: Bug) throws {
        let tested = try world(bug)
        let found = try bug.check(tested)
        #expect(!found.isEmpty, "\(bug) was not found")
    }

    @Test(arguments: bugs)
    func `is not found where it is not`(bug: Bug) throws {
        let found = try bug.check(TestWorld(nodes: 3))
        #expect(found.isEmpty, "\(found)")
    }

    private func world(_ bug: Bug) throws -> TestWorld {
        // Whether it settles is for the check to see.
        let tested = try TestWorld(nodes: 3, start: false) { setting in
            setting.meddle = { name, base in
                name == bug.node ? MeddlingTransport(base, making: { bug.rule(name) }) : base
            }
        }
        tested.world.startAll()
        tested.world.settle(atMost: .seconds(20))
        return tested
    }

    /// A node that places keys by another salt, and lies about it in its hello, so that it is let in.
    @Test func `a node that places keys in its own way is found`() throws {
        let own = PlacementPolicy(salt: "another")
        let tested = try TestWorld(nodes: 3) { setting in
            setting.configure = { if $0.life.id.rawValue == "node-2" { $0.placement = own } }
            let (lie, truth) = (Array(PlacementPolicy().algorithmID.utf8), Array(own.algorithmID.utf8))
            // It says the usual name and hears its own.
            setting.meddle = { name, base in
                guard name == "node-2" else { return base }
                return MeddlingTransport(
                    base,
                    making: {
                        { $0.kind == FrameKind.hello.rawValue ? [$0.bytes.replacing(truth, with: lie)] : [$0.bytes] }
                    }, hears: { $0.replacing(lie, with: truth) })
            }
        }
        for index in 0..<20 {
            let key = VirtualActorKey(kind: "counter", key: "key-\(index)")
            for name in tested.world.names {
                // Some are refused by nodes that know better.
                _ = try? tested.world.perform(on: name) { try await $0.counter(key).add(1) }
            }
        }
        #expect(!tested.world.misplacedActors.isEmpty)
    }
}

// MARK: - Checks

extension PlantedBugTests {
    /// A callee is cancelled soon after its caller has given up.
    @Sendable private static func cancels(_ tested: TestWorld) throws -> [String] {
        let echo = tested.echo(on: "node-1")
        let errand = tested.world.begin(on: "node-2") { try await $0.echo(echo).linger(milliseconds: 5_000) }
        tested.world.run(for: .milliseconds(500))
        errand.cancel()
        tested.world.run(for: .seconds(1))
        return tested.effects.count("cancelled") == 1 ? [] : ["the callee runs on"]
    }

    @Sendable private static func shift(_ tested: TestWorld) throws -> [String] {
        var plan = Swizzle.Plan()
        plan.duration = .seconds(5)
        (plan.clogs, plan.cuts, plan.oneWayCuts, plan.resets) = (true, false, false, false)
        plan.length = .milliseconds(10)...Duration.milliseconds(50)
        let shift = ScenarioTests.work(tested, plan)
        tested.world.run(for: .seconds(5))
        let broken = tested.world.counts.reduce(0) { $0 + $1.protocolErrors }
        return shift.violations + tested.world.violations + (broken > 0 ? ["\(broken) connections broke"] : [])
    }

    @Sendable private static func answers(_ tested: TestWorld) throws -> [String] {
        let echo = tested.echo(on: "node-2")
        let errand = tested.world.begin(on: "node-1") { try await $0.echo(echo).echo("hola") }
        tested.world.run(for: .seconds(20))
        return (try? errand.result?.get()) == "hola" ? [] : ["a call on a good network was not answered"]
    }

    @Sendable private static func agreement(_ tested: TestWorld) throws -> [String] {
        tested.world.run(for: .seconds(20))
        return tested.world.disagreements + tested.world.falseDeaths
            + tested.world.running.filter { $0.log.contains("reason=silence") }.map {
                "\($0.name) heard nothing of somebody"
            }
    }

    /// A callee whose caller cannot reach it any more ends when the caller's time is over.
    @Sendable private static func deadlines(_ tested: TestWorld) throws -> [String] {
        let echo = tested.echo(on: "node-1")
        _ = tested.world.begin(on: "node-2") { system in
            try await system.withTimeLimit(.seconds(1)) { _ = try await system.echo(echo).linger(milliseconds: 4_000) }
        }
        tested.world.run(for: .milliseconds(500))
        tested.world.network.change(from: "node-2", to: "node-1") { $0.isCut = true }
        tested.world.run(for: .seconds(2))
        return tested.effects.count("cancelled") == 1 ? [] : ["the callee runs on"]
    }

    @Sendable private static func silence(_ tested: TestWorld) throws -> [String] {
        let echo = tested.echo(on: "node-2")
        // The lane for calls, on which nothing else is said.
        _ = try tested.world.perform(on: "node-1") { try await $0.echo(echo).echo("hola") }
        tested.world.run(for: .seconds(20))
        let silent = tested.world["node-1"].system.counts.silentConnections
        return silent > 0 ? ["\(silent) connections of living nodes were given up"] : []
    }

    /// Bytes there and back, from both sides.
    @Sendable private static func streams(_ tested: TestWorld) throws -> [String] {
        var found: [String] = []
        for (one, other) in [("node-1", "node-2"), ("node-2", "node-1")] {
            let life = tested.world[other].life
            let errand = tested.world.begin(on: one) { system in
                try await system.withStream(to: life, purpose: "echo") { try await backAndForth($0) }
            }
            tested.world.run(for: .seconds(20))
            if (try? errand.result?.get()) != 4 << 20 { found.append("a stream from \(one) did not end well") }
        }
        return found
    }

    private static func backAndForth(_ stream: ClusterStream) async throws -> Int {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await stream.write(Array(repeating: 1, count: 4 << 20))
                stream.finish()
            }
            var count = 0
            while let bytes = try await stream.read() { count += bytes.count }
            try await group.waitForAll()
            return count
        }
    }
}

// MARK: - Meddling

extension PlantedBugTests {
    /// Two replies in a row change places.
    private static func swappedReplies() -> MeddlingTransport.Rule {
        let held = Mutex<FrameCutter.Cut?>(nil)
        return { frame in
            guard frame.kind == FrameKind.reply.rawValue else { return [frame.bytes] }
            let earlier = held.withLock { held -> FrameCutter.Cut? in
                defer { held = held == nil ? frame : nil }
                return held
            }
            guard let earlier else { return [] }
            return [renumbered(earlier, frame.stream), renumbered(frame, earlier.stream)]
        }
    }

    private static func renumbered(_ frame: FrameCutter.Cut, _ stream: UInt32) -> [UInt8] {
        var bytes = frame.bytes
        for (place, shift) in zip(8..<12, [24, 16, 8, 0] as [UInt32]) { bytes[place] = UInt8(stream >> shift & 0xff) }
        return bytes
    }

    private static func withoutDeadline(_ frame: FrameCutter.Cut) -> [UInt8] {
        guard frame.kind == FrameKind.call.rawValue,
            case (var header, let arguments)? = try? CallHeader.parse(frame.bytes[Frame.headerBytes...])
        else { return frame.bytes }
        header.remainingMilliseconds = nil
        var bytes: [UInt8] = []
        try? FrameWriter(version: 1, frameBytesMax: 1 << 20).append(.call, streamID: frame.stream, to: &bytes) {
            try header.append(to: &$0)
            $0 += arguments
        }
        return bytes
    }

    private static func withoutEnd(_ frame: FrameCutter.Cut) -> [UInt8] {
        guard frame.kind == FrameKind.streamData.rawValue else { return frame.bytes }
        var bytes = frame.bytes
        bytes[7] &= ~UInt8(FrameFlags.end.rawValue)
        return bytes
    }
}

extension [UInt8] {
    fileprivate func replacing(_ part: [UInt8], with other: [UInt8]) -> [UInt8] {
        guard part.count == other.count, count >= part.count else { return self }
        for start in 0...(count - part.count) where Array(self[start..<start + part.count]) == part {
            return Array(self[..<start]) + other + Array(self[(start + part.count)...])
        }
        return self
    }
}
