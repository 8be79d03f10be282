import Blobs
import Foundation
import Testing

@testable import S3Blobs

/// What is asked of the bucket itself, and of how objects rest in it.
@Suite struct BucketTests {
    private let root: TemporaryDirectory
    init() throws { root = try TemporaryDirectory() }

    private func store(
        _ server: S3Server, bucket: String, prefix: String, sets: Bool = true
    ) throws -> S3BlobStore {
        try server.store(in: root) { configuration in
            configuration.bucket = bucket
            configuration.prefix = prefix
            configuration.setsLifecycle = sets
            configuration.staleSeconds = 86_401
        }
    }

    private func rules(_ blobs: S3BlobStore) async throws -> [S3Document]? {
        do throws(S3Trouble) {
            let answer = try await blobs.client.send(S3Client.Request(method: "GET", query: [("lifecycle", "")]))
            return answer.document?.all("Rule")
        } catch {
            guard error.kind == .missing else { throw error }
            return nil
        }
    }

    @Test(arguments: S3Server.Kind.allCases)
    func `a bucket without rules gets ours when we may, and one with rules keeps them`(kind: S3Server.Kind) async throws
    {
        let server = try await S3Server.shared(kind)
        let bucket = "life-\(UUID().uuidString.lowercased())"
        let leaving = try store(server, bucket: bucket, prefix: "a&b", sets: false)
        _ = try await leaving.client.send(S3Client.Request(method: "PUT"))
        _ = try await leaving.sweep()
        #expect(try await rules(leaving) == nil)
        for prefix in ["one/two", "one/two", "other"] {
            _ = try await store(server, bucket: bucket, prefix: prefix).sweep()
            let found = try #require(try await rules(leaving))
            #expect(found.count == 1)
            #expect(found.first?["ID"] == "tijera" && found.first?["Status"] == "Enabled")
            #expect(found.first?.all("Filter").first?["Prefix"] == "one/two/")
            let abort = found.first?.all("AbortIncompleteMultipartUpload").first
            #expect(abort?["DaysAfterInitiation"] == "2", "a second more than a day is two days")
        }
    }

    @Test(
        arguments: [
            (S3Configuration.Encryption.bucket, nil, nil), (.service, "AES256", nil), (.kms(key: nil), "aws:kms", nil),
            (.kms(key: "arn:aws:kms:us-east-1:1:key/k"), "aws:kms", "arn:aws:kms:us-east-1:1:key/k"),
        ] as [(S3Configuration.Encryption, String?, String?)])
    func `objects rest encrypted as the configuration says, whole ones and those in parts`(
        encryption: S3Configuration.Encryption, algorithm: String?, key: String?
    ) async throws {
        // SeaweedFS wants keys of its own for this; moto notes what it is asked for.
        let blobs = try await S3Server.shared(.moto).store(in: root) { $0.encryption = encryption }
        _ = try await blobs.put([1], as: name("small"))
        let writer = try await blobs.writer(for: name("large"), limitBytes: 1 << 30)
        try await writer.write(sample(6 << 20))
        _ = try await writer.commit()
        for file in ["small", "large"] {
            let headers = try await blobs.client.send(
                S3Client.Request(method: "HEAD", key: blobs.key(of: name(file)))
            ).headers
            #expect(headers["x-amz-server-side-encryption"] == algorithm)
            #expect(headers["x-amz-server-side-encryption-aws-kms-key-id"] == key)
        }
    }
}
