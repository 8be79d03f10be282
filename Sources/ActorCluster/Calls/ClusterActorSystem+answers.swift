import Distributed
import Logging
import Membership
import Placement
import Synchronization
import WireProtocol

extension ClusterActorSystem {
    /// Runs a call on an actor of this node. What comes of it is in `handler`.
    func answer(
        _ header: CallHeader, _ arguments: ClusterInvocationDecoder, before deadline: Duration?,
        _ handler: ClusterResultHandler
    ) async {
        guard let target = targets.target(header.target) else {
            counters.callsRefusedNotAllowed.count()
            return handler.answer(.notAllowed)
        }
        guard let id = ClusterActorID(parsing: header.actor) else {
            counters.callsRefusedNoSuchActor.count()
            return handler.answer(.noSuchActor)
        }
        if header.remainingMilliseconds == 0 { return handler.answer(.deadlineExceeded) }
        counters.callsServed.count()
        var options = CallOptions()
        options.deadline = deadline
        options.trace = header.trace
        await CallOptions.$current.withValue(options) {
            switch id {
            case .named(let name, let life):
                guard life == self.life, let actor = directory.withLock({ $0.actor(name) }) else {
                    counters.callsRefusedNoSuchActor.count()
                    return handler.answer(.noSuchActor)
                }
                await run(target, on: actor, arguments, handler)
            case .virtual(let key):
                await withActivation(of: key, handler) { await run(target, on: $0, arguments, handler) }
            }
        }
    }

    private func run(
        _ target: CallTargets.Target, on actor: any DistributedActor, _ arguments: ClusterInvocationDecoder,
        _ handler: ClusterResultHandler
    ) async {
        // The runtime would run the function of one type on the actor of another.
        guard ObjectIdentifier(type(of: actor)) == target.actor else {
            counters.callsRefusedNotAllowed.count()
            return handler.answer(.notAllowed)
        }
        var decoder = arguments
        do {
            try await executeDistributedTarget(
                on: actor, target: RemoteCallTarget(target.name), invocationDecoder: &decoder, handler: handler)
        } catch {
            // What the target throws goes to the handler. This is the runtime, which does not know the target: the list
            // names what the program does not have.
            log.error("call target cannot be run", metadata: ["target": "\(target.name)", "error": "\(error)"])
            handler.answer(.notAllowed)
        }
    }

    // MARK: Virtual actors

    /// Runs `body` on the actor of a key, if it is ours by our view, when it is active.
    private func withActivation(
        of key: VirtualActorKey, _ handler: ClusterResultHandler, _ body: (any DistributedActor) async -> Void
    ) async {
        while true {
            // Asked anew after every wait: the key may have moved meanwhile.
            if let refusal = refusal(of: key) { return handler.answer(refusal) }
            let change: Promise<Void>
            switch activations.withLock({ $0.call(key) }) {
            case .run(let actor):
                await body(actor)
                leave(key)
                return
            case .full:
                counters.callsRefusedBusy.count()
                return handler.answer(
                    .busy(retryAfterMilliseconds: CallHeader.milliseconds(configuration.busyRetryAfter)))
            case .wait(let promise): change = promise
            case .activate(let promise):
                change = promise
                if !nursery.start({ await self.activate(key) }) { activationFailed(key, CancellationError()) }
            }
            do {
                try await change.wait()
            } catch is CancellationError {
                return handler.answer(.cancelled)
            } catch {
                return handler.answer(.threw(message: "the actor could not be activated: \(error)"))
            }
        }
    }

    private func refusal(of key: VirtualActorKey) -> ReplyOutcome? {
        guard let placed = membership.placed, let owner = placed.owner(of: key), owner == life.id else {
            counters.callsRefusedWrongOwner.count()
            let placed = membership.placed
            return .wrongOwner(
                viewDigest: placed?.placement.digest ?? 0, owner: placed?.owner(of: key)?.rawValue ?? "")
        }
        return factories.withLock { $0[key.kind] } == nil ? .noSuchActor : nil
    }

