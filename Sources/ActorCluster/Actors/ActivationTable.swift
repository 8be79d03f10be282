import Distributed

/// The virtual actors that are active on this node, or about to be, or about to be no more.
///
/// A key has at most one instance here at any time. Calls come in by `call` and leave by `ended`; an instance is put to
/// sleep only when none are inside. Who owns a key is not asked here: the shell asks before each call and says when the
/// answer has changed.
struct ActivationTable: Sendable {
    /// Why an instance leaves.
    enum Reason: Hashable, Sendable {
        /// It had no calls for a while.
        case idle
        /// Its key belongs to another node now.
        case moved
        /// The node stops.
        case stopping
    }

    /// What to do with a call.
    enum Admission: Sendable {
        /// It counts as running: `ended` follows.
        case run(any DistributedActor)
        /// Nobody has called before: start the activation, which ends with `activated` or `failed`, then wait, then ask
        /// again.
        case activate(Promise<Void>)
        /// The instance is on its way in or out: wait, then ask again.
        case wait(Promise<Void>)
        /// As many as allowed are here.
        case full
    }

    /// An instance that nobody is inside of any more: let it put itself to sleep, then tell `asleep`.
    struct Departure: Sendable {
        let key: VirtualActorKey
        let actor: any DistributedActor
        let reason: Reason
    }

    private enum State: Sendable {
        /// The factory runs. Exits: `active`, `leaving` (the key moved meanwhile), gone (it failed).
        case activating(Promise<Void>)
        /// Exits: `leaving` (idle, moved, stopping).
        case active(any DistributedActor, calls: Int, idleSince: Duration)
        /// Takes no calls; those inside finish, then it is put to sleep. Exit: gone.
        case leaving(any DistributedActor, calls: Int, Reason, Promise<Void>)
    }

    let activationsMax: Int
    private var states: [VirtualActorKey: State] = [:]

    init(activationsMax: Int) { self.activationsMax = activationsMax }

    var count: Int { states.count }

    /// Keys whose instance takes calls, sorted.
    var active: [VirtualActorKey] {
        let keys = states.compactMap { key, state in if case .active = state { key } else { nil } }
        return keys.sorted { ($0.kind, $0.key) < ($1.kind, $1.key) }
    }

    mutating func call(_ key: VirtualActorKey) -> Admission {
        switch states[key] {
        case .active(let actor, let calls, let idleSince):
            states[key] = .active(actor, calls: calls + 1, idleSince: idleSince)
            return .run(actor)
        case .activating(let promise): return .wait(promise)
        case .leaving(_, _, _, let promise): return .wait(promise)
        case nil:
            guard states.count < activationsMax else { return .full }
            let promise = Promise<Void>()
            states[key] = .activating(promise)
            return .activate(promise)
        }
    }

    /// A call has left.
    mutating func ended(_ key: VirtualActorKey, at now: Duration) -> Departure? {
        switch states[key] {
        case .active(let actor, let calls, _):
            precondition(calls > 0, "a call of \(key) ended that never began")
            states[key] = .active(actor, calls: calls - 1, idleSince: now)
            return nil
        case .leaving(let actor, let calls, let reason, let promise):
            precondition(calls > 0, "a call of \(key) ended that never began")
            states[key] = .leaving(actor, calls: calls - 1, reason, promise)
            return calls == 1 ? Departure(key: key, actor: actor, reason: reason) : nil
        case .activating, nil: preconditionFailure("a call of \(key) ended, which is not active")
        }
    }

    /// The factory has made the actor. Whoever waits is to be told.
    mutating func activated(_ key: VirtualActorKey, _ actor: any DistributedActor, at now: Duration) -> Promise<Void>? {
        guard case .activating(let promise) = states[key] else { return nil }
        states[key] = .active(actor, calls: 0, idleSince: now)
        return promise
    }

    /// The factory has failed. The next call tries again.
    mutating func failed(_ key: VirtualActorKey) -> Promise<Void>? {
        guard case .activating(let promise) = states[key] else { return nil }
        states[key] = nil
        return promise
    }

    /// Instances whose keys are not ours any more take no more calls.
    mutating func keep(_ reason: Reason, where isOurs: (VirtualActorKey) -> Bool) -> [Departure] {
        var departures: [Departure] = []
        for (key, state) in states {
            guard case .active(let actor, let calls, _) = state, !isOurs(key) else { continue }
            states[key] = .leaving(actor, calls: calls, reason, Promise())
            if calls == 0 { departures.append(Departure(key: key, actor: actor, reason: reason)) }
        }
        // The order of a dictionary is the process's.
        return departures.sorted { ($0.key.kind, $0.key.key) < ($1.key.kind, $1.key.key) }
    }

    /// Instances that had no call for `limit`.
    mutating func sleepers(at now: Duration, limit: Duration) -> [Departure] {
        let idle = Set(
            states.compactMap { key, state -> VirtualActorKey? in
                guard case .active(_, 0, let idleSince) = state, now - idleSince >= limit else { return nil }
                return key
            })
        return idle.isEmpty ? [] : keep(.idle) { !idle.contains($0) }
    }

    /// When to ask `sleepers` again.
    func nextSleeper(limit: Duration) -> Duration? {
        states.values.compactMap { state -> Duration? in
            guard case .active(_, 0, let idleSince) = state else { return nil }
            return idleSince + limit
        }.min()
    }

    /// The instance has put itself to sleep: the key is free. Whoever waits is to be told.
    mutating func asleep(_ key: VirtualActorKey) -> Promise<Void>? {
        guard case .leaving(_, 0, _, let promise) = states[key] else { return nil }
        states[key] = nil
        return promise
    }
}
