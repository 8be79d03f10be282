import Crypto
import Glibc

/// The length and SHA-256 of a file that stands already.
package enum FileDigest {
    /// Of any file this process may read; constant memory.
    package static func sha256(ofFileAt path: String) async throws(BlobError) -> BlobFacts {
        try await DiskLane.shared.run { () throws(BlobError) in
            let descriptor = try Disk.open(path, O_RDONLY)
            defer { Disk.close(descriptor) }
            return try read(descriptor)
        }
    }

    static func read(_ descriptor: Int32) throws(BlobError) -> BlobFacts {
        var hash = SHA256()
        var bytes: Int64 = 0
        while true {
            let block = try Disk.read(descriptor, at: bytes, limit: 1 << 20)
            if block.isEmpty { return BlobFacts(bytes: bytes, sha256: hash.finalize().hexadecimal) }
            hash.update(data: block)
            bytes += Int64(block.count)
        }
    }
}
