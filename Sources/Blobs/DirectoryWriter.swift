import ClipModel
import Glibc

/// A blob on its way into a directory: a file of the scratch that gets its name at the end.
final class DirectoryWriter: BlobWriter {
    private(set) var bytesWritten: Int64 = 0
    private let directory: BlobDirectory
    private let name: BlobName
    private let condition: WriteCondition
    private let path: String
    private let limitBytes: Int64
    private var file: OpenFile?
    /// Both go when the writer is closed: a file that nobody has open takes no room.
    private var feed: WriteBehind?
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
        feed = WriteBehind(to: file, on: directory.lane)
    }

    deinit { close() }

    func write(_ bytes: some Sequence<UInt8>) async throws(BlobError) {
        guard file != nil else { throw BlobError(.broken, "this writer is closed already") }
        // Only how long it is, nothing of what is there.
        let count = unsafe bytes.withContiguousStorageIfAvailable(\.count)
        guard let count else { return try await write(Array(bytes)) }
        let total = bytesWritten + Int64(count)
        guard total <= limitBytes else { throw BlobError(.tooLarge, "more than the allowed \(limitBytes) bytes") }
        if total >= nextFreeCheck {
            try directory.room.requireFreeSpace()
            nextFreeCheck = total + directory.room.limits.freeCheckBytes
        }
        bytesWritten = total
        try await feed?.append(bytes)
    }

    func checkpoint() async throws(BlobError) -> BlobFacts? {
        guard let file, let digest = try await feed?.flush() else {
            throw BlobError(.broken, "this writer is closed already")
        }
        let facts = BlobFacts(bytes: bytesWritten, sha256: digest.hexadecimal)
        try await settle(file)
        keptBytes = facts.bytes
        return facts
    }

    func commit() async throws(BlobError) -> BlobFacts {
        guard let file, var feed else { throw BlobError(.broken, "this writer is closed already") }
        (self.file, self.feed) = (nil, nil)
        do throws(BlobError) {
            let facts = BlobFacts(bytes: bytesWritten, sha256: try await feed.flush().hexadecimal)
            try await settle(file)
            return facts
        } catch {
            // What stands under its name by now counts, as far as it was kept.
            if keptBytes == nil { _ = try? Disk.unlink(path) }
            throw error
        }
    }

    /// Makes what was written durable, under its name.
    private func settle(_ file: OpenFile) async throws(BlobError) {
        let (directory, path, name, condition, isPlaced) = (directory, path, name, condition, keptBytes != nil)
        try await directory.lane.run { () throws(BlobError) in
            try Disk.sync(file.descriptor)
            if !isPlaced { try directory.place(path, as: name, if: condition) }
        }
    }

    func discard() async {
        guard file != nil else { return }
        // A batch that is on its way would make the file longer again.
        await feed?.abandon()
        close()
    }

    private func close() {
        guard let open = file else { return }
        (file, feed) = (nil, nil)
        if let keptBytes {
            // Longer than what counts it would be only a waste of room.
            _ = try? Disk.truncate(open.descriptor, to: keptBytes)
            return
        }
        // The scratch of this process is swept as a whole, should this fail.
        _ = try? Disk.unlink(path)
    }
}
