package import Blobs
package import ClipModel
import Crypto
import Foundation
import HTTPClient

/// Blobs as the objects of a bucket: `<prefix>/<name>`.
///
/// What tools read is copied to this machine, into a cache with a bound, and compared with the SHA-256 that stands in
/// the object's metadata. A blob that arrives piece by piece goes on in parts, each of which is a file of the scratch
/// while it grows: memory holds a few blocks of it, whatever its length.
package struct S3BlobStore: BlobStore {
    package let room: LocalRoom
    package var keepsCopies: Bool { true }
    let client: S3Client
    let cache: LocalCache
    let lifecycle: S3Lifecycle
    var configuration: S3Configuration { client.configuration }

    /// SHA-256 of the whole object, where it was known before the first byte was sent.
    static let digestHeader = "x-amz-meta-sha256"
    /// Drawn for each write: tells our object from another's when the answer to the write was lost.
    static let writeHeader = "x-amz-meta-write"

    package init(client: S3Client, room: LocalRoom, cacheBytesMax: Int64) throws(BlobError) {
        self.client = client
        self.room = room
        cache = try LocalCache(in: room, limitBytes: cacheBytesMax)
        lifecycle = S3Lifecycle()
    }

    private init(_ other: S3BlobStore, client: S3Client) {
        self.client = client
        room = other.room
        cache = other.cache
        lifecycle = other.lifecycle
    }

    /// The same store for others, who wait no longer than this for a service that does not answer. They have
    /// so many requests of their own: neither a burst of downloads nor of work holds up the other.
    package func another(patience: Duration, requestsMax: Int) -> S3BlobStore {
        S3BlobStore(self, client: client.another(patience: patience, requestsMax: requestsMax))
    }

    package func size(of name: BlobName) async throws(BlobError) -> Int64? { try await head(name)?.bytes }

    package func read(
        _ name: BlobName, range: Range<Int64>, chunkBytes: Int?
    ) async throws(BlobError) -> BlobReader {
        guard let object = try await head(name) else { throw .missing(name) }
        guard range.lowerBound >= 0, range.upperBound <= object.bytes else {
            throw BlobError(.rangeInvalid, "\(range) does not lie inside the \(object.bytes) bytes of \(name)")
        }
        let (client, key) = (client, key(of: name))
        let block = chunkBytes ?? configuration.readBytes
        return BlobReader(range: range, chunkBytes: block) { offset, limit in
            let answer: S3Client.Answer
            do throws(S3Trouble) {
                answer = try await client.send(
                    S3Client.Request(
                        method: "GET", key: key,
                        headers: [
                            ("Range", "bytes=\(offset)-\(offset + Int64(limit) - 1)"), ("If-Match", object.tag),
                        ]))
            } catch {
                // The name has another object now, or none: what was promised is gone.
                if error.kind == .exists { throw BlobError(.missing, "\(name) was replaced while it was read") }
                throw error.blobError
            }
            guard answer.status == 206, answer.body.count <= limit else {
                throw BlobError(.broken, "S3: the service does not send the ranges that it is asked for")
            }
            return answer.body
        }
    }

    package func localFile(
        of name: BlobName, sha256: String?, in scratch: String
    ) async throws(BlobError) -> String {
        guard let object = try await head(name) else { throw .missing(name) }
        let entry = LocalCache.Entry(
            name: name, version: object.tag, bytes: object.bytes, sha256: sha256 ?? object.sha256)
        do {
            return try await cache.file(entry, in: scratch) { path in
                try await fetch(key(of: name), object, to: path)
            }
        } catch let error as BlobError { throw error } catch {
            throw BlobError(.unavailable, "\(error)")
        }
    }

    package func downloadLink(of name: BlobName, _ terms: DownloadTerms) async throws(BlobError) -> String? {
        guard configuration.redirectsDownloads else { return nil }
        // A link to nothing would be found out about far from here.
        guard try await head(name) != nil else { throw .missing(name) }
        let query = [
            ("response-content-type", terms.contentType), ("response-content-disposition", terms.disposition),
        ]
        do { return try await client.link(key(of: name), query: query) } catch { throw error.blobError }
    }

    struct Object: Sendable {
        let bytes: Int64
        /// ETag, with its quotes.
        let tag: String
        let sha256: String?
        let write: String?
    }

    func head(_ name: BlobName) async throws(BlobError) -> Object? {
        do throws(S3Trouble) {
            return try await head(key: key(of: name))
        } catch { throw error.blobError }
    }

    func head(key: String) async throws(S3Trouble) -> Object? {
        do throws(S3Trouble) {
            let headers = try await client.send(S3Client.Request(method: "HEAD", key: key)).headers
            guard let bytes = headers["content-length"].flatMap({ Int64($0) }), let tag = headers["etag"] else {
                throw S3Trouble(.refused, "an object without Content-Length or ETag")
            }
            return Object(bytes: bytes, tag: tag, sha256: headers[Self.digestHeader], write: headers[Self.writeHeader])
        } catch {
            if error.kind == .missing { return nil }
            throw error
        }
    }

    /// Copies an object into a new file, some ranges at a time.
    private func fetch(_ key: String, _ object: Object, to path: String) async throws {
        let file = try OpenFile(creating: path)
        let ranges = S3Ranges(bytes: object.bytes, eachBytes: configuration.partBytes)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                var running = 0
                for range in ranges {
                    if running == configuration.fetchParallel {
                        _ = try await group.next()
                        running -= 1
                    }
                    running += 1
                    group.addTask {
                        try await client.stream(key, range: range, tag: object.tag) {
                            (offset, bytes) throws(BlobError) in
                            try file.write(bytes, at: offset)
                        }
                    }
                }
                try await group.waitForAll()
            }
        } catch {
            guard let trouble = error as? S3Trouble else { throw error }
            throw trouble.kind == .exists
                ? BlobError(.missing, "the object was replaced while it was read") : trouble.blobError
        }
    }

    func key(of name: BlobName) -> String { keyPrefix + name.rawValue }

    /// With its slash.
    var keyPrefix: String { configuration.prefix.isEmpty ? "" : configuration.prefix + "/" }

    /// Sixteen characters that nobody else draws.
    func nonce() -> String {
        let draws = (0..<4).map { _ in UInt16(client.chance() * 65536) }
        return draws.map { String(0x1_0000 + Int($0), radix: 16).dropFirst() }.joined()
    }
}

/// Consecutive ranges of so many bytes each, the last one shorter.
struct S3Ranges: Sequence, Sendable {
    let bytes: Int64
    let eachBytes: Int64

    func makeIterator() -> AnyIterator<Range<Int64>> {
        var offset: Int64 = 0
        return AnyIterator {
            guard offset < bytes else { return nil }
            defer { offset += eachBytes }
            return offset..<Swift.min(offset + eachBytes, bytes)
        }
    }
}
