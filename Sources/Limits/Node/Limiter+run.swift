import ActorCluster
import Distributed
import Logging
import Membership
import Placement
import Synchronization

extension Limiter {
    /// What has to be done because keys moved.
    struct Moves: Sendable {
        var placement: Placement?
        /// Members that wait to hear that this node has told them everything.
        var untold: Set<MemberID> = []
        /// Members whose snapshots have to be read, because they cannot tell themselves; the own one first.
        var unread: [MemberID] = []
    }

    /// Lives beside the actor system: follows its views, carries checks to owners, hands over, gives back, saves. Ends
    /// by cancellation; checks that come later are decided without their owners.
    package func run() async {
        lanes.withLock { $0.isOpen = true }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.followViews() }
            group.addTask { await self.handOver() }
            group.addTask { await self.readSnapshots() }
            group.addTask { await self.readOrphans() }
            group.addTask { await self.repeatedly(self.configuration.returnInterval) { self.giveBackSlices() } }
            group.addTask { await self.repeatedly(self.configuration.sweepInterval) { self.sweep() } }
            group.addTask {
                await self.repeatedly(self.configuration.snapshotInterval) { await self.saveSnapshot() }
            }
            group.addTask {
                await self.repeatedly(self.configuration.tidyInterval) { await self.tidySnapshots() }
            }
            for await _ in lanesToStart.rings {
                for lane in takeFreshLanes() { group.addTask { await self.run(lane) } }
            }
            group.cancelAll()
        }
        let all = lanes.withLock { lanes in
            lanes.isOpen = false
            defer { lanes.byOwner = [:] }
            return Array(lanes.byOwner.values)
        }
        for lane in all { lane.close() }
    }

    private func takeFreshLanes() -> [OwnerLane] {
        lanes.withLock { lanes in
            defer { lanes.fresh = [] }
            return lanes.fresh
        }
    }

    func repeatedly(_ interval: Duration, _ work: () async -> Void) async {
        while (try? await clock.sleep(for: interval)) != nil { await work() }
    }

    // MARK: Lanes

    private func run(_ lane: OwnerLane) async {
        await lane.run(now: now) { batch in
            try await self.send(batch, to: lane.owner)
        } keep: { slice, key, askedAt in
            self.part(of: key).shard.withLock {
                $0.received(slice, of: key, from: lane.owner, askedAt: askedAt, at: self.now())
            }
        }
    }

    private func send(_ batch: CheckBatch, to owner: MemberID) async throws -> CheckReply {
        let checks = batch.items.reduce(0) { $0 + $1.count }
        extra.withLock { counts in
            counts.calls += 1
            counts.checksForwarded += checks
        }
        do {
            return try await call(owner, within: configuration.patience) { try await $0.check(batch) }
        } catch {
            extra.withLock { $0.callsFailed += 1 }
            log.debug("limit owner not reached", metadata: ["owner": "\(owner)", "error": "\(error)"])
            throw error
        }
    }

    func call<Answer>(
        _ owner: MemberID, within limit: Duration, _ body: (RateLimiter) async throws -> Answer
    ) async throws -> Answer {
        guard let life = lanes.withLock({ $0.lives[owner] }) else {
            throw ClusterCallError(.unreachable, "\(owner) is no member")
        }
        let limiter = try system.named(RateLimiter.self, RateLimiter.name, on: life)
        return try await system.withTimeLimit(limit) { try await body(limiter) }
    }

    // MARK: Views

    private func followViews() async {
        for await view in system.views() {
            noteLives(view)
            place(Placement(view, policy: system.configuration.placement), view)
        }
    }

    private func noteLives(_ view: MembershipView) {
        let (replaced, gone) = lanes.withLock { lanes -> ([OwnerLane], [OwnerLane]) in
            let lives = Dictionary(uniqueKeysWithValues: view.members.map { ($0.id, $0.life) })
            let replaced = lanes.byOwner.filter { lives[$0.key] != nil && lives[$0.key] != lanes.lives[$0.key] }
            let gone = lanes.byOwner.filter { lives[$0.key] == nil }
            for owner in gone.keys { lanes.byOwner[owner] = nil }
            lanes.lives = lives
            return (Array(replaced.values), Array(gone.values))
        }
        for lane in replaced { lane.forgive() }
        for lane in gone { lane.close() }
    }

    private func place(_ placement: Placement, _ view: MembershipView) {
        let me = system.life.id
        let isMoved = moves.withLock { moves -> Bool in
            defer { moves.placement = placement }
            guard let before = moves.placement, !before.members.isEmpty else {
                moves.unread = [me]
                orphansToLoad.ring()
                return true
            }
            guard before.digest != placement.digest else { return false }
            let change = KeyMoves(from: before, to: placement)
            moves.untold.formUnion(change.takers(from: me))
            moves.untold.formIntersection(view.members.map(\.id))
            // Whoever is there tells by itself.
            let silent = change.givers(to: me).filter { giver in
                placement.members.first { $0.id == giver }.map { $0.standing == .absent } ?? true
            }
            moves.unread += silent.filter { !moves.unread.contains($0) }
            return true
        }
        for part in parts { part.shard.withLock { $0.placementChanged(to: placement, at: now()) } }
        guard isMoved else { return }
        handoversToMake.ring()
        snapshotsToLoad.ring()
    }

    // MARK: Upkeep

    private func giveBackSlices() {
        for part in parts {
            for (owner, slice) in part.shard.withLock({ $0.collectReturns(at: now()) }) {
                lane(to: owner)?.giveBack(slice, at: now())
            }
        }
    }

    private func sweep() {
        let keys = max(1, configuration.sweepKeysMax / parts.count)
        for part in parts { part.shard.withLock { $0.sweep(keys, at: now()) } }
    }
}
