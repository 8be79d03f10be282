import Crypto

/// What the bytes of one request must hash to.
package struct UploadChecksum: Hashable, Sendable {
    package enum Algorithm: String, Sendable, CaseIterable { case md5, sha1, sha256 }

    package let algorithm: Algorithm
    package let value: [UInt8]

    package init(_ algorithm: Algorithm, _ value: [UInt8]) {
        self.algorithm = algorithm
        self.value = value
    }

    func digester() -> Digester { Digester(algorithm) }

    /// Hashes as the bytes come.
    enum Digester {
        case md5(Insecure.MD5)
        case sha1(Insecure.SHA1)
        case sha256(SHA256)

        init(_ algorithm: Algorithm) {
            switch algorithm {
            case .md5: self = .md5(Insecure.MD5())
            case .sha1: self = .sha1(Insecure.SHA1())
            case .sha256: self = .sha256(SHA256())
            }
        }

        mutating func update(_ bytes: some Collection<UInt8>) {
            switch self {
            case .md5(var hash): self = .md5(Self.adding(bytes, to: &hash))
            case .sha1(var hash): self = .sha1(Self.adding(bytes, to: &hash))
            case .sha256(var hash): self = .sha256(Self.adding(bytes, to: &hash))
            }
        }

        func finalize() -> [UInt8] {
            switch self {
            case .md5(let hash): Array(hash.finalize())
            case .sha1(let hash): Array(hash.finalize())
            case .sha256(let hash): Array(hash.finalize())
            }
        }

        private static func adding<Hash: HashFunction>(_ bytes: some Collection<UInt8>, to hash: inout Hash) -> Hash {
            let done: Void? = bytes.withContiguousStorageIfAvailable { buffer in
                // The buffer is valid inside this closure, and hashing only reads it.
                unsafe hash.update(bufferPointer: UnsafeRawBufferPointer(buffer))
            }
            if done == nil { hash.update(data: Array(bytes)) }
            return hash
        }
    }
}
