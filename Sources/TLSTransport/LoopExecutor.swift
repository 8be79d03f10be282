import NIOCore

/// Runs Swift tasks on an event loop.
///
/// A task that reads a connection on the connection's own loop is resumed where the bytes were decrypted, and what it
/// sends is flushed at the end of the same turn: two changes of thread less each way. Such a task must not compute for
/// long, because all connections of the loop wait for it.
package final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // Run once, as the contract of an executor asks; the loop keeps `self` alive until then.
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
