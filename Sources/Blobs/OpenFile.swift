package import Crypto
import Glibc

/// A file that is closed when the last holder lets go of it; removing it meanwhile does not disturb them.
package final class OpenFile: Sendable {
    let descriptor: Int32

    /// To read from.
    package init(_ path: String) throws(BlobError) { descriptor = try Disk.open(path, O_RDONLY | O_NOFOLLOW) }

    /// To write to and read from; nothing may stand there yet.
    package init(creating path: String) throws(BlobError) {
        descriptor = try Disk.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW)
    }

    deinit { Disk.close(descriptor) }

    /// Up to `limit` bytes from `offset`; empty at the end of the file.
    package func read(at offset: Int64, limit: Int) throws(BlobError) -> [UInt8] {
        try Disk.read(descriptor, at: offset, limit: limit)
    }

    package func write(_ bytes: [UInt8], at offset: Int64) throws(BlobError) {
        try Disk.write(descriptor, bytes, at: offset)
    }

    /// The length and SHA-256 of all of it.
    package func digest() throws(BlobError) -> BlobFacts { try FileDigest.read(descriptor) }

    /// SHA-256 of one part of it.
    package func digest(of range: Range<Int64>) throws(BlobError) -> SHA256.Digest {
        try FileDigest.read(descriptor, range)
    }
}
