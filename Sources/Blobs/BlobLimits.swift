/// The bounds of a blob directory.
package struct BlobLimits: Sendable, Hashable {
    /// Writing stops while the file system has less than this free, so that Postgres and the logs on the same disk
    /// survive a flood of videos. Default 512 MiB.
    package var freeBytesMin: Int64
    /// How often, in written bytes, a long write looks at the free space again. Default 64 MiB.
    package var freeCheckBytes: Int64

    package init(freeBytesMin: Int64 = 512 << 20, freeCheckBytes: Int64 = 64 << 20) {
        precondition(freeBytesMin >= 0 && freeCheckBytes > 0, "limits must not be negative")
        self.freeBytesMin = freeBytesMin
        self.freeCheckBytes = freeCheckBytes
    }
}

/// What is known of a blob once it stands.
package struct BlobFacts: Sendable, Hashable {
    package let bytes: Int64
    /// Lower-case hexadecimal.
    package let sha256: String

    package init(bytes: Int64, sha256: String) {
        self.bytes = bytes
        self.sha256 = sha256
    }
}
