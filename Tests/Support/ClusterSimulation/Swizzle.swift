import Membership

/// Faults that come and go in an order drawn from the seed.
///
/// "Swizzle clogging" is FoundationDB's: connections are stopped one after the other and let go in another order. Rare
/// interleavings, which no list of scenarios would name, come up by themselves.
package struct Swizzle {
    package struct Plan: Sendable {
        /// How long the faults go on.
        package var duration = Duration.seconds(20)
        /// Between two faults.
        package var gap = Duration.milliseconds(100)...Duration.seconds(2)
        /// How long a clog, a cut or a pause lasts.
        package var length = Duration.milliseconds(50)...Duration.seconds(4)
        package var clogs = true
        package var cuts = true
        package var oneWayCuts = true
        package var resets = true
        package var pauses = false
        package var crashes = false
        package var flips = false
        /// A node is drained, or taken back: keys move while everything else goes on.
        package var drains = false

        package init() {}

        /// Network trouble that nobody should die of.
        package static let bearable: Plan = {
            var plan = Plan()
            plan.length = .milliseconds(50)...Duration.milliseconds(900)
            return plan
        }()

        package static let everything: Plan = {
            var plan = Plan()
            // Long enough for connections to be given up.
            plan.length = .milliseconds(50)...Duration.seconds(10)
            plan.pauses = true
            plan.crashes = true
            plan.flips = true
            plan.drains = true
            return plan
        }()
    }

    fileprivate enum Fault: CaseIterable {
        case clog, cut, oneWayCut, reset, pause, crash, flip, drain
    }

    /// Lets faults happen to the world for the plan's duration, then takes all of them back.
    package static func run(_ world: ClusterWorld, _ plan: Plan, seed: UInt64) {
        var random = SeededGenerator(seed)
        let scheduler = world.scheduler
        let end = scheduler.now + plan.duration
        let enabled = Fault.allCases.filter { plan.has($0) }
        var crashed: Set<String> = []
        while scheduler.now < end, !enabled.isEmpty {
            let one = world.names[random.below(world.names.count)]
            let other = world.names.filter { $0 != one }[random.below(world.names.count - 1)]
            let length = random.duration(in: plan.length)
            let network = world.network
            switch enabled[random.below(enabled.count)] {
            case .clog: network.clog(from: one, to: other, for: length)
            case .cut:
                network.cut(one, other)
                scheduler.after(length) { network.mend(one, other) }
            case .oneWayCut:
                network.change(from: one, to: other) { $0.isCut = true }
                scheduler.after(length) { network.change(from: one, to: other) { $0.isCut = false } }
            case .reset: network.reset(one, other)
            case .pause:
                let owner = world[one].executor.owner
                scheduler.pause(owner)
                scheduler.after(length) { scheduler.resume(owner) }
            case .crash:
                // One at a time: the rest is to stay a cluster.
                if crashed.isEmpty {
                    world.crash(one)
                    crashed.insert(one)
                } else {
                    for name in crashed.sorted() { world.start(name) }
                    crashed = []
                }
            case .flip:
                network.change(from: one, to: other) { $0.flips = 0.2 }
                scheduler.after(length) { network.change(from: one, to: other) { $0.flips = 0 } }
            case .drain:
                if world[one].isRunning { world.set(one, random.chance(0.5) ? .draining : .schedulable) }
            }
            world.run(for: random.duration(in: plan.gap))
        }
        for name in world.names where world[name].isRunning { world.set(name, .schedulable) }
        for name in crashed.sorted() { world.start(name) }
        world.run(for: plan.length.upperBound)
        world.network.changeAll { ($0.isCut, $0.flips, $0.loss) = (false, 0, 0) }
        for node in world.running { scheduler.resume(node.executor.owner) }
    }
}

extension Swizzle.Plan {
    fileprivate func has(_ fault: Swizzle.Fault) -> Bool {
        switch fault {
        case .clog: clogs
        case .cut: cuts
        case .oneWayCut: oneWayCuts
        case .reset: resets
        case .pause: pauses
        case .crash: crashes
        case .flip: flips
        case .drain: drains
        }
    }
}
