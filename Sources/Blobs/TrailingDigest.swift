import ClipModel
import Crypto
import Synchronization

/// The SHA-256 of a file that is being written, computed on another thread a step behind the writer: who uploads waits
/// for the next bytes, not for the digest of the last ones.
///
/// What was written is read back, mostly out of the processor's cache. So no bytes are kept for it, however far it
/// falls behind.
final class TrailingDigest: Sendable {
    private struct Progress {
        var hash = SHA256()
        var bytes: Int64 = 0
    }

    /// How far the writer is ahead when a thread sets out after it.
    static let stepBytes: Int64 = 1 << 20
    /// What is read in one turn on a thread. Others wait there, to make their bytes durable: a writer that is always
    /// ahead must not keep it.
    private static let turnBytes: Int64 = 4 << 20
    /// What is read at once: small enough for the cache of one core.
    private static let blockBytes = 256 << 10

    private let file: OpenFile
    private let lane: DiskLane
    private let written = Atomic<Int64>(0)
    private let digested = Atomic<Int64>(0)
    private let isRunning = Atomic(false)
    private let progress = Mutex(Progress())

    init(of file: OpenFile, on lane: DiskLane) {
        self.file = file
        self.lane = lane
    }

    /// The file has that many bytes by now.
    func wrote(upTo end: Int64) {
        written.store(end, ordering: .releasing)
        guard end - digested.load(ordering: .relaxed) >= Self.stepBytes,
            !isRunning.exchange(true, ordering: .acquiringAndReleasing)
        else { return }
        lane.begin { [self] in
            progress.withLock { progress in
                let turnEnd = progress.bytes + Self.turnBytes
                // What cannot be read now is asked for again, and told of, when the digest is wanted. What is left
                // over is for the turn that the next write asks for.
                _ = try? read(into: &progress) { min(turnEnd, written.load(ordering: .acquiring)) }
            }
            isRunning.store(false, ordering: .releasing)
        }
    }

    /// Length and digest of the first `end` bytes, which are never less than those asked for before. Blocks.
    func facts(upTo end: Int64) throws(BlobError) -> BlobFacts {
        try progress.withLock { progress throws(BlobError) in
            try read(into: &progress) { end }
            guard progress.bytes == end else {
                throw BlobError(.broken, "\(progress.bytes) bytes were digested where \(end) were asked for")
            }
            return BlobFacts(bytes: end, sha256: progress.hash.finalize().hexadecimal)
        }
    }

    /// - Parameter end: asked after each block, since the writer goes on.
    private func read(into progress: inout Progress, to end: () -> Int64) throws(BlobError) {
        guard progress.bytes < end() else { return }
        var block = [UInt8](repeating: 0, count: Self.blockBytes)
        while true {
            let rest = end() - progress.bytes
            guard rest > 0 else { return }
            let count = try Disk.read(
                file.descriptor, at: progress.bytes, into: &block, limit: Int(min(rest, Int64(block.count))))
            guard count > 0 else { throw BlobError(.broken, "the file ended after \(progress.bytes) bytes") }
            progress.hash.update(data: block[..<count])
            progress.bytes += Int64(count)
            digested.store(progress.bytes, ordering: .relaxed)
        }
    }
}
