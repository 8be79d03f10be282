import Crypto

/// Writes a file and its SHA-256 on a thread of the disk, while the caller takes in what comes next.
///
/// One batch is on its way at a time, so the order is kept and memory stays at two batches. Used by one task.
struct WriteBehind {
    private enum State {
        /// With the hash of all that was written.
        case idle(SHA256)
        case writing(DiskAnswer<SHA256>)
        case failed(BlobError)
    }

    /// Large enough that handing over costs nothing beside hashing it, which takes a fifth of a millisecond.
    private static let batchBytes = 256 << 10

    private let file: OpenFile
    private let lane: DiskLane
    private var batch: [UInt8] = []
    private var state = State.idle(SHA256())

    init(to file: OpenFile, on lane: DiskLane) {
        self.file = file
        self.lane = lane
    }

    /// Takes the bytes; returns when there is room for more. What the disk refuses is told by a later call.
    mutating func append(_ bytes: some Sequence<UInt8>) async throws(BlobError) {
        batch.append(contentsOf: bytes)
        if batch.count >= Self.batchBytes { try await handOver() }
    }

    /// Waits until all was written; the SHA-256 of everything so far.
    mutating func flush() async throws(BlobError) -> SHA256.Digest {
        var hash = try await settled()
        do throws(BlobError) {
            // The last bytes are few, and nothing comes that could be taken in meanwhile.
            try Disk.write(file.descriptor, batch)
        } catch {
            state = .failed(error)
            throw error
        }
        hash.update(data: batch)
        batch.removeAll(keepingCapacity: true)
        state = .idle(hash)
        return hash.finalize()
    }

    /// Waits until nothing is on its way, and forgets the rest.
    mutating func abandon() async {
        batch = []
        // Whoever abandons a file does not ask how its last bytes fared.
        do throws(BlobError) { state = .idle(try await settled()) } catch { state = .failed(error) }
    }

    private mutating func handOver() async throws(BlobError) {
        let (hash, file, full) = (try await settled(), file, batch)
        batch = []
        batch.reserveCapacity(full.capacity)
        state = .writing(
            lane.begin { () throws(BlobError) in
                try Disk.write(file.descriptor, full)
                var hash = hash
                hash.update(data: full)
                return hash
            })
    }

    private mutating func settled() async throws(BlobError) -> SHA256 {
        switch state {
        case .idle(let hash): return hash
        case .failed(let error): throw error
        case .writing(let answer):
            do throws(BlobError) { return try await answer.value() } catch {
                state = .failed(error)
                throw error
            }
        }
    }
}
