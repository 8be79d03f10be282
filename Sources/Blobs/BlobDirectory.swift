package import ClipModel
import Glibc

/// Bytes at rest in a directory that every node of the cluster sees.
///
/// ```
/// root/objects/<name>            blobs, never changed once they stand
/// root/scratch/life-XXXXXX/...   what one living process is working on
/// ```
/// Both are on one file system, so a blob appears by one atomic `rename`, after its bytes were synced.
package struct BlobDirectory: BlobStore {
    package let room: LocalRoom
    /// Tools read the blobs where they stand.
    package var keepsCopies: Bool { false }
    /// Size of a block when the reader names none, in bytes.
    package static let chunkBytesDefault = 256 << 10

    var root: String { room.root }
    var lane: DiskLane { room.lane }

    /// Opens the directory, makes what is missing, and sweeps the scratch of processes that died.
    package init(
        root: String, limits: BlobLimits = BlobLimits(), diskCalls: DiskCalls = .onOwnThreads
    ) throws(BlobError) {
        room = try LocalRoom(root: root, limits: limits, diskCalls: diskCalls)
        try Disk.makeDirectories(room.root + "/objects")
    }

    // MARK: Writing

    package func writer(for name: BlobName, limitBytes: Int64) async throws(BlobError) -> any BlobWriter {
        try room.requireFreeSpace()
        return try DirectoryWriter(directory: self, name: name, limitBytes: limitBytes)
    }

    /// By renaming it: no byte is copied.
    package func adopt(fileAt path: String, as name: BlobName) async throws(BlobError) -> BlobFacts {
        try await lane.run { () throws(BlobError) in
            // A tool made it, perhaps as another user, who could still write to it.
            try Disk.own(path)
            let file = try OpenFile(path)
            let facts = try file.digest()
            try Disk.sync(file.descriptor)
            try place(path, as: name, if: .always)
            return facts
        }
    }

    package func put(
        _ bytes: [UInt8], as name: BlobName, if condition: WriteCondition
    ) async throws(BlobError) -> BlobFacts {
        try room.requireFreeSpace()
        let writer = try DirectoryWriter(
            directory: self, name: name, limitBytes: Int64(bytes.count), condition: condition)
        try writer.append(bytes)
        return try await writer.commit()
    }

    // MARK: Reading

    package func size(of name: BlobName) async throws(BlobError) -> Int64? {
        guard let entry = try Disk.entry(path(of: name)), !entry.isDirectory else { return nil }
        return entry.bytes
    }

    /// The blob may be removed meanwhile: a reader that began ends well.
    package func read(
        _ name: BlobName, range: Range<Int64>, chunkBytes: Int?
    ) async throws(BlobError) -> BlobReader {
        guard let size = try await size(of: name) else { throw .missing(name) }
        guard range.lowerBound >= 0, range.upperBound <= size else {
            throw BlobError(.rangeInvalid, "\(range) does not lie inside the \(size) bytes of \(name)")
        }
        let (file, lane) = (try OpenFile(path(of: name)), lane)
        return BlobReader(range: range, chunkBytes: chunkBytes ?? Self.chunkBytesDefault) { offset, limit in
            try await lane.run { () throws(BlobError) in try file.read(at: offset, limit: limit) }
        }
    }

    /// Where the blob stands: blobs never change, and whoever reads one keeps it open.
    package func localFile(
        of name: BlobName, sha256: String?, in scratch: String
    ) async throws(BlobError) -> String { path(of: name) }

    package func downloadLink(of name: BlobName, _ terms: DownloadTerms) async throws(BlobError) -> String? { nil }

    // MARK: Keeping house

    /// In one step.
    package func move(_ name: BlobName, to other: BlobName) async throws(BlobError) {
        try await lane.run { () throws(BlobError) in
            guard try Disk.entry(path(of: name)) != nil else { return }
            do throws(BlobError) { try place(path(of: name), as: other, if: .always) } catch {
                // Another who moves the same was faster.
                guard error.code == .missing, try Disk.entry(path(of: name)) == nil else { throw error }
            }
            removeEmptyParents(of: name)
        }
    }

    /// By a second name for the same file: no byte is copied, and the file system counts the names.
    package func copy(_ name: BlobName, to other: BlobName) async throws(BlobError) {
        guard name != other else { return }
        try await lane.run { () throws(BlobError) in
            let fresh = room.freshPath("copy")
            do throws(BlobError) { try Disk.link(path(of: name), to: fresh) } catch {
                guard error.code == .missing else { throw error }
                return
            }
            try place(fresh, as: other, if: .always)
            // A renaming between two names of one file does nothing at all.
            try Disk.unlink(fresh)
        }
    }

    /// Directories that become empty go too.
    package func remove(_ names: [BlobName]) async throws(BlobError) {
        try await lane.run { () throws(BlobError) in
            for name in names {
                try Disk.unlink(path(of: name))
                removeEmptyParents(of: name)
            }
        }
    }

    package func list(
        under prefix: BlobName?, after: BlobName?, limit: Int
    ) async throws(BlobError) -> [ListedBlob] {
        try await lane.run { () throws(BlobError) in
            let first = prefix?.rawValue
            var found: [ListedBlob] = []
            // Paths still to be looked at, the next one last.
            var open = try children(of: first)
            while let (next, entry) = open.popLast(), found.count < limit {
                if entry.isDirectory {
                    // Everything in there begins with this, so nothing of it may come after `after`.
                    if let after, next + "0" <= after.rawValue { continue }
                    open += try children(of: next)
                } else if let name = BlobName(next), after.map({ name > $0 }) ?? true {
                    let changed = Timestamp(millisecondsSinceEpoch: entry.modifiedSecondsSinceEpoch * 1000)
                    found.append(ListedBlob(name: name, bytes: entry.bytes, changedAt: changed))
                }
            }
            return found
        }
    }

    package func directories(
        under prefix: BlobName, after: String?, limit: Int
    ) async throws(BlobError) -> [String] {
        let path = path(of: prefix)
        return try await lane.run { () throws(BlobError) in
            var found: [String] = []
            for name in try Disk.names(in: path) {
                if let after, name <= after { continue }
                if found.count >= limit { break }
                if try Disk.entry(path + "/" + name)?.isDirectory == true { found.append(name) }
            }
            return found
        }
    }

    @discardableResult package func sweep() async throws(BlobError) -> Int { try await room.sweepScratch() }

    // MARK: Inside

    func path(of name: BlobName) -> String { root + "/objects/" + name.rawValue }

    /// What is directly in there, so that the one to look at first comes last. A directory stands where its slash puts
    /// what it holds: `a-b` comes before `a/b`.
    private func children(of directory: String?) throws(BlobError) -> [(path: String, entry: Disk.Entry)] {
        let base = directory.map { $0 + "/" } ?? ""
        var found: [(key: String, path: String, entry: Disk.Entry)] = []
        for name in try Disk.names(in: root + "/objects/" + base) {
            guard let entry = try Disk.entry(root + "/objects/" + base + name) else { continue }
            found.append((entry.isDirectory ? name + "/" : name, base + name, entry))
        }
        return found.sorted { $0.key > $1.key }.map { ($0.path, $0.entry) }
    }

    /// Gives a synced file its name, durably.
    func place(_ path: String, as name: BlobName, if condition: WriteCondition) throws(BlobError) {
        let target = self.path(of: name)
        let parent = String(target[..<target.lastIndex(of: "/")!])
        // Somebody may remove the parent as empty between its making and the renaming; three tries settle that.
        for remaining in [2, 1, 0] {
            do {
                try Disk.makeDirectories(parent)
                switch condition {
                case .always: try Disk.rename(path, to: target)
                case .absent:
                    // A second name for the file is given only where nothing stands, which no rename can promise.
                    try Disk.link(path, to: target)
                    try Disk.unlink(path)
                }
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
