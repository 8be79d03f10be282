package import Distributed
import Membership
import Placement
import Synchronization
package import WireProtocol

// MARK: - Options

extension ClusterActorSystem {
    /// Calls inside are over after `limit`, at both ends: the caller gets `deadlineExceeded`, the callee is cancelled.
    /// What is called passes what remains on. A limit inside a limit can only shorten it.
    package func withTimeLimit<Answer>(_ limit: Duration, _ body: () async throws -> Answer) async rethrows -> Answer {
        var options = CallOptions.current
        let deadline = timeline.now + limit
        options.deadline = options.deadline.map { min($0, deadline) } ?? deadline
        return try await CallOptions.$current.withValue(options, operation: body)
    }

    /// Calls inside belong to that trace.
    package func withTrace<Answer>(
        _ trace: TraceContext?, _ body: () async throws -> Answer
    ) async rethrows -> Answer {
        var options = CallOptions.current
        options.trace = trace
        return try await CallOptions.$current.withValue(options, operation: body)
    }

    /// How long the caller of what runs here still waits; nil when nobody said.
    package var remainingTime: Duration? { CallOptions.current.deadline.map { $0 - timeline.now } }
}

// MARK: - Calls

extension ClusterActorSystem {
    package func remoteCall<Act, Err, Res>(
        on actor: Act, target: RemoteCallTarget, invocation: inout InvocationEncoder, throwing: Err.Type,
        returning: Res.Type
    ) async throws -> Res
    where Act: DistributedActor, Act.ID == ActorID, Err: Error, Res: Codable {
        let returned = try await call(actor.id, target.identifier, invocation.arguments)
        do {
            return try returned.decoder.decode(Res.self, from: returned.bytes)
        } catch {
            throw ClusterCallError(.undecodableAnswer, "\(Res.self): \(error)")
        }
    }

    package func remoteCallVoid<Act, Err>(
        on actor: Act, target: RemoteCallTarget, invocation: inout InvocationEncoder, throwing: Err.Type
    ) async throws where Act: DistributedActor, Act.ID == ActorID, Err: Error {
        _ = try await call(actor.id, target.identifier, invocation.arguments)
    }

    private func call(_ id: ClusterActorID, _ name: String, _ arguments: [UInt8]) async throws -> Returned {
        guard let target = targets.number(of: name) else {
            throw ClusterCallError(.notAllowed, name)
        }
        try Task.checkCancellation()
        let options = CallOptions.current
        let call = OutgoingCall(
            id: id, target: target, arguments: arguments, trace: options.trace,
            deadline: options.deadline ?? timeline.now + configuration.callTimeLimit,
            isLimited: options.deadline != nil)
        switch id {
        case .named(_, let life): return try value(await outcome(of: call, on: life, view: nil), from: life.id)
        case .virtual(let key): return try await callOwner(of: key, call)
        }
    }

    private func value(_ answer: Answer, from peer: MemberID) throws -> Returned {
        if case .returned(let bytes) = answer.outcome { return Returned(bytes: bytes, decoder: answer.decoder) }
        guard let error = ClusterCallError(answer.outcome, from: peer.rawValue) else {
            preconditionFailure("\(answer.outcome) is neither a value nor an error")
        }
        throw error
    }

    /// Asks the owner by our view; if that node takes another for the owner, asks once more: whom our view names by
    /// then, if that is another one, else whom the node named. Two answers of that kind mean that the views are in
    /// motion, and a third guess would be no better.
    private func callOwner(of key: VirtualActorKey, _ call: OutgoingCall) async throws -> Returned {
        let (first, digest) = try ownerByView(of: key)
        let answer = try await outcome(of: call, on: first, view: digest)
        guard case .wrongOwner(_, let named) = answer.outcome else { return try value(answer, from: first.id) }
        let second = try ownerByView(of: key)
        counters.callsRedirected.count()
        if second.life.id != first.id {
            return try value(await self.outcome(of: call, on: second.life, view: second.digest), from: second.life.id)
        }
        guard let id = MemberID(named), id != first.id, let member = membership.member(id) else {
            return try value(answer, from: first.id)
        }
        return try value(await self.outcome(of: call, on: member.life, view: second.digest), from: id)
    }

