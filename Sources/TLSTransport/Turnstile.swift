import NIOCore

/// Lets connections that have more than one block to write pass one after another, each with a rest as long as the work
/// of the one before. One for each event loop.
///
/// An event loop of NIO runs its tasks until none is left and only then asks the kernel what has come. Were a block to
/// be followed by the next one through `execute`, a stream whose sender keeps up would keep the loop from all its other
/// sockets for as long as it runs: we measured 50 ms. And a thread that never sleeps has no claim to a core when it
/// wakes: on a machine whose cores are all busy, a call that shared its loop with a stream waited 20 to 30 ms in its
/// slowest hundredth. With the rest it is 1.5 ms, and the stream keeps 600 to 1,200 MB/s.
final class Turnstile {
    private let loop: any EventLoop
    private var waiting = CircularBuffer<PeerHandler>()
    private var isOpening = false

    init(_ loop: any EventLoop) { self.loop = loop }

    /// `handler` is flushed once more when its turn has come. `work` is how long its last block took.
    func queue(_ handler: PeerHandler, after work: TimeAmount) {
        waiting.append(handler)
        open(after: work)
    }

    /// A timer, because it is what lets the loop look at its sockets first.
    private func open(after work: TimeAmount) {
        guard !waiting.isEmpty, !isOpening else { return }
        isOpening = true
        loop.assumeIsolated().scheduleTask(in: max(work, .microseconds(1))) {
            self.isOpening = false
            guard let next = self.waiting.popFirst() else { return }
            let start = NIODeadline.now()
            next.flush()
            // Whoever flushed has queued again if it has more; this is for the others.
            self.open(after: .now() - start)
        }
    }
}