    private func leave(_ key: VirtualActorKey) {
        let now = timeline.now
        let departure = activations.withLock { $0.ended(key, at: now) }
        if let departure { putToSleep([departure]) }
    }

    private func activate(_ key: VirtualActorKey) async {
        guard let factory = factories.withLock({ $0[key.kind] }) else {
            preconditionFailure("kind \(key.kind) was there a moment ago")
        }
        let id = ClusterActorID.virtual(key)
        do {
            let actor = try await timeline.before(timeline.now + configuration.activationTimeLimit) {
                try await AssignedID.$next.withValue(AssignedID(id)) { try await factory(key, self) }
            }
            guard let actor else {
                throw ClusterCallError(
                    .deadlineExceeded, "\(key) took longer than \(configuration.activationTimeLimit)")
            }
            precondition(
                actor.id as? ClusterActorID == id, "the factory of \(key.kind) has to make one actor and return it")
            counters.activations.count()
            let now = timeline.now
            let waiting = activations.withLock { $0.activated(key, actor, at: now) }
            waiting?.settle(.success(()))
            activationsToSweep.ring()
            // The key may have moved while the factory ran.
            leaveMovedKeys()
        } catch {
            activationFailed(key, error)
        }
    }

    private func activationFailed(_ key: VirtualActorKey, _ error: any Error) {
        counters.activationsFailed.count()
        log.warning("activation failed", metadata: ["actor": "\(key)", "error": "\(error)"])
        let failure: any Error =
            error is CancellationError ? ClusterCallError(.stopping, "this node is about to stop") : error
        activations.withLock { $0.failed(key) }?.settle(.failure(failure))
    }

    // MARK: Sleep

    /// Instances whose keys belong to other nodes by the present view take no more calls.
    func leaveMovedKeys() {
        guard let placed = membership.placed else { return }
        let departures = activations.withLock { table in
            table.keep(.moved) { placed.owner(of: $0) == life.id }
        }
        putToSleep(departures)
    }

    private func putToSleep(_ departures: [ActivationTable.Departure]) {
        for departure in departures {
            if !nursery.start({ await self.putToSleep(departure) }) {
                // The system has ended: there is nobody left to tell.
                activations.withLock { $0.asleep(departure.key) }?.settle(.failure(CancellationError()))
            }
        }
    }

    func putToSleep(_ departure: ActivationTable.Departure) async {
        let key = departure.key
        let reason: PassivationReason
        switch departure.reason {
        case .idle: reason = .idle
        case .stopping: reason = .stopping
        case .moved:
            counters.evictions.count()
            let placed = membership.placed
            reason = .moved(to: placed?.owner(of: key).flatMap { placed?.view[$0]?.life })
        }
        counters.passivations.count()
        if let actor = departure.actor as? any Passivating { await passivate(actor, reason) }
        activations.withLock { $0.asleep(key) }?.settle(.success(()))
    }

    private func passivate(_ actor: some Passivating, _ reason: PassivationReason) async {
        let limit = timeline.now + configuration.activationTimeLimit
        let isDone = try? await timeline.before(limit) {
            await actor.whenLocal { await $0.passivate(reason) }
            return true
        }
        if isDone == nil { log.warning("passivation was cut short", metadata: ["actor": "\(actor.id)"]) }
    }

    /// Puts idle actors to sleep. Each look goes through all that are active, so there are at most sixteen in the time
    /// that an actor may be idle.
    func sweepActivations() async {
        let limit = configuration.idleLimit
        while !Task.isCancelled {
            let now = timeline.now
            let (sleepers, next) = activations.withLock { table in
                let sleepers = table.sleepers(at: now, limit: limit)
                // Who is busy now may be idle from now on.
                return (sleepers, table.active.isEmpty ? nil : table.nextSleeper(limit: limit) ?? now + limit)
            }
            putToSleep(sleepers)
            await activationsToSweep.wait(until: next.map { max($0, now + limit / 16) }, on: timeline)
        }
    }
}