    private func ownerByView(of key: VirtualActorKey) throws -> (life: MemberLife, digest: UInt64) {
        guard let placed = membership.placed else {
            throw ClusterCallError(.noOwner, "this node has no view of the cluster yet")
        }
        guard let owner = placed.owner(of: key), let member = placed.view[owner] else {
            throw ClusterCallError(.noOwner, "no member of the cluster can hold \(key)")
        }
        return (member.life, placed.placement.digest)
    }

    private func outcome(of call: OutgoingCall, on life: MemberLife, view: UInt64?) async throws -> Answer {
        if life == self.life { return try await answerHere(call, view) }
        for _ in 0..<Self.lanesTried {
            let lane = try await callLane(to: life, before: call.deadline)
            do {
                return try await outcome(of: call, on: lane, to: life, view: view)
            } catch is CallLane.NeverServed {
                counters.callsMoved.count()
                links.withLock { $0.hide(lane.connection) }
            }
        }
        throw ClusterCallError(.unreachable, "connections to \(life.id) end before they are used")
    }

    /// Lanes to one node that a call may find ended before it has left.
    private static let lanesTried = 3

    private func outcome(
        of call: OutgoingCall, on lane: CallLane, to life: MemberLife, view: UInt64?
    ) async throws -> Answer {
        switch lane.connection.farewell?.code {
        case nil: break
        case .replaced: throw CallLane.NeverServed()
        default: throw ClusterCallError(.stopping, "\(life.id) is about to stop")
        }
        guard let target = lane.connection.session.calls.target(call.target) else {
            throw ClusterCallError(
                .notAllowed, "\(life.id) runs a release without \(targets.list.names[Int(call.target)])")
        }
        let remaining = call.deadline - timeline.now
        guard remaining > .zero else { throw ClusterCallError(.deadlineExceeded, "the time was over before the call") }
        counters.callsSent.count()
        let header = CallHeader(
            target: target, actor: call.id.bytes[...], remainingMilliseconds: CallHeader.milliseconds(remaining),
            viewDigest: view, trace: call.trace)
        let reply = try await lane.call(header, call.arguments, deadline: call.deadline, peer: life.id.rawValue)
        do {
            return Answer(outcome: try ReplyOutcome(parsing: reply), decoder: lane.decoder)
        } catch {
            throw ClusterCallError(.undecodableAnswer, "\(error)")
        }
    }

    /// The same way as a call from elsewhere, allow-list and all, without network: what works on one node works on two.
    private func answerHere(_ call: OutgoingCall, _ view: UInt64?) async throws -> Answer {
        counters.callsLocal.count()
        let decoder = decoder
        let header = CallHeader(
            target: .number(call.target), actor: call.id.bytes[...], viewDigest: view, trace: call.trace)
        let answer: @Sendable () async -> [UInt8] = {
            let handler = ClusterResultHandler()
            await self.answer(
                header, ClusterInvocationDecoder(call.arguments[...], decoder), before: call.deadline, handler)
            return handler.takeReply()
        }
        // The caller runs the call itself, so only a limit that it asked for is worth two tasks.
        guard let reply = try await timeline.before(call.isLimited ? call.deadline : nil, answer) else {
            return Answer(outcome: .deadlineExceeded, decoder: decoder)
        }
        try Task.checkCancellation()
        do {
            return Answer(outcome: try ReplyOutcome(parsing: reply[...]), decoder: decoder)
        } catch {
            throw ClusterCallError(.undecodableAnswer, "\(error)")
        }
    }
}

/// What came back, and what reads it.
private struct Answer: Sendable {
    let outcome: ReplyOutcome
    let decoder: WireDecoder
}

/// As `Answer`, when it is a value.
private struct Returned: Sendable {
    let bytes: ArraySlice<UInt8>
    let decoder: WireDecoder
}

private struct OutgoingCall: Sendable {
    let id: ClusterActorID
    let target: UInt32
    let arguments: [UInt8]
    let trace: TraceContext?
    let deadline: Duration
    /// Whether somebody asked for the deadline.
    let isLimited: Bool
}
