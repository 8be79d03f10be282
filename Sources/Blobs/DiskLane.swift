import Dispatch
import Synchronization

/// Where calls that may wait for the disk are made.
package enum DiskCalls: Sendable {
    /// On threads of their own, so that an `fsync` of a gigabyte never holds one of the few on which heartbeats run.
    case onOwnThreads
    /// By the caller: for simulations, which have one thread and an order of their own.
    case byCaller
}

/// Makes the calls that may wait for the disk.
package final class DiskLane: Sendable {
    /// For files outside of any blob directory.
    static let shared = DiskLane()

    private let queue = DispatchQueue(label: "blobs.disk", attributes: .concurrent)
    private let inFlight = Atomic<Int>(0)
    private let calls: DiskCalls

    init(_ calls: DiskCalls = .onOwnThreads) { self.calls = calls }

    /// Calls that were begun and not yet answered.
    var pending: Int { inFlight.load(ordering: .sequentiallyConsistent) }

    package func run<Answer: Sendable>(
        _ work: @escaping @Sendable () throws(BlobError) -> Answer
    ) async throws(BlobError) -> Answer {
        if calls == .byCaller { return try work() }
        inFlight.add(1, ordering: .sequentiallyConsistent)
        let result: Result<Answer, BlobError> = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(returning: Result(catching: work))
                // After the caller was woken: whoever sees 0 sees all answers delivered.
                self.inFlight.subtract(1, ordering: .sequentiallyConsistent)
            }
        }
        return try result.get()
    }

    /// As `run`, but returns at once: the caller asks for the answer when it needs it. What `work` holds lives as long
    /// as it takes, whether or not anybody asks.
    func begin<Answer: Sendable>(
        _ work: @escaping @Sendable () throws(BlobError) -> Answer
    ) -> DiskAnswer<Answer> {
        let answer = DiskAnswer<Answer>()
        if calls == .byCaller {
            answer.deliver(Result(catching: work))
            return answer
        }
        inFlight.add(1, ordering: .sequentiallyConsistent)
        queue.async {
            answer.deliver(Result(catching: work))
            self.inFlight.subtract(1, ordering: .sequentiallyConsistent)
        }
        return answer
    }
}

/// The answer of a call that runs already. One task may wait for it, once.
final class DiskAnswer<Answer: Sendable>: Sendable {
    private enum State {
        case running
        case awaited(CheckedContinuation<Result<Answer, BlobError>, Never>)
        case answered(Result<Answer, BlobError>)
        case taken
    }

    private let state = Mutex(State.running)

    fileprivate func deliver(_ result: Result<Answer, BlobError>) {
        let waiting = state.withLock { state -> CheckedContinuation<Result<Answer, BlobError>, Never>? in
            guard case .awaited(let continuation) = state else {
                state = .answered(result)
                return nil
            }
            state = .taken
            return continuation
        }
        waiting?.resume(returning: result)
    }

    /// Not cut short by cancellation: a disk cannot be told to stop.
    func value() async throws(BlobError) -> Answer {
        let result = await withCheckedContinuation { continuation in
            let known = state.withLock { state -> Result<Answer, BlobError>? in
                switch state {
                case .answered(let result):
                    state = .taken
                    return result
                case .running:
                    state = .awaited(continuation)
                    return nil
                case .awaited, .taken: preconditionFailure("an answer of the disk was asked for twice")
                }
            }
            if let known { continuation.resume(returning: known) }
        }
        return try result.get()
    }
}
