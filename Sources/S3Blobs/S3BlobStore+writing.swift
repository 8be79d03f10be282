package import Blobs
package import ClipModel
import Crypto
import Foundation
import HTTPClient
import Logging

extension S3BlobStore {
    package func writer(for name: BlobName, limitBytes: Int64) async throws(BlobError) -> any BlobWriter {
        try room.requireFreeSpace()
        return try S3Writer(store: self, name: name, limitBytes: limitBytes)
    }

    package func put(
        _ bytes: [UInt8], as name: BlobName, if condition: WriteCondition
    ) async throws(BlobError) -> BlobFacts {
        let facts = BlobFacts(bytes: Int64(bytes.count), sha256: SHA256.hash(data: bytes).hexadecimal)
        do throws(S3Trouble) {
            _ = try await putObject(key(of: name), .bytes(bytes), sha256: facts.sha256, if: condition)
        } catch { throw error.blobError }
        return facts
    }

    /// Sends the file, in parts at once where it is large, and keeps it for the stages to come.
    package func adopt(fileAt path: String, as name: BlobName) async throws(BlobError) -> BlobFacts {
        let facts = try await room.lane.run { () throws(BlobError) in try OpenFile(path).digest() }
        let tag: String
        do throws(S3Trouble) {
            tag = try await send(path, facts, to: key(of: name))
        } catch { throw error.blobError }
        await cache.keep(
            path, as: LocalCache.Entry(name: name, version: tag, bytes: facts.bytes, sha256: facts.sha256))
        return facts
    }

    // MARK: One object

    /// Returns its tag.
    func putObject(
        _ key: String, _ body: S3Client.Body, sha256: String?, if condition: WriteCondition = .always
    ) async throws(S3Trouble) -> String {
        let write = nonce()
        var headers = configuration.headersOfWrites + [(Self.writeHeader, write)]
        if let sha256 { headers.append((Self.digestHeader, sha256)) }
        if condition == .absent { headers.append(("If-None-Match", "*")) }
        let request = S3Client.Request(method: "PUT", key: key, headers: headers, body: body)
        do throws(S3Trouble) {
            return try await client.send(request).headers["etag"] ?? ""
        } catch {
            // A try whose answer was lost may have succeeded, and then stands in our own way. Not every such try is
            // seen here: libcurl sends again by itself where a connection that rested had died. The word tells.
            guard error.kind == .exists, let object = try await head(key: key), object.write == write
            else { throw error }
            return object.tag
        }
    }

    private func send(_ path: String, _ facts: BlobFacts, to key: String) async throws(S3Trouble) -> String {
        let partBytes = configuration.partBytes(upTo: facts.bytes)
        guard facts.bytes > partBytes else {
            let slice = HTTPRequest.FileSlice(path: path, range: 0..<facts.bytes)
            let digest = try await digest(of: slice)
            return try await putObject(key, .file(slice, sha256: digest), sha256: facts.sha256)
        }
        let upload = try await beginUpload(key, sha256: facts.sha256)
        do throws(S3Trouble) {
            let parts = try await sendParts(of: path, S3Ranges(bytes: facts.bytes, eachBytes: partBytes), upload)
            return try await complete(upload, parts)
        } catch {
            await abandon(upload)
            throw error
        }
    }

    private func sendParts(
        of path: String, _ ranges: S3Ranges, _ upload: S3Upload
    ) async throws(S3Trouble) -> [S3Upload.Part] {
        try await parts(ranges) { number, range in
            try await sendPart(number, HTTPRequest.FileSlice(path: path, range: range), of: upload)
        }
    }

    /// Makes the parts of an upload, some at a time.
    func parts(
        _ ranges: S3Ranges,
        _ make: @escaping @Sendable (_ number: Int, _ range: Range<Int64>) async throws -> S3Upload.Part
    ) async throws(S3Trouble) -> [S3Upload.Part] {
        do {
            return try await withThrowingTaskGroup(of: S3Upload.Part.self) { group in
                var parts: [S3Upload.Part] = []
                for (index, range) in ranges.enumerated() {
                    if index >= configuration.fetchParallel, let part = try await group.next() { parts.append(part) }
                    group.addTask { try await make(index + 1, range) }
                }
                while let part = try await group.next() { parts.append(part) }
                return parts.sorted { $0.number < $1.number }
            }
        } catch { throw error as? S3Trouble ?? S3Trouble(.cancelled, "cancelled") }
    }

