package import Crypto
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

    static func read(_ descriptor: Int32, _ range: Range<Int64>) throws(BlobError) -> SHA256.Digest {
        var hash = SHA256()
        var offset = range.lowerBound
        while offset < range.upperBound {
            let block = try Disk.read(descriptor, at: offset, limit: Int(min(1 << 20, range.upperBound - offset)))
            guard !block.isEmpty else { throw BlobError(.broken, "the file ended before byte \(range.upperBound)") }
            hash.update(data: block)
            offset += Int64(block.count)
        }
        return hash.finalize()
    }
}

extension SHA256.Digest {
    /// Lower-case, two characters a byte.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in self { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
