package import ClipModel
import Glibc

/// Bytes at rest in a directory that every node of the cluster sees.
///
/// ```
/// root/objects/<name>            blobs, never changed once they stand
/// root/scratch/life-XXXXXX/...   what one living process is working on
/// ```
/// Both are on one file system, so a blob appears by one atomic `rename`, after its bytes were synced.
package struct BlobDirectory: Sendable {
    package let root: String
    package let limits: BlobLimits
    let lane: DiskLane
    private let scratch: ScratchSpace

    /// Opens the directory, makes what is missing, and sweeps the scratch of processes that died.
    package init(
        root: String, limits: BlobLimits = BlobLimits(), diskCalls: DiskCalls = .onOwnThreads
    ) throws(BlobError) {
        precondition(root.hasPrefix("/"), "the blob directory needs an absolute path, not \(root)")
        self.root = root.hasSuffix("/") ? String(root.dropLast()) : root
        self.limits = limits
        lane = DiskLane(diskCalls)
        try Disk.makeDirectories(self.root + "/objects")
        scratch = try ScratchSpace(under: self.root + "/scratch")
    }

    // MARK: Writing

    /// Room for a blob of up to `limitBytes` that arrives piece by piece.
    package func writer(limitBytes: Int64) throws(BlobError) -> BlobWriter {
        try requireFreeSpace()
        return try BlobWriter(directory: self, path: scratch.freshPath("incoming"), limitBytes: limitBytes)
    }

    /// Makes a file of the scratch directory a blob, by renaming it: no byte is copied.
    package func adopt(fileAt path: String, as name: BlobName) async throws(BlobError) -> BlobFacts {
        try await lane.run { () throws(BlobError) in
            let descriptor = try Disk.open(path, O_RDONLY | O_NOFOLLOW)
            defer { Disk.close(descriptor) }
            let facts = try FileDigest.read(descriptor)
            try Disk.sync(descriptor)
            try place(path, as: name)
            return facts
        }
    }

    /// Stores a few bytes.
    package func put(_ bytes: [UInt8], as name: BlobName) async throws(BlobError) -> BlobFacts {
        let writer = try writer(limitBytes: Int64(bytes.count))
        try writer.write(bytes)
        return try await writer.commit(as: name)
    }

    // MARK: Reading

    /// A whole blob, which must not be larger than `limitBytes`.
    package func bytes(of name: BlobName, limitBytes: Int) async throws(BlobError) -> [UInt8] {
        let path = localPath(of: name)
        return try await lane.run { () throws(BlobError) in
            let file = try OpenFile(path)
            var bytes: [UInt8] = []
            while true {
                let block = try Disk.read(file.descriptor, at: Int64(bytes.count), limit: 1 << 20)
                if block.isEmpty { return bytes }
                bytes += block
                guard bytes.count <= limitBytes else {
                    throw BlobError(.tooLarge, "\(name) has more than the allowed \(limitBytes) bytes")
                }
            }
        }
    }

    /// Nil when there is no such blob.
    package func size(of name: BlobName) throws(BlobError) -> Int64? {
        guard let entry = try Disk.entry(localPath(of: name)), !entry.isDirectory else { return nil }
        return entry.bytes
    }

    /// Where a tool finds the blob on this machine. Whether it stands is another question.
    package func localPath(of name: BlobName) -> String { root + "/objects/" + name.rawValue }

    /// The bytes of `range`, block by block. The blob may be removed meanwhile: a reader that began ends well.
    package func read(
        _ name: BlobName, range: Range<Int64>, chunkBytes: Int = BlobReader.chunkBytesDefault
    ) throws(BlobError) -> BlobReader {
        precondition(chunkBytes > 0, "a block of \(chunkBytes) bytes holds nothing")
        guard let size = try size(of: name) else { throw BlobError(.missing, "no blob is called \(name)") }
        guard range.lowerBound >= 0, range.upperBound <= size else {
            throw BlobError(.rangeInvalid, "\(range) does not lie inside the \(size) bytes of \(name)")
        }
        return BlobReader(
            file: try OpenFile(localPath(of: name)), lane: lane, range: range, chunkBytes: chunkBytes)
    }

    // MARK: Keeping house

    /// Gives a blob another name, in one step. One that is gone already was moved before.
    package func move(_ name: BlobName, to other: BlobName) async throws(BlobError) {
        try await lane.run { () throws(BlobError) in
            guard try Disk.entry(localPath(of: name)) != nil else { return }
            try place(localPath(of: name), as: other)
            removeEmptyParents(of: name)
        }
    }

    /// Removes blobs; those that are gone already are fine. Directories that become empty go too.
    package func remove(_ names: [BlobName]) async throws(BlobError) {
        try await lane.run { () throws(BlobError) in
            for name in names {
                try Disk.unlink(localPath(of: name))
                removeEmptyParents(of: name)
            }
        }
    }

    /// Blobs whose names begin with `prefix` and a slash, in order, at most `limit`, with the time of their last
    /// change.
    package func list(under prefix: BlobName, limit: Int) async throws(BlobError) -> [ListedBlob] {
        try await lane.run { () throws(BlobError) in
            var found: [ListedBlob] = []
            var open = [prefix.rawValue]
            while let next = open.popLast(), found.count < limit {
                guard let entry = try Disk.entry(root + "/objects/" + next) else { continue }
                if entry.isDirectory {
                    open += try Disk.names(in: root + "/objects/" + next).reversed().map { next + "/" + $0 }
                } else if let name = BlobName(next), name != prefix {
                    let changed = Timestamp(millisecondsSinceEpoch: entry.modifiedSecondsSinceEpoch * 1000)
                    found.append(ListedBlob(name: name, bytes: entry.bytes, changedAt: changed))
                }
            }
            return found
        }
    }

    /// Names of the directories directly under `prefix`.
    package func directories(under prefix: BlobName) async throws(BlobError) -> [String] {
        let path = localPath(of: prefix)
        return try await lane.run { () throws(BlobError) in
            var names: [String] = []
            for name in try Disk.names(in: path) {
                if try Disk.entry(path + "/" + name)?.isDirectory == true { names.append(name) }
            }
            return names
        }
    }

    /// A directory of one's own for the length of `body`, on the same disk as the blobs so that `adopt` is a rename.
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

    /// Removes the scratch of processes that died since this directory was opened. Returns how many.
    package func sweepScratch() async throws(BlobError) -> Int {
        try await lane.run { () throws(BlobError) in try scratch.sweepNeighbours() }
    }

    /// Bytes that may still be written before `freeBytesMin` is reached.
    package func freeBytes() throws(BlobError) -> Int64 {
        max(0, try Disk.freeBytes(at: root) - limits.freeBytesMin)
    }

    /// Bytes that are free on the file system of blobs and scratch, before any limit.
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

    /// Gives a synced file its name, durably.
    func place(_ path: String, as name: BlobName) throws(BlobError) {
        let target = localPath(of: name)
        let parent = String(target[..<target.lastIndex(of: "/")!])
        // Somebody may remove the parent as empty between its making and the renaming; three tries settle that.
        for remaining in [2, 1, 0] {
            do {
                try Disk.makeDirectories(parent)
                try Disk.rename(path, to: target)
                break
            } catch {
                guard error.code == .missing, remaining > 0, try Disk.entry(path) != nil else { throw error }
            }
        }
        try Disk.syncDirectory(parent)
    }

    private func removeEmptyParents(of name: BlobName) {
        var parts = name.rawValue.split(separator: "/").dropLast()
        while !parts.isEmpty, Disk.removeEmptyDirectory(root + "/objects/" + parts.joined(separator: "/")) {
            parts = parts.dropLast()
        }
    }
}

/// A blob as `list` finds it.
package struct ListedBlob: Sendable, Hashable {
    package let name: BlobName
    package let bytes: Int64
    package let changedAt: Timestamp

    package init(name: BlobName, bytes: Int64, changedAt: Timestamp) {
        self.name = name
        self.bytes = bytes
        self.changedAt = changedAt
    }
}
