package import Blobs
package import ClipModel
import Crypto
import Foundation

extension S3BlobStore {
    package func remove(_ names: [BlobName]) async throws(BlobError) {
        var rest = names[...]
        do throws(S3Trouble) {
            // One is removed by a request that every service knows.
            if let only = rest.first, rest.count == 1 { return try await remove(only) }
            while !rest.isEmpty {
                try await remove(batch: Array(rest.prefix(S3Configuration.keysMax)))
                rest = rest.dropFirst(S3Configuration.keysMax)
            }
        } catch { throw error.blobError }
    }

    private func remove(_ name: BlobName) async throws(S3Trouble) {
        do throws(S3Trouble) {
            _ = try await client.send(S3Client.Request(method: "DELETE", key: key(of: name)))
        } catch { if error.kind != .missing { throw error } }
    }

    private func remove(batch: [BlobName]) async throws(S3Trouble) {
        let keys = batch.map { "<Object><Key>\(S3Document.escaped(key(of: $0)))</Key></Object>" }.joined()
        let body = Array(
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>\(keys)</Delete>".utf8)
        // Older services ask for this digest here and know no other.
        let digest = Data(Insecure.MD5.hash(data: body)).base64EncodedString()
        let answer = try await client.send(
            S3Client.Request(
                method: "POST", query: [("delete", "")], headers: [("content-md5", digest)], body: .bytes(body)))
        let failed = answer.document?.all("Error").filter { $0["Code"] != "NoSuchKey" } ?? []
        guard let first = failed.first else { return }
        throw S3Trouble(
            first["Code"] == "AccessDenied" ? .denied : .service, code: first["Code"] ?? "",
            "\(failed.count) of \(batch.count) objects were not removed: \(first["Message"] ?? "no reason given")")
    }

    package func list(
        under prefix: BlobName?, after: BlobName?, limit: Int
    ) async throws(BlobError) -> [ListedBlob] {
        let start = keyPrefix + (prefix.map { $0.rawValue + "/" } ?? "")
        var query = [("prefix", start)]
        if let after { query.append(("start-after", key(of: after))) }
        var found: [ListedBlob] = []
        do throws(S3Trouble) {
            try await pages(query, limit: limit) { page in
                for object in page.all("Contents") where found.count < limit {
                    // Objects of others, whose names no blob could have, are none of ours.
                    guard let key = object["Key"], key.hasPrefix(keyPrefix),
                        let name = BlobName(String(key.dropFirst(keyPrefix.count))),
                        let bytes = object["Size"].flatMap({ Int64($0) }),
                        let changed = object["LastModified"].flatMap({ Timestamp($0) })
                    else { continue }
                    found.append(ListedBlob(name: name, bytes: bytes, changedAt: changed))
                }
                return found.count < limit
            }
        } catch { throw error.blobError }
        return found
    }

    package func directories(
        under prefix: BlobName, after: String?, limit: Int
    ) async throws(BlobError) -> [String] {
        let start = key(of: prefix) + "/"
        var query = [("prefix", start), ("delimiter", "/")]
        // Behind all that can stand in it: a directory is named again for every key in it that is not yet passed. Not
        // "name0", the first key behind it: SeaweedFS then leaves the directory "name0" out, and those of "name-".
        if let after { query.append(("start-after", start + after + "/~")) }
        var names: [String] = []
        do throws(S3Trouble) {
            try await pages(query, limit: limit) { page in
                for common in page.all("CommonPrefixes") where names.count < limit {
                    guard let key = common["Prefix"], key.hasPrefix(start) else { continue }
                    let name = String(key.dropFirst(start.count).dropLast())
                    if name != after { names.append(name) }
                }
                return names.count < limit
            }
        } catch { throw error.blobError }
        return names
    }

    /// Pages of a listing, until there are no more or `take` has enough.
    private func pages(
        _ query: [(String, String)], limit: Int, _ take: (S3Document) -> Bool
    ) async throws(S3Trouble) {
        var token: String?
        repeat {
            var query = query + [("list-type", "2"), ("max-keys", "\(min(max(limit, 1), S3Configuration.keysMax))")]
            if let token { query.append(("continuation-token", token)) }
            let answer = try await client.send(S3Client.Request(method: "GET", query: query))
            guard let page = answer.document, page.name == "ListBucketResult" else {
                throw S3Trouble(.refused, "the service answered something that is no listing")
            }
            guard take(page), page["IsTruncated"] == "true" else { return }
            token = page["NextContinuationToken"]
        } while token != nil
    }

    /// Uploads in parts that nobody ended, for as long as one may take, and the scratch of dead processes.
    @discardableResult package func sweep() async throws(BlobError) -> Int {
        var swept = try await room.sweepScratch()
        do throws(S3Trouble) {
            try await settleLifecycle()
            for upload in try await staleUploads() {
                await abandon(upload)
                swept += 1
            }
        } catch { throw error.blobError }
        return swept
    }

    /// All that blobs stand under: parts of uploads, uploads, what stages made, what was put away, marks of nodes, and
    /// what benchmarks use. In a bucket without a prefix everything else may be another's.
    static let roots: Set<String> = ["parts", "uploads", "results", "quarantine", "cluster", "bench"]

    private func isOurs(_ key: String) -> Bool {
        guard key.hasPrefix(keyPrefix) else { return false }
        let path = key.dropFirst(keyPrefix.count)
        guard let slash = path.firstIndex(of: "/") else { return false }
        return Self.roots.contains(String(path[..<slash]))
    }

    private func staleUploads() async throws(S3Trouble) -> [S3Upload] {
        let oldest = client.now().advanced(bySeconds: -Double(configuration.staleSeconds))
        var found: [S3Upload] = []
        var marker: [(String, String)] = []
        repeat {
            let answer = try await client.send(
                S3Client.Request(method: "GET", query: [("uploads", ""), ("prefix", keyPrefix)] + marker))
            guard let page = answer.document else { return found }
            for upload in page.all("Upload") {
                guard let key = upload["Key"], isOurs(key), let id = upload["UploadId"],
                    let begun = upload["Initiated"].flatMap({ Timestamp($0) }), begun <= oldest
                else { continue }
                found.append(S3Upload(key: key, id: id, write: ""))
            }
            marker = []
            if page["IsTruncated"] == "true", let key = page["NextKeyMarker"] {
                marker = [("key-marker", key), ("upload-id-marker", page["NextUploadIdMarker"] ?? "")]
            }
        } while !marker.isEmpty
        return found
    }
}
