package import ClipModel
import Crypto
import Glibc

/// Bytes on their way to become a blob. Nothing is seen under the blob's name before `commit` has made all of it
/// durable.
///
/// Used by one task. A writer that is dropped without `commit` leaves nothing behind.
package final class BlobWriter {
    package private(set) var bytesWritten: Int64 = 0
    private let directory: BlobDirectory
    private let path: String
    private let limitBytes: Int64
    private var descriptor: Int32?
    private var hash = SHA256()
    private var nextFreeCheck: Int64

    init(directory: BlobDirectory, path: String, limitBytes: Int64) throws(BlobError) {
        self.directory = directory
        self.path = path
        self.limitBytes = limitBytes
        nextFreeCheck = directory.limits.freeCheckBytes
        descriptor = try Disk.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
    }

    deinit { discard() }

    /// Appends bytes: an array, a slice or a NIO buffer's view.
    package func write(_ bytes: some Sequence<UInt8>) throws(BlobError) {
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

    /// Makes the bytes durable and gives them their name. An earlier blob of that name is replaced in one step.
    package func commit(as name: BlobName) async throws(BlobError) -> BlobFacts {
        guard let descriptor else { throw BlobError(.broken, "this writer is closed already") }
        self.descriptor = nil
        let facts = BlobFacts(bytes: bytesWritten, sha256: hash.finalize().hexadecimal)
        let (directory, path) = (directory, path)
        try await directory.lane.run { () throws(BlobError) in
            defer { Disk.close(descriptor) }
            do throws(BlobError) {
                try Disk.sync(descriptor)
                try directory.place(path, as: name)
            } catch {
                _ = try? Disk.unlink(path)
                throw error
            }
        }
        return facts
    }

    /// Forgets the bytes. Harmless after `commit`.
    package func discard() {
        guard let open = descriptor else { return }
        descriptor = nil
        Disk.close(open)
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
                try directory.requireFreeSpace()
                nextFreeCheck = total + directory.limits.freeCheckBytes
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

extension SHA256.Digest {
    /// Lower-case, two characters a byte.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in self { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
