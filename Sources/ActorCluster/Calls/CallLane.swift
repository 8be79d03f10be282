import Membership
import Synchronization
import WireProtocol

/// Calls from us to one peer and from that peer to us, on one connection.
final class CallLane: LaneTraffic {
    private struct Calls {
        var table: CallTable<PendingCall>
        /// Whether the sweeper is awake: it looks for calls whose time is over while there are any.
        var isSwept = false
        var isLost = false
    }

    private struct Served {
        var calls: ServedCalls<RunningTask>
        /// Of the calls that run here and have a limit.
        var deadlines: [UInt32: Duration] = [:]
        var isSwept = false
        /// New calls are not taken: the node is about to stop.
        var isStopping = false
    }

    let connection: LaneConnection
    private let system: ClusterActorSystem
    let decoder: WireDecoder
    private let calls: Mutex<Calls>
    private let served: Mutex<Served>
    private let callsToSweep = Bell()
    private let servedToSweep = Bell()

    init(_ connection: LaneConnection, _ system: ClusterActorSystem) {
        self.connection = connection
        self.system = system
        decoder = system.decoder
        let session = connection.session
        calls = Mutex(Calls(table: CallTable(inFlightMax: min(session.allowance.callsInFlightMax, 1 << 16))))
        served = Mutex(Served(calls: ServedCalls(inFlightMax: system.identity.limits.callsInFlightMax)))
    }

    /// Calls under way in both directions.
    var inFlight: (ours: Int, theirs: Int) {
        (calls.withLock { $0.table.inFlight }, served.withLock { $0.calls.inFlight })
    }

    // MARK: Our calls

    /// The call did not run and may take another lane: this one had ended before the call left, or was replaced.
    struct NeverServed: Error {}

    /// Sends a call and waits for its reply: the payload, unread.
    func call(
        _ header: CallHeader, _ arguments: [UInt8], deadline: Duration, peer: String
    ) async throws -> ArraySlice<UInt8> {
        if connection.outbox.isCongested { try await roomBefore(deadline, peer) }
        let pending = PendingCall()
        let id = try register(pending, deadline, peer)
        do {
            try send(id, header, arguments)
        } catch {
            _ = calls.withLock { $0.table.cancel(id) }
            throw error
        }
        return try await withTaskCancellationHandler {
            try await pending.wait()
        } onCancel: {
            giveUp(id, CancellationError())
        }
    }

    private func register(_ pending: PendingCall, _ deadline: Duration, _ peer: String) throws -> UInt32 {
        let (id, isLost, isToBeSwept) = calls.withLock { calls -> (UInt32?, Bool, Bool) in
            guard let id = calls.table.register(pending, deadline: deadline) else { return (nil, calls.isLost, false) }
            defer { calls.isSwept = true }
            return (id, false, !calls.isSwept)
        }
        if isToBeSwept { callsToSweep.ring() }
        if let id { return id }
        if isLost { throw NeverServed() }
        throw ClusterCallError(
            .busy, "\(peer) takes \(connection.session.allowance.callsInFlightMax) calls at a time",
            retryAfter: system.configuration.busyRetryAfter)
    }

    private func send(_ id: UInt32, _ header: CallHeader, _ arguments: [UInt8]) throws {
        var frame: [UInt8] = []
        frame.reserveCapacity(Frame.headerBytes + 64 + header.actor.count + arguments.count)
        do {
            try connection.session.writer.append(.call, streamID: id, to: &frame) { bytes in
                try header.append(to: &bytes)
                bytes += arguments
            }
        } catch {
            throw ClusterCallError(.tooLarge, "\(error)")
        }
        guard connection.outbox.post(frame) else {
            connection.finish(.congested)
            throw NeverServed()
        }
    }

    private func roomBefore(_ deadline: Duration, _ peer: String) async throws {
        let outbox = connection.outbox
        do {
            // An empty message passes exactly when there is room.
            let passed: Void? = try await system.timeline.before(deadline) { try await outbox.send([]) }
            if passed != nil { return }
        } catch is Outbox.ClosedError {
            throw NeverServed()
        }
        throw ClusterCallError(.deadlineExceeded, "\(peer) did not read in time")
    }

    /// The caller no longer waits: whoever takes the call out of the table tells the peer.
    private func giveUp(_ id: UInt32, _ reason: any Error) {
        guard let pending = calls.withLock({ $0.table.cancel(id) }) else { return }
        tellCancelled(id)
        pending.answer(.failure(reason))
    }

    private func tellCancelled(_ id: UInt32) {
        system.counters.cancelsSent.count()
        var frame: [UInt8] = []
        guard (try? connection.session.writer.append(Frame(.cancel, streamID: id), to: &frame)) != nil else { return }
        connection.post(frame)
    }

    // MARK: Frames that arrive

    func start(in group: inout DiscardingTaskGroup) {
        group.addTask { await self.sweepCalls() }
        group.addTask { await self.sweepServed() }
    }

