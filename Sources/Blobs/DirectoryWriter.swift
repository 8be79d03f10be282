import ClipModel
import Crypto
import Glibc

/// A blob on its way into a directory: a file of the scratch that gets its name at the end.
final class DirectoryWriter: BlobWriter {
    private(set) var bytesWritten: Int64 = 0
    private let directory: BlobDirectory
    private let name: BlobName
    private let condition: WriteCondition
    private let path: String
    private let limitBytes: Int64
    private var descriptor: Int32?
    private var hash = SHA256()
    private var nextFreeCheck: Int64
    /// How much of it stands under its name; nil: it is a file of the scratch.
    private var keptBytes: Int64?

    init(
        directory: BlobDirectory, name: BlobName, limitBytes: Int64, condition: WriteCondition = .always
    ) throws(BlobError) {
        self.directory = directory
        self.name = name
        self.condition = condition
        path = directory.room.freshPath("incoming")
        self.limitBytes = limitBytes
        nextFreeCheck = directory.room.limits.freeCheckBytes
        descriptor = try Disk.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
    }

    deinit { close() }

    func write(_ bytes: some Sequence<UInt8>) async throws(BlobError) { try append(bytes) }

    func append(_ bytes: some Sequence<UInt8>) throws(BlobError) {
        var outcome: Result<Void, BlobError> = .success(())
        let done: Void? = bytes.withContiguousStorageIfAvailable { buffer in
            // The buffer is valid inside this closure, and `append` keeps nothing of it.
            outcome = unsafe append(UnsafeRawBufferPointer(buffer))
        }
        if done == nil {
            unsafe Array(bytes).withUnsafeBytes { buffer in
                // As above.
                outcome = unsafe append(buffer)
            }
        }
        try outcome.get()
    }

    func checkpoint() async throws(BlobError) -> BlobFacts? {
        guard let descriptor else { throw BlobError(.broken, "this writer is closed already") }
        let facts = BlobFacts(bytes: bytesWritten, sha256: hash.finalize().hexadecimal)
        try await settle(descriptor)
        keptBytes = facts.bytes
        return facts
    }

    func commit() async throws(BlobError) -> BlobFacts {
        guard let descriptor else { throw BlobError(.broken, "this writer is closed already") }
        self.descriptor = nil
        let facts = BlobFacts(bytes: bytesWritten, sha256: hash.finalize().hexadecimal)
        defer { Disk.close(descriptor) }
        do throws(BlobError) { try await settle(descriptor) } catch {
            // What stands under its name by now counts, as far as it was kept.
            if keptBytes == nil { _ = try? Disk.unlink(path) }
            throw error
        }
        return facts
    }

    /// Makes what was written durable, under its name.
    private func settle(_ descriptor: Int32) async throws(BlobError) {
        let (directory, path, name, condition, isPlaced) = (directory, path, name, condition, keptBytes != nil)
        try await directory.lane.run { () throws(BlobError) in
            try Disk.sync(descriptor)
            if !isPlaced { try directory.place(path, as: name, if: condition) }
        }
    }

    func discard() async { close() }

    private func close() {
        guard let open = descriptor else { return }
        descriptor = nil
        defer { Disk.close(open) }
        if let keptBytes {
            // Longer than what counts it would be only a waste of room.
            _ = try? Disk.truncate(open, to: keptBytes)
            return
        }
        // The scratch of this process is swept as a whole, should this fail.
        _ = try? Disk.unlink(path)
    }

    private func append(_ buffer: UnsafeRawBufferPointer) -> Result<Void, BlobError> {
        guard let descriptor else { return .failure(BlobError(.broken, "this writer is closed already")) }
        let total = bytesWritten + Int64(buffer.count)
        guard total <= limitBytes else {
            return .failure(BlobError(.tooLarge, "more than the allowed \(limitBytes) bytes"))
        }
        do {
            if total >= nextFreeCheck {
                try directory.room.requireFreeSpace()
                nextFreeCheck = total + directory.room.limits.freeCheckBytes
            }
            // `write` and `update` only read the buffer, and only during the call.
            try unsafe Disk.write(descriptor, buffer)
            unsafe hash.update(bufferPointer: buffer)
        } catch {
            return .failure(error)
        }
        bytesWritten = total
        return .success(())
    }
}
