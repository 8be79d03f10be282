import ClipModel
import ClusterSimulation
import Jobs
import StoreModel
import Synchronization

/// Faults that come and go in an order drawn from the seed.
extension JobsWorld {
    enum Fault: CaseIterable {
        case kill, restartNode, stop, shortStop, drain, cordon
        case partition, oneWay, clog, reset, regionsApart
        case cutFromStore, slowStore, restartStore, storm, wallClock, order
    }

    /// Faults overlap for so long; clients send their jobs meanwhile.
    func disturb(_ faults: [Fault] = Fault.allCases, for length: Duration = .seconds(45)) {
        for number in 0..<setting.jobs {
            after(random.duration(in: .zero...length / 2)) { [unowned self] in submit(number) }
        }
        let end = now + length
        while now < end {
            happen(faults[random.below(faults.count)])
            pass(random.duration(in: .milliseconds(200) ... .seconds(3)))
        }
        heal()
    }

    private func happen(_ fault: Fault) {
        let one = world.names[random.below(world.names.count)]
        let other = world.names.filter { $0 != one }[random.below(world.names.count - 1)]
        // Shorter than a lease, or longer.
        let isShort = random.chance(0.5)
        let length = random.duration(in: isShort ? .milliseconds(100) ... .seconds(4) : .seconds(5) ... .seconds(12))
        switch fault {
        case .kill:
            crash(one)
            after(length) { [unowned self] in if crashed.contains(one) { start(one) } }
        case .restartNode: start(one)
        case .stop, .shortStop:
            pause(one)
            after(fault == .stop ? length : length / 4) { [unowned self] in resume(one) }
        case .drain:
            drain(one)
            after(.seconds(8)) { [unowned self] in if part(one)?.isDraining.withLock({ $0 }) == true { start(one) } }
        case .cordon: order(one, random.chance(0.5) ? .cordoned : .draining, for: length)
        case .partition, .oneWay, .clog, .reset, .regionsApart: disturbNetwork(fault, one, other, length)
        case .cutFromStore:
            guard let link = part(one)?.link else { return }
            database.cut(link)
            after(length) { [unowned self] in database.mend(link) }
        case .slowStore:
            guard let link = part(one)?.link else { return }
            database.slow(link, by: random.duration(in: .milliseconds(10) ... .seconds(2)))
            after(length) { [unowned self] in database.slow(link, by: .zero) }
        case .restartStore: database.restart(downFor: length / 3)
        case .storm:
            database.set(.stormy(random.fraction() * 0.5))
            after(length) { [unowned self] in database.set(.calm) }
        case .wallClock:
            let offset = (random.fraction() * 2 - 1) * 7200
            parts.offsets.withLock { $0[one] = offset }
            after(length) { [unowned self] in parts.offsets.withLock { $0[one] = nil } }
        case .order: orderSomething()
        }
    }

    private func order(_ name: String, _ wanted: NodeSchedulability, for length: Duration) {
        guard let node = NodeID(name) else { return }
        client { client in
            try await client.set(node, to: wanted)
            try await client.clock.sleep(for: length)
            try await client.set(node, to: .schedulable)
        }
    }

    private func disturbNetwork(_ fault: Fault, _ one: String, _ other: String, _ length: Duration) {
        let network = world.network
        switch fault {
        case .partition:
            network.cut(one, other)
            after(length) { network.mend(one, other) }
        case .oneWay:
            network.change(from: one, to: other) { $0.isCut = true }
            after(length) { network.change(from: one, to: other) { $0.isCut = false } }
        case .clog: network.clog(from: one, to: other, for: length)
        case .reset: network.reset(one, other)
        default:
            for (one, other) in pairsApart {
                network.cut(one, other)
                after(length) { network.mend(one, other) }
            }
        }
    }

    /// Nodes of different regions.
    private var pairsApart: [(String, String)] {
        let indices = world.names.indices
        return indices.flatMap { left in
            indices.filter { $0 > left && ($0 - left) % setting.regions.count != 0 }
                .map { (world.names[left], world.names[$0]) }
        }
    }

    /// Everything is as it should be from here on.
    private func heal() {
        forgetAgenda()
        for name in world.names {
            if crashed.contains(name) || !world[name].isRunning || part(name)?.isDraining.withLock({ $0 }) == true {
                start(name)
            }
            resume(name)
            for other in world.names where other != name { world.network.mend(name, other) }
            guard let link = part(name)?.link else { continue }
            database.mend(link)
            database.slow(link, by: .zero)
        }
        for number in 0..<setting.jobs where !hasSubmitted(number) { submit(number) }
        parts.offsets.withLock { $0 = [:] }
        database.set(.calm)
        healedAt = now
    }
}
