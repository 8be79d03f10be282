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

    /// Makes a call whose answer nobody waits for.
    func begin(_ work: @escaping @Sendable () -> Void) {
        if calls == .byCaller { return work() }
        inFlight.add(1, ordering: .sequentiallyConsistent)
        queue.async {
            work()
            self.inFlight.subtract(1, ordering: .sequentiallyConsistent)
        }
    }
}
