/// Where a bucket is and how it is spoken to.
///
/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `prefix` | path | none | two clusters in one bucket remove each other's blobs |
/// | `partBytes` | bytes | 16 MiB | a lost connection costs the whole upload; 10,000 parts of 5 MiB or more |
/// | `copyBytes` | bytes | 128 MiB | a copy inside the service is given up as stalled; S3 takes 5 GiB |
/// | `readBytes` | bytes | 1 MiB | downloads of many clients fill the memory |
/// | `fetchParallel` | requests | 4 | one file waits for the latency of each request in turn |
/// | `requestsMax` | requests | 32, twice: work and clients | a burst opens more connections than the service takes |
/// | `patience` | duration | 2 min | a restart of the service fails stages |
/// | `connectSecondsMax`, `stalledSecondsMax` | seconds | 5, 20 | a dead connection is waited for |
/// | `staleSeconds` | seconds | 24 h | parts of uploads that never ended are paid for, for ever |
/// | `linkSeconds` | seconds | 15 min | a link that leaks is good for ever |
package struct S3Configuration: Sendable {
    /// How the bucket enters the URL.
    package enum Style: String, Sendable, CaseIterable {
        /// `https://host/bucket/key`: everywhere but at AWS the safe choice.
        case path
        /// `https://bucket.host/key`: what AWS wants.
        case host
    }

    package enum Encryption: Sendable, Hashable {
        /// As the bucket does by default.
        case bucket
        /// SSE-S3.
        case service
        /// SSE-KMS; without a key, that of the account for S3.
        case kms(key: String?)
    }

    /// `scheme://host[:port]`, without a path.
    package var endpoint: String
    /// That clients reach the service by, when it is another one; for links only.
    package var publicEndpoint: String?
    package var region: String
    package var bucket: String
    /// Stands before every key, with a slash behind it; may be empty.
    package var prefix = ""
    package var style = Style.path
    package var encryption = Encryption.bucket
    /// Whether SHA-256 goes along with what is written, for the service to compare. The bodies are signed either way.
    package var sendsChecksums = true
    package var redirectsDownloads = false
    /// Whether a bucket without lifecycle rules gets one that drops uploads in parts that nobody ended.
    package var setsLifecycle = false
    package var authoritiesPath: String?
    /// `http://host:port` that all requests go through; nil: none, whatever the environment says.
    package var proxy: String?
    package var partBytes: Int64 = 16 << 20
    package var copyBytes: Int64 = 128 << 20
    package var readBytes = 1 << 20
    package var fetchParallel = 4
    package var requestsMax = 32
    package var patience = Duration.seconds(120)
    package var connectSecondsMax = 5
    package var stalledSecondsMax = 20
    package var staleSeconds = 24 * 3600
    package var linkSeconds = 900

    /// S3 takes no more of one object.
    static let partsMax: Int64 = 10_000
    /// S3 refuses smaller parts, but for the last.
    package static let partBytesMin: Int64 = 5 << 20
    /// Most keys that one request removes or lists.
    static let keysMax = 1000

    package init(endpoint: String, region: String, bucket: String) {
        self.endpoint = endpoint
        self.region = region
        self.bucket = bucket
    }

    /// Large enough that so many bytes fit into the parts that S3 allows.
    func partBytes(upTo limitBytes: Int64) -> Int64 { max(partBytes, limitBytes / (Self.partsMax - 1) + 1) }

    var headersOfWrites: [(String, String)] {
        switch encryption {
        case .bucket: []
        case .service: [("x-amz-server-side-encryption", "AES256")]
        case .kms(let key):
            [("x-amz-server-side-encryption", "aws:kms")]
                + (key.map { [("x-amz-server-side-encryption-aws-kms-key-id", $0)] } ?? [])
        }
    }
}