    func received(_ frame: Frame, at now: Duration, in group: inout DiscardingTaskGroup) throws(WireError) {
        switch frame.kind {
        case .reply:
            guard let pending = calls.withLock({ $0.table.replied(frame.streamID) }) else {
                system.counters.repliesLate.count()
                return
            }
            pending.answer(.success(frame.payload))
        case .call: try callArrived(frame, at: now, in: &group)
        case .cancel: cancelArrived(frame.streamID)
        default: throw WireError(.unexpectedFrame, "a \(frame.kind) on a lane for calls")
        }
    }

    func lost() {
        let lost = calls.withLock { calls in
            calls.isLost = true
            return calls.table.connectionLost()
        }
        let error = ClusterCallError(.outcomeUnknown, "the connection to \(connection.peer.id) was lost")
        for call in lost { call.token.answer(.failure(error)) }
        served.withLock { served in
            // Under the lock: see `RunningTask`.
            for task in served.calls.connectionLost() { task.cancel() }
            served.deadlines = [:]
        }
    }

    /// New calls of the peer are turned away from here on; true when none are running any more.
    func stopServing() -> Bool {
        served.withLock { served in
            served.isStopping = true
            return served.calls.inFlight == 0
        }
    }

    // MARK: The peer's calls

    private func callArrived(
        _ frame: Frame, at now: Duration, in group: inout DiscardingTaskGroup
    ) throws(WireError) {
        let (header, arguments) = try CallHeader.parse(frame.payload)
        let id = frame.streamID
        let deadline = header.remainingMilliseconds.map { now + .milliseconds($0) }
        let isCongested = connection.outbox.isCongested
        let (refusal, isToBeSwept) = try served.withLock { served throws(WireError) -> (ReplyOutcome?, Bool) in
            if served.isStopping { return (.stopping, false) }
            if isCongested { return (busy, false) }
            switch served.calls.accept(id) {
            case .busy: return (busy, false)
            case .duplicate: throw WireError(.unexpectedFrame, "call \(id) is running already")
            case .run: break
            }
            served.deadlines[id] = deadline
            defer { served.isSwept = served.isSwept || deadline != nil }
            return (nil, deadline != nil && !served.isSwept)
        }
        if let refusal {
            if case .busy = refusal { system.counters.callsRefusedBusy.count() }
            reply(id, refusal)
            return
        }
        if isToBeSwept { servedToSweep.ring() }
        group.addTask { await self.serve(id, header, arguments, deadline) }
    }

    private var busy: ReplyOutcome {
        .busy(retryAfterMilliseconds: CallHeader.milliseconds(system.configuration.busyRetryAfter))
    }

    private func serve(_ id: UInt32, _ header: CallHeader, _ arguments: ArraySlice<UInt8>, _ deadline: Duration?) async
    {
        let handler = ClusterResultHandler(connection.session.writer, call: id)
        if let task = RunningTask.current(), served.withLock({ $0.calls.started(id, task) }) {
            await system.answer(
                header, ClusterInvocationDecoder(arguments, decoder), before: deadline, handler)
        }
        let isAwaited = served.withLock { served in
            served.deadlines[id] = nil
            return served.calls.finished(id)
        }
        guard isAwaited else { return }
        do {
            try await connection.outbox.send(handler.takeReply())
        } catch {
            // Closed: the caller learns that the outcome is unknown.
            connection.finish(.congested)
        }
    }

    private func cancelArrived(_ id: UInt32) {
        system.counters.cancelsReceived.count()
        served.withLock { served in
            served.deadlines[id] = nil
            // Under the lock: see `RunningTask`.
            served.calls.cancel(id)?.cancel()
        }
    }

    private func reply(_ id: UInt32, _ outcome: ReplyOutcome) {
        let handler = ClusterResultHandler(connection.session.writer, call: id)
        handler.answer(outcome)
        connection.post(handler.takeReply())
    }

    // MARK: Time

    /// No timer per call: almost every call is answered long before its time is over. While calls are under way, one
    /// loop looks every `deadlineResolution` at those that are not.
    private func sweepCalls() async {
        while !Task.isCancelled {
            await callsToSweep.wait()
            while (try? await system.timeline.sleep(for: system.configuration.deadlineResolution)) != nil {
                let now = system.timeline.now
                while let late = calls.withLock({ $0.table.nextExpired(at: now) }) {
                    system.counters.callsExpired.count()
                    tellCancelled(late.id)
                    late.token.answer(
                        .failure(ClusterCallError(.deadlineExceeded, "\(connection.peer.id) did not answer in time")))
                }
                let isOver = calls.withLock { calls in
                    calls.isSwept = calls.table.inFlight > 0
                    return !calls.isSwept
                }
                if isOver { break }
            }
        }
    }

    private func sweepServed() async {
        while !Task.isCancelled {
            await servedToSweep.wait()
            while (try? await system.timeline.sleep(for: system.configuration.deadlineResolution)) != nil {
                let now = system.timeline.now
                let (late, isOver) = served.withLock { served -> ([UInt32], Bool) in
                    let late = served.deadlines.filter { $0.value <= now }.keys.sorted()
                    for id in late {
                        served.deadlines[id] = nil
                        // Under the lock: see `RunningTask`.
                        served.calls.cancel(id)?.cancel()
                    }
                    served.isSwept = !served.deadlines.isEmpty
                    return (late, !served.isSwept)
                }
                for id in late { reply(id, .deadlineExceeded) }
                if isOver { break }
            }
        }
    }
}
