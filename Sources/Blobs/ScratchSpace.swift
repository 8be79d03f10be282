import Glibc
import Synchronization

/// The room of one process inside `scratch/`: a directory of its own and a lock held for as long as the process lives.
///
/// Nodes of one machine may share a blob directory. A directory whose lock can be taken belongs to a process that is
/// gone, whatever killed it, because the kernel gives locks back: that is how leftovers are told from work.
final class ScratchSpace: Sendable {
    let path: String
    private let lockDescriptor: Int32
    private let taken = Atomic<Int>(0)

    init(under parent: String) throws(BlobError) {
        try Disk.makeDirectories(parent)
        // Held while a new directory has no lock yet, so that no other process takes it for a leftover.
        let gate = try Disk.open(parent + "/.gate", O_RDWR | O_CREAT)
        defer { Disk.close(gate) }
        try Disk.lock(gate)
        try Self.sweepUnlocked(parent)
        path = try Disk.makeUniqueDirectory(parent + "/life-XXXXXX")
        try Disk.openToGroup(path, mayWrite: false)
        lockDescriptor = try Disk.open(path + "/.lock", O_RDWR | O_CREAT)
        guard Disk.tryLock(lockDescriptor) else { throw BlobError(.broken, "a fresh scratch lock is taken") }
    }

    deinit {
        _ = try? Disk.removeTree(path)
        Disk.close(lockDescriptor)
    }

    /// A path inside this space that nothing has used yet.
    func freshPath(_ prefix: String) -> String {
        "\(path)/\(prefix)-\(taken.add(1, ordering: .relaxed).newValue)"
    }

    /// Removes the rooms of dead processes next to this one.
    func sweepNeighbours() throws(BlobError) -> Int {
        let parent = String(path[..<path.lastIndex(of: "/")!])
        let gate = try Disk.open(parent + "/.gate", O_RDWR | O_CREAT)
        defer { Disk.close(gate) }
        try Disk.lock(gate)
        return try Self.sweepUnlocked(parent)
    }

    @discardableResult
    private static func sweepUnlocked(_ parent: String) throws(BlobError) -> Int {
        var removed = 0
        for name in try Disk.names(in: parent) where name.hasPrefix("life-") {
            let room = parent + "/" + name
            let lock: Int32
            do { lock = try Disk.open(room + "/.lock", O_RDWR | O_CREAT) } catch {
                if error.code == .missing { continue }  // Its owner is just leaving.
                throw error
            }
            defer { Disk.close(lock) }
            guard Disk.tryLock(lock) else { continue }
            try Disk.removeTree(room)
            removed += 1
        }
        return removed
    }
}
