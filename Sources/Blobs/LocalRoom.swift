import Glibc

/// Room on this machine's own disk: what the work under way writes, and how much is free.
package struct LocalRoom: Sendable {
    package let root: String
    package let limits: BlobLimits
    package let lane: DiskLane
    let scratch: ScratchSpace

    /// Makes what is missing, and sweeps the scratch of processes that died. `root` is absolute.
    package init(
        root: String, limits: BlobLimits = BlobLimits(), diskCalls: DiskCalls = .onOwnThreads
    ) throws(BlobError) {
        precondition(root.hasPrefix("/"), "the blob directory needs an absolute path, not \(root)")
        self.root = root.hasSuffix("/") ? String(root.dropLast()) : root
        self.limits = limits
        lane = DiskLane(diskCalls)
        scratch = try ScratchSpace(under: self.root + "/scratch")
    }

    /// A directory of one's own for the length of `body`, on the same disk as the blobs so that adopting is a rename.
    /// `name` is only for people who look into the directory.
    /// - Parameter evenWhenFull: for a few bytes that a node cannot start without.
    package func withScratch<Answer>(
        named name: String, evenWhenFull: Bool = false, _ body: (String) async throws -> Answer
    ) async throws -> Answer {
        if !evenWhenFull { try requireFreeSpace() }
        let plain = name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let path = scratch.freshPath(String(plain.prefix(80)))
        try Disk.makeDirectory(path)
        // A tool that runs as another user writes there through the group of this one.
        try Disk.openToGroup(path, mayWrite: true)
        let outcome: Result<Answer, any Error>
        do { outcome = .success(try await body(path)) } catch { outcome = .failure(error) }
        // A leftover costs only room, and goes with the scratch of this process; the outcome of `body` counts more.
        try? await lane.run { () throws(BlobError) in try Disk.removeTree(path) }
        return try outcome.get()
    }

    /// Writes a small file into a scratch directory. It need not survive a crash, so nothing is synced.
    package func writeScratch(_ bytes: [UInt8], to path: String) async throws(BlobError) {
        precondition(path.hasPrefix(scratch.path + "/"), "\(path) is outside of the scratch of this process")
        try await lane.run { () throws(BlobError) in
            let descriptor = try Disk.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
            defer { Disk.close(descriptor) }
            try Disk.write(descriptor, bytes)
        }
    }

    /// A path in the scratch of this process that nothing has used yet.
    package func freshPath(_ prefix: String) -> String { scratch.freshPath(prefix) }

    /// Removes the scratch of processes that died since this room was opened. Returns how many.
    package func sweepScratch() async throws(BlobError) -> Int {
        try await lane.run { () throws(BlobError) in try scratch.sweepNeighbours() }
    }

    /// Bytes that may still be written before `freeBytesMin` is reached.
    package func freeBytes() throws(BlobError) -> Int64 {
        max(0, try Disk.freeBytes(at: root) - limits.freeBytesMin)
    }

    /// Bytes that are free on the file system of the scratch, before any limit.
    package func fileSystemFreeBytes() throws(BlobError) -> Int64 { try Disk.freeBytes(at: root) }

    /// Calls that wait for the disk right now.
    package var pendingDiskCalls: Int { lane.pending }

    /// Throws `.full` when the disk is too full to begin anything.
    package func requireFreeSpace() throws(BlobError) {
        let free = try Disk.freeBytes(at: root)
        guard free >= limits.freeBytesMin else {
            throw BlobError(.full, "\(free) bytes are free, at least \(limits.freeBytesMin) must stay free")
        }
    }
}
