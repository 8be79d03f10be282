package import Blobs
package import ClipModel

/// S3 has no renaming: an object is copied inside the service, no byte of it comes here, and the first one is removed.
extension S3BlobStore {
    /// The first name goes only when all bytes stand under the other one, so that whoever is cut off in between begins
    /// again: copying twice is harmless.
    package func move(_ name: BlobName, to other: BlobName) async throws(BlobError) {
        // S3 would refuse the copy, and the removal would be of the only object.
        guard name != other else { return }
        try await copy(name, to: other)
        try await remove([name])
        // Nothing opens it under this name any more; what is put away does not stay on this disk.
        try await cache.drop(name)
    }

    package func copy(_ name: BlobName, to other: BlobName) async throws(BlobError) {
        guard name != other else { return }
        do throws(S3Trouble) {
            guard let object = try await head(key: key(of: name)) else { return }
            try await copy(object, from: key(of: name), to: key(of: other))
        } catch { throw error.blobError }
    }

    private func copy(_ object: Object, from source: String, to target: String) async throws(S3Trouble) {
        do throws(S3Trouble) {
            if object.bytes <= configuration.copyBytes {
                try await copyWhole(from: source, to: target)
            } else {
                try await copyInParts(object, from: source, to: target)
            }
        } catch {
            // Another who moves the same may have ended before us.
            guard error.kind == .missing, try await head(key: source) == nil else { throw error }
            return
        }
        guard let copy = try await head(key: target), copy.bytes == object.bytes else {
            throw S3Trouble(.corrupt, "the service says that it copied \(source), and did not")
        }
    }

    /// With its metadata; encryption is asked for anew, because it is no part of what is copied.
    private func copyWhole(from source: String, to target: String) async throws(S3Trouble) {
        _ = try await client.send(
            S3Client.Request(
                method: "PUT", key: target,
                headers: configuration.headersOfWrites + [("x-amz-copy-source", copySource(source))]))
    }

    private func copyInParts(_ object: Object, from source: String, to target: String) async throws(S3Trouble) {
        // Nobody here reads the bytes, so no checksum of a part can go along.
        let upload = try await beginUpload(target, sha256: object.sha256, withChecksums: false)
        do throws(S3Trouble) {
            let eachBytes = max(configuration.copyBytes, object.bytes / (S3Configuration.partsMax - 1) + 1)
            let parts = try await parts(S3Ranges(bytes: object.bytes, eachBytes: eachBytes)) { number, range in
                try await copyPart(number, range, of: source, tag: object.tag, upload)
            }
            _ = try await complete(upload, parts)
        } catch {
            await abandon(upload)
            throw error
        }
    }

    private func copyPart(
        _ number: Int, _ range: Range<Int64>, of source: String, tag: String, _ upload: S3Upload
    ) async throws(S3Trouble) -> S3Upload.Part {
        let answer = try await client.send(
            S3Client.Request(
                method: "PUT", key: upload.key, query: [("partNumber", "\(number)"), ("uploadId", upload.id)],
                headers: [
                    ("x-amz-copy-source", copySource(source)), ("x-amz-copy-source-if-match", tag),
                    ("x-amz-copy-source-range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"),
                ]))
        guard let tag = answer.document?["ETag"] else { throw S3Trouble(.refused, "a copied part without an ETag") }
        return S3Upload.Part(number: number, tag: tag, sha256: "")
    }

    private func copySource(_ key: String) -> String {
        SignatureV4.encoded(path: "/\(configuration.bucket)/\(key)")
    }
}
