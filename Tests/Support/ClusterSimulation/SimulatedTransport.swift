import Synchronization
package import WireProtocol

/// The transport of one node: it listens at one address and dials others.
package final class SimulatedTransport: PeerTransport {
    /// Connections that wait to be accepted.
    final class Listener: Sendable {
        private struct State {
            var waiting: [SimulatedConnection] = []
            var reader: CheckedContinuation<SimulatedConnection?, Never>?
            var isClosed = false
        }

        let certifiedNames: [String]
        let owner: Scheduler.Owner?
        let tap: @Sendable () -> (any ConnectionTap)?
        private let state = Mutex(State())

        init(certifiedNames: [String], owner: Scheduler.Owner?, tap: @escaping @Sendable () -> (any ConnectionTap)?) {
            self.certifiedNames = certifiedNames
            self.owner = owner
            self.tap = tap
        }

        func arrived(_ connection: SimulatedConnection) {
            let reader = state.withLock { state -> CheckedContinuation<SimulatedConnection?, Never>? in
                guard let reader = state.reader else {
                    state.waiting.append(connection)
                    return nil
                }
                state.reader = nil
                return reader
            }
            reader?.resume(returning: connection)
        }

        /// Nil when the task is cancelled.
        func next() async -> SimulatedConnection? {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let next = state.withLock { state -> SimulatedConnection?? in
                        if Task.isCancelled { return .some(nil) }
                        if !state.waiting.isEmpty { return state.waiting.removeFirst() }
                        state.reader = continuation
                        return nil
                    }
                    if let next { continuation.resume(returning: next) }
                }
            } onCancel: {
                let reader = state.withLock { state in
                    defer { state.reader = nil }
                    return state.reader
                }
                reader?.resume(returning: nil)
            }
        }
    }

    package let host: String
    package let port: Int
    private let network: SimulatedNetwork
    /// What this node's certificate says.
    private let certifiedNames: [String]
    private let owner: Scheduler.Owner?
    private let tap: @Sendable () -> (any ConnectionTap)?

    package init(
        _ network: SimulatedNetwork, host: String, port: Int = 7000, certifiedNames: [String]? = nil,
        owner: Scheduler.Owner? = nil, tap: @escaping @Sendable () -> (any ConnectionTap)? = { nil }
    ) {
        self.network = network
        self.host = host
        self.port = port
        self.certifiedNames = certifiedNames ?? [host]
        self.owner = owner
        self.tap = tap
    }

    package func serve(_ accepted: @escaping @Sendable (any PeerConnection) async -> Void) async throws {
        let listener = Listener(certifiedNames: certifiedNames, owner: owner, tap: tap)
        let address = SimulatedNetwork.Address(host: host, port: port)
        network.listen(address, listener)
        await withDiscardingTaskGroup { group in
            while let connection = await listener.next() { group.addTask { await accepted(connection) } }
            network.stopListening(address, listener)
        }
        throw CancellationError()
    }

    package func connect(host target: String, port: Int) async throws -> any PeerConnection {
        let attempt = Attempt()
        let deadline = network.scheduler.after(network.limits.connectTimeLimit) {
            self.network.count { $0.silences += 1 }
            attempt.settle(.failure(PeerConnectError.timedOut))
        }
        defer { network.scheduler.cancel(deadline) }
        knock(SimulatedNetwork.Address(host: target, port: port), attempt)
        return try await attempt.wait()
    }

    /// One round trip, if both directions let it pass and the process is awake to shake hands; otherwise again a little
    /// later, as TCP and TLS do, until the attempt's time is over.
    private func knock(_ address: SimulatedNetwork.Address, _ attempt: Attempt) {
        let (there, back) = (network.path(from: host, to: address.host), network.path(from: address.host, to: host))
        let now = network.scheduler.now
        let passes = [there, back].allSatisfy { !$0.isCut && $0.cloggedUntil <= now }
        let delay = network.draw { $0.duration(in: there.delay) + $0.duration(in: back.delay) }
        network.scheduler.after(passes ? delay : .milliseconds(250)) { [self] in
            guard !attempt.isOver else { return }
            let (machine, listener) = network.answer(address)
            guard passes, machine != .silent else { return knock(address, attempt) }
            guard let listener else {
                network.count { $0.refusals += 1 }
                return attempt.settle(.failure(PeerConnectError.refused))
            }
            if let owner = listener.owner, network.scheduler.isPaused(owner) {
                network.scheduler.after(.milliseconds(250)) { if !attempt.isOver { self.knock(address, attempt) } }
                return
            }
            attempt.settle(.success(join(address.host, listener)))
        }
    }

    private func join(_ target: String, _ listener: Listener) -> SimulatedConnection {
        network.count { $0.connections += 1 }
        let near = SimulatedConnection(
            network, from: host, to: target, certifiedNames: listener.certifiedNames, tap: tap())
        let far = SimulatedConnection(
            network, from: target, to: host, certifiedNames: certifiedNames, tap: listener.tap())
        near.join(far)
        far.join(near)
        listener.arrived(far)
        return near
    }
}

/// One attempt to connect: settled once.
private final class Attempt: Sendable {
    private struct State {
        var result: Result<SimulatedConnection, any Error>?
        var waiter: CheckedContinuation<SimulatedConnection, any Error>?
        var isOver = false
    }

    private let state = Mutex(State())

    var isOver: Bool { state.withLock { $0.isOver } }

    func settle(_ result: Result<SimulatedConnection, any Error>) {
        let waiter = state.withLock { state -> CheckedContinuation<SimulatedConnection, any Error>? in
            guard !state.isOver else { return nil }
            state.isOver = true
            if state.waiter == nil { state.result = result }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(with: result)
    }

    func wait() async throws -> SimulatedConnection {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state -> Result<SimulatedConnection, any Error>? in
                    if let result = state.result { return result }
                    state.waiter = continuation
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            settle(.failure(CancellationError()))
        }
    }
}
