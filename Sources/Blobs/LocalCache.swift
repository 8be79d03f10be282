package import ClipModel
import Crypto
import Glibc
import Synchronization

/// Copies of blobs that stand elsewhere, as files that tools of this machine can open; bounded in bytes.
///
/// ```
/// root/cache/<boot>/<digest of the name>-<digest of the version>
/// ```
/// Nodes of one machine may share it. What a stage uses has a second name in that stage's scratch: so it is told from
/// what may go, and removing the first name never disturbs who works with the file. Nothing is synced: a crash of the
/// machine may tear files, so each boot begins with a cache of its own, and those of others are removed.
///
/// All that is kept belongs to the node's user, and its group may read it: so a tool that runs as another user reads
/// it where its stage has it, and cannot change it for the next stage.
package final class LocalCache: Sendable {
    private let room: LocalRoom
    private let directory: String
    private let limitBytes: Int64
    private let fetching = KeyedTurns()
    /// Of fetches under way, which are no entries yet.
    private let reservedBytes = Mutex<Int64>(0)

    /// Which blob, and which of those that had its name.
    package struct Entry: Sendable {
        package let name: BlobName
        package let version: String
        package let bytes: Int64
        /// Nil: nobody knows, so the length must do.
        package let sha256: String?

        package init(name: BlobName, version: String, bytes: Int64, sha256: String?) {
            self.name = name
            self.version = version
            self.bytes = bytes
            self.sha256 = sha256
        }

        fileprivate var file: String { Self.prefix(of: name) + SHA256.hash(data: Array(version.utf8)).hexadecimal }

        /// With which the files of all its versions begin.
        fileprivate static func prefix(of name: BlobName) -> String {
            SHA256.hash(data: Array(name.rawValue.utf8)).hexadecimal + "-"
        }
    }

    package init(in room: LocalRoom, limitBytes: Int64) throws(BlobError) {
        precondition(limitBytes > 0, "a cache of \(limitBytes) bytes holds nothing")
        self.room = room
        self.limitBytes = limitBytes
        let parent = room.root + "/cache"
        let boot = try Self.boot()
        directory = parent + "/" + boot
        try Disk.makeDirectories(directory)
        for name in try Disk.names(in: parent) where name != boot { try Disk.removeTree(parent + "/" + name) }
    }

    /// A file with the bytes of `entry` inside `scratch`. `fetch` writes them to the path it is given, if they are not
    /// here yet; whoever wants the same meanwhile waits for it.
    package func file(
        _ entry: Entry, in scratch: String, fetch: (String) async throws -> Void
    ) async throws -> String {
        let path = scratch + "/" + entry.file
        // An attempt may use a blob twice.
        if try Disk.entry(path) != nil { return path }
        let kept = directory + "/" + entry.file
        return try await fetching.withTurn(of: entry.file) {
            if try await link(kept, to: path) { return path }
            try await reserve(entry)
            defer { reservedBytes.withLock { $0 -= entry.bytes } }
            let fresh = room.freshPath("fetch")
            do {
                try await fetch(fresh)
                try await verify(fresh, entry)
                try await room.lane.run { () throws(BlobError) in
                    try Disk.own(fresh)
                    // The name in the scratch first: a neighbour who makes room takes nothing that is used.
                    try Disk.link(fresh, to: path)
                    try Disk.rename(fresh, to: kept)
                }
            } catch {
                _ = try? Disk.unlink(fresh)
                throw error
            }
            return path
        }
    }

    /// Takes a file over that was just stored as `entry`, because the next stage will often want it. Not being able to
    /// is no harm.
    package func keep(_ path: String, as entry: Entry) async {
        let kept = directory + "/" + entry.file
        do {
            try await reserve(entry)
            defer { reservedBytes.withLock { $0 -= entry.bytes } }
            try await room.lane.run { () throws(BlobError) in
                // A tool made it, perhaps as another user, who could still write to it.
                try Disk.own(path)
                try Disk.rename(path, to: kept)
            }
        } catch {
            // It stays in the scratch, and goes with it.
        }
    }

    /// Forgets all versions of a blob that this name has no more. Whoever works with one keeps it until the end.
    package func drop(_ name: BlobName) async throws(BlobError) {
        let prefix = Entry.prefix(of: name)
        try await room.lane.run { () throws(BlobError) in
            for file in try Disk.names(in: self.directory) where file.hasPrefix(prefix) {
                try Disk.unlink(self.directory + "/" + file)
            }
        }
    }

    /// Bytes of all files that are kept.
    package func keptBytes() async throws(BlobError) -> Int64 {
        try await room.lane.run { () throws(BlobError) in try self.entries().reduce(0) { $0 + $1.entry.bytes } }
    }

    private func link(_ kept: String, to path: String) async throws(BlobError) -> Bool {
        try await room.lane.run { () throws(BlobError) in
            do throws(BlobError) {
                try Disk.link(kept, to: path)
                try Disk.touch(path)
                return true
            } catch {
                if error.code == .missing { return false }
                throw error
            }
        }
    }

    private func verify(_ path: String, _ entry: Entry) async throws(BlobError) {
        let facts = try await room.lane.run { () throws(BlobError) in try OpenFile(path).digest() }
        guard facts.bytes == entry.bytes, entry.sha256.map({ $0 == facts.sha256 }) ?? true else {
            throw BlobError(
                .corrupt,
                "\(entry.name) came as \(facts.bytes) bytes with SHA-256 \(facts.sha256), expected are "
                    + "\(entry.bytes) with \(entry.sha256 ?? "any")")
        }
    }

    /// Removes what was not used for longest, until so many bytes more fit: into the cache, and on the disk, which
    /// others fill too.
    private func reserve(_ entry: Entry) async throws(BlobError) {
        let bytes = entry.bytes
        guard bytes <= limitBytes else {
            // Not `full`, which is waited for: no room that is made here is enough.
            throw BlobError(
                .cacheTooSmall,
                "\(entry.name) has \(bytes) bytes and the cache holds \(limitBytes): raise blobs.cacheBytesMax")
        }
        let reserved = reservedBytes.withLock { reserved in
            reserved += bytes
            return reserved
        }
        do throws(BlobError) {
            try await room.lane.run { () throws(BlobError) in
                try self.makeRoom(for: bytes, upTo: self.limitBytes - reserved)
            }
        } catch {
            reservedBytes.withLock { $0 -= bytes }
            throw error
        }
    }

    private func makeRoom(for bytes: Int64, upTo limit: Int64) throws(BlobError) {
        // Neighbours on this machine make room too; one at a time counts.
        let gate = try Disk.open(directory + "/.gate", O_RDWR | O_CREAT)
        defer { Disk.close(gate) }
        try Disk.lock(gate)
        let entries = try entries()
        var total = entries.reduce(0) { $0 + $1.entry.bytes }
        // Below zero when the disk is fuller than it may be.
        let free = try room.fileSystemFreeBytes() - room.limits.freeBytesMin
        let diskLimit = total + free - bytes
        let unused = entries.filter { $0.entry.names == 1 }
        let oldestFirst = unused.sorted {
            ($0.entry.modifiedSecondsSinceEpoch, $0.path) < ($1.entry.modifiedSecondsSinceEpoch, $1.path)
        }
        for (path, entry) in oldestFirst where total > min(limit, diskLimit) {
            if try Disk.unlink(path) { total -= entry.bytes }
        }
        guard total <= diskLimit else {
            throw BlobError(
                .full,
                "\(bytes) bytes more do not fit on the disk of the scratch, "
                    + "where \(room.limits.freeBytesMin) must stay free")
        }
        guard total <= limit else {
            throw BlobError(
                .full, "the cache holds \(limitBytes) bytes and all of them are in use: raise blobs.cacheBytesMax")
        }
    }

    private func entries() throws(BlobError) -> [(path: String, entry: Disk.Entry)] {
        var found: [(path: String, entry: Disk.Entry)] = []
        for name in try Disk.names(in: directory) where !name.hasPrefix(".") {
            let path = directory + "/" + name
            if let entry = try Disk.entry(path) { found.append((path, entry)) }
        }
        return found
    }

    /// Differs after every start of the machine.
    private static func boot() throws(BlobError) -> String {
        let text = try OpenFile("/proc/sys/kernel/random/boot_id").read(at: 0, limit: 64)
        return String(decoding: text.filter { $0 > 32 }, as: UTF8.self)
    }
}
