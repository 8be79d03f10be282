/// The bounds of resumable uploads.
///
/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `bytesMax` | bytes | 16 GiB | one upload fills the disk |
/// | `partBytes` | bytes | 64 MiB | a node that dies costs more than this of a long request |
/// | `partsMax` | parts | 10000 | a client that sends byte by byte fills the database |
/// | `sessionsMax` | sessions | 50 | one client opens sessions without end |
/// | `clientBytesMax` | bytes | 64 GiB | one client fills the disk with what it never ends |
/// | `keepSeconds` | seconds | 24 h | what nobody goes on with stays for ever |
/// | `piecesMax` | pieces | 256 | one request locks the whole table |
/// | `pieceKeepSeconds` | seconds | 10 min | pieces take room twice once they are joined |
/// | `metadataBytesMax` | bytes | 4 KiB | the database keeps what clients like to store there |
/// | `leaseSeconds` | seconds | 30 | a joining whose node died is begun again too late, or twice |
/// | `takeoverSeconds` | seconds | 2 | a request waits for one before it that is dead |
package struct UploadLimits: Sendable, Hashable {
    package var bytesMax: Int64
    package var partBytes: Int64
    package var partsMax: Int
    package var sessionsMax: Int
    package var clientBytesMax: Int64
    package var keepSeconds: Int
    package var piecesMax: Int
    package var pieceKeepSeconds: Int
    package var metadataBytesMax: Int
    package var leaseSeconds: Int
    package var takeoverSeconds: Double

    package init(
        bytesMax: Int64 = 16 << 30, partBytes: Int64 = 64 << 20, partsMax: Int = 10_000, sessionsMax: Int = 50,
        clientBytesMax: Int64 = 64 << 30, keepSeconds: Int = 24 * 3600, piecesMax: Int = 256,
        pieceKeepSeconds: Int = 600, metadataBytesMax: Int = 4 << 10, leaseSeconds: Int = 30,
        takeoverSeconds: Double = 2
    ) {
        precondition(
            bytesMax > 0 && partBytes > 0 && partsMax > 0 && sessionsMax > 0 && clientBytesMax > 0 && keepSeconds > 0
                && piecesMax > 0 && pieceKeepSeconds > 0 && metadataBytesMax > 0 && leaseSeconds > 0
                && takeoverSeconds >= 0,
            "limits must be positive")
        self.bytesMax = bytesMax
        self.partBytes = partBytes
        self.partsMax = partsMax
        self.sessionsMax = sessionsMax
        self.clientBytesMax = clientBytesMax
        self.keepSeconds = keepSeconds
        self.piecesMax = piecesMax
        self.pieceKeepSeconds = pieceKeepSeconds
        self.metadataBytesMax = metadataBytesMax
        self.leaseSeconds = leaseSeconds
        self.takeoverSeconds = takeoverSeconds
    }
}