    // MARK: Objects in parts

    func beginUpload(
        _ key: String, sha256: String?, withChecksums: Bool? = nil
    ) async throws(S3Trouble) -> S3Upload {
        let withChecksums = withChecksums ?? configuration.sendsChecksums
        let write = nonce()
        var headers = configuration.headersOfWrites + [(Self.writeHeader, write)]
        if let sha256 { headers.append((Self.digestHeader, sha256)) }
        if withChecksums { headers.append(("x-amz-checksum-algorithm", "SHA256")) }
        let answer = try await client.send(
            S3Client.Request(method: "POST", key: key, query: [("uploads", "")], headers: headers))
        guard let id = answer.document?["UploadId"], !id.isEmpty else {
            throw S3Trouble(.refused, "an upload without an id")
        }
        return S3Upload(key: key, id: id, write: write, withChecksums: withChecksums)
    }

    /// Of a part that is sent twice, the last counts; both are the same.
    func sendPart(
        _ number: Int, _ slice: HTTPRequest.FileSlice, of upload: S3Upload
    ) async throws(S3Trouble) -> S3Upload.Part {
        let digest = try await digest(of: slice)
        let answer = try await client.send(
            S3Client.Request(
                method: "PUT", key: upload.key,
                query: [("partNumber", "\(number)"), ("uploadId", upload.id)],
                body: .file(slice, sha256: digest)))
        guard let tag = answer.headers["etag"] else { throw S3Trouble(.refused, "a part without an ETag") }
        return S3Upload.Part(number: number, tag: tag, sha256: Data(digest).base64EncodedString())
    }

    /// Returns the object's tag.
    func complete(_ upload: S3Upload, _ parts: [S3Upload.Part]) async throws(S3Trouble) -> String {
        let request = S3Client.Request(
            method: "POST", key: upload.key, query: [("uploadId", upload.id)],
            body: .bytes(Array(upload.completion(of: parts).utf8)))
        do throws(S3Trouble) {
            if let tag = try await client.send(request).document?["ETag"] { return tag }
        } catch {
            // An earlier try may have completed it, also one that only libcurl knows of; then there is no such upload
            // any more.
            guard error.kind == .missing else { throw error }
        }
        guard let object = try await head(key: upload.key), object.write == upload.write else {
            throw S3Trouble(.missing, code: "NoSuchUpload", "the upload is gone, and the object is not ours")
        }
        return object.tag
    }

    /// What cannot be abandoned now is found by `sweep`.
    func abandon(_ upload: S3Upload) async {
        do throws(S3Trouble) {
            _ = try await client.send(
                S3Client.Request(method: "DELETE", key: upload.key, query: [("uploadId", upload.id)]))
        } catch {
            client.logger.debug("an upload is left to the sweeper", metadata: ["trouble": "\(error)"])
        }
    }

    private func digest(of slice: HTTPRequest.FileSlice) async throws(S3Trouble) -> SHA256.Digest {
        do {
            return try await room.lane.run { () throws(BlobError) in
                try OpenFile(slice.path).digest(of: slice.range)
            }
        } catch { throw S3Trouble(.disk(error), error.detail) }
    }
}

/// An object that is sent in parts.
struct S3Upload: Sendable, Hashable {
    let key: String
    let id: String
    let write: String
    /// Whether SHA-256 goes along with its parts.
    var withChecksums = false

    struct Part: Sendable, Hashable {
        let number: Int
        let tag: String
        /// In base 64; empty where none goes along.
        let sha256: String
    }

    func completion(of parts: [Part]) -> String {
        let lines = parts.map { part in
            let checksum = withChecksums ? "<ChecksumSHA256>\(part.sha256)</ChecksumSHA256>" : ""
            return "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(S3Document.escaped(part.tag))</ETag>"
                + "\(checksum)</Part>"
        }
        return "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(lines.joined())"
            + "</CompleteMultipartUpload>"
    }
}
