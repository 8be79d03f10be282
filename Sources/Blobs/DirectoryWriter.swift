import ClipModel

/// A blob on its way into a directory: a file of the scratch that gets its name at the end.
final class DirectoryWriter: BlobWriter {
    private(set) var bytesWritten: Int64 = 0
    private let directory: BlobDirectory
    private let name: BlobName
    private let condition: WriteCondition
    private let path: String
    private let limitBytes: Int64
    private var file: OpenFile?
    /// Nil together with the file.
    private var digest: TrailingDigest?
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
        let file = try OpenFile(creating: path)
        self.file = file
        digest = TrailingDigest(of: file, on: directory.lane)
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
        guard let file, let digest else { throw BlobError(.broken, "this writer is closed already") }
        let facts = try await settle(file, digest)
        keptBytes = facts.bytes
        return facts
    }

    func commit() async throws(BlobError) -> BlobFacts {
        guard let file, let digest else { throw BlobError(.broken, "this writer is closed already") }
        (self.file, self.digest) = (nil, nil)
        do throws(BlobError) { return try await settle(file, digest) } catch {
            // What stands under its name by now counts, as far as it was kept.
            if keptBytes == nil { _ = try? Disk.unlink(path) }
            throw error
        }
    }

    /// Makes what was written durable, under its name.
    private func settle(_ file: OpenFile, _ digest: TrailingDigest) async throws(BlobError) -> BlobFacts {
        let (directory, path, name, condition, isPlaced) = (directory, path, name, condition, keptBytes != nil)
        let bytes = bytesWritten
        return try await directory.lane.run { () throws(BlobError) in
            let facts = try digest.facts(upTo: bytes)
            try Disk.sync(file.descriptor)
            if !isPlaced { try directory.place(path, as: name, if: condition) }
            return facts
        }
    }

    func discard() async { close() }

    private func close() {
        guard let open = file else { return }
        (file, digest) = (nil, nil)
        // What is still being digested is held open for a while, and would take up room although nobody wants it: all
        // that is not kept is cut off at once.
        _ = try? Disk.truncate(open.descriptor, to: keptBytes ?? 0)
        guard keptBytes == nil else { return }
        // The scratch of this process is swept as a whole, should this fail.
        _ = try? Disk.unlink(path)
    }

    private func append(_ buffer: UnsafeRawBufferPointer) -> Result<Void, BlobError> {
        guard let file else { return .failure(BlobError(.broken, "this writer is closed already")) }
        let total = bytesWritten + Int64(buffer.count)
        guard total <= limitBytes else {
            return .failure(BlobError(.tooLarge, "more than the allowed \(limitBytes) bytes"))
        }
        do {
            if total >= nextFreeCheck {
                try directory.room.requireFreeSpace()
                nextFreeCheck = total + directory.room.limits.freeCheckBytes
            }
            // `write` only reads the buffer, and only during the call.
            try unsafe Disk.write(file.descriptor, buffer)
        } catch {
            return .failure(error)
        }
        bytesWritten = total
        digest?.wrote(upTo: total)
        return .success(())
    }
}
