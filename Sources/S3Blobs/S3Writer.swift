import Blobs
import ClipModel
import Crypto
import Glibc
import HTTPClient

/// A blob on its way into a bucket. Each part is a file of the scratch until it is full, then it is sent; a blob that
/// fits into one part is one request.
final class S3Writer: BlobWriter {
    private(set) var bytesWritten: Int64 = 0
    private let store: S3BlobStore
    private let name: BlobName
    private let limitBytes: Int64
    private let partBytes: Int64
    private let path: String
    private var file: OpenFile?
    private var fileBytes: Int64 = 0
    private var hash = SHA256()
    private var upload: S3Upload?
    private var parts: [S3Upload.Part] = []
    private var isOpen = true

    init(store: S3BlobStore, name: BlobName, limitBytes: Int64) throws(BlobError) {
        self.store = store
        self.name = name
        self.limitBytes = limitBytes
        partBytes = store.configuration.partBytes(upTo: limitBytes)
        path = store.room.freshPath("part")
        file = try OpenFile(creating: path)
    }

    // Whoever does not discard leaves an upload without end, which is swept with the others.
    deinit { removeFile() }

    func write(_ bytes: some Sequence<UInt8>) async throws(BlobError) {
        guard isOpen else { throw BlobError(.broken, "this writer is closed already") }
        let bytes = Array(bytes)
        guard bytesWritten + Int64(bytes.count) <= limitBytes else {
            throw BlobError(.tooLarge, "more than the allowed \(limitBytes) bytes")
        }
        hash.update(data: bytes)
        bytesWritten += Int64(bytes.count)
        var rest = bytes[...]
        while !rest.isEmpty {
            // Sent only when more comes: the last part may be short, and a single one is no upload in parts.
            if fileBytes == partBytes { try await sendPart() }
            let piece = rest.prefix(Int(clamping: partBytes - fileBytes))
            guard let file else { throw BlobError(.broken, "this writer is closed already") }
            try file.write(Array(piece), at: fileBytes)
            fileBytes += Int64(piece.count)
            rest = rest.dropFirst(piece.count)
        }
    }

    func commit() async throws(BlobError) -> BlobFacts {
        guard isOpen else { throw BlobError(.broken, "this writer is closed already") }
        isOpen = false
        defer { removeFile() }
        let digest = hash.finalize()
        let facts = BlobFacts(bytes: bytesWritten, sha256: digest.hexadecimal)
        let slice = HTTPRequest.FileSlice(path: path, range: 0..<fileBytes)
        do throws(S3Trouble) {
            if let upload {
                parts.append(try await store.sendPart(parts.count + 1, slice, of: upload))
                _ = try await store.complete(upload, parts)
            } else {
                // One part is the whole, so its digest is that of the blob.
                _ = try await store.putObject(
                    store.key(of: name), .file(slice, sha256: digest), sha256: facts.sha256)
            }
        } catch {
            if let upload { await store.abandon(upload) }
            throw error.blobError
        }
        return facts
    }

    func discard() async {
        guard isOpen else { return }
        isOpen = false
        removeFile()
        if let upload { await store.abandon(upload) }
    }

    private func sendPart() async throws(BlobError) {
        try store.room.requireFreeSpace()
        do throws(S3Trouble) {
            let current: S3Upload
            if let upload {
                current = upload
            } else {
                current = try await store.beginUpload(store.key(of: name), sha256: nil)
                upload = current
            }
            let slice = HTTPRequest.FileSlice(path: path, range: 0..<fileBytes)
            parts.append(try await store.sendPart(parts.count + 1, slice, of: current))
        } catch { throw error.blobError }
        // The next part writes over this one; what is longer than it is not sent.
        fileBytes = 0
    }

    private func removeFile() {
        guard file != nil else { return }
        file = nil
        // The scratch of this process is swept as a whole, should this fail. The string lives for the length of the
        // call.
        unsafe _ = unlink(path)
    }
}
