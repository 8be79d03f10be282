import Dispatch
import Synchronization

/// Hands chunks from the thread of a transfer to a task, a few at a time: the transfer waits while nobody takes them,
/// so memory does not grow with the body.
final class ChunkGate: Sendable {
    let chunks: AsyncStream<[UInt8]>
    private let continuation: AsyncStream<[UInt8]>.Continuation
    private let room: DispatchSemaphore
    private let isStopped = Atomic<Bool>(false)

    init(limit: Int) {
        // No more chunks are in it than there is room for, so nothing is dropped.
        (chunks, continuation) = AsyncStream.makeStream(of: [UInt8].self, bufferingPolicy: .bufferingOldest(limit))
        // Made empty and then filled: one that is let go of with less than it was made with ends the process, and a
        // transfer may break off while chunks are on their way.
        room = DispatchSemaphore(value: 0)
        for _ in 0..<limit { room.signal() }
    }

    /// Called by the transfer; waits for room. False when nobody wants more.
    func put(_ chunk: [UInt8]) -> Bool {
        while !isStopped.load(ordering: .relaxed) {
            if room.wait(timeout: .now() + .milliseconds(200)) == .success {
                continuation.yield(chunk)
                return true
            }
        }
        return false
    }

    /// A chunk was taken and is done with.
    func taken() { room.signal() }

    /// Nobody wants more.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// There is no more.
    func finish() { continuation.finish() }
}
