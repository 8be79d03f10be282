package import Blobs
package import ClipModel
import Synchronization

/// Goes through the directories under a root in the order of their names, some in each round, and from the last one on
/// to the first.
///
/// In order, because then one of `count` directories is looked at within `⌈count / limit⌉` rounds, and a round asks for
/// two pages of names however many there are. Whoever draws them each time needs all the names for it, and may miss one
/// for as long as chance has it.
package final class FolderWalk: Sendable {
    private let blobs: any BlobStore
    private let limit: Int
    private let now: WallTime
    private let chance: Chance
    /// The directory that was looked at last, by root.
    private let places = Mutex<[BlobName: String]>([:])

    /// - Parameter limit: how many directories of a root there are in a round.
    package init(blobs: any BlobStore, limit: Int, now: @escaping WallTime, chance: Chance) {
        precondition(limit > 0, "\(limit) directories in a round")
        self.blobs = blobs
        self.limit = limit
        self.now = now
        self.chance = chance
    }

    /// Looks at the next directories under `root`, each once. What `visit` throws ends the round.
    package func round(under root: BlobName, _ visit: (String) async throws -> Void) async throws {
        for name in try await page(under: root) {
            // Noted first: one that cannot be looked at ends its round, and the next goes on behind it.
            places.withLock { $0[root] = name }
            try await visit(name)
        }
    }

    private func page(under root: BlobName) async throws -> [String] {
        guard let after = try await place(under: root) else {
            return try await blobs.directories(under: root, after: nil, limit: limit)
        }
        var names = try await blobs.directories(under: root, after: after, limit: limit)
        guard names.count < limit else { return names }
        // Those were the last ones.
        let seen = Set(names)
        let first = try await blobs.directories(under: root, after: nil, limit: limit - names.count)
        names += first.filter { !seen.contains($0) }
        return names
    }

    private func place(under root: BlobName) async throws -> String? {
        if let known = places.withLock({ $0[root] }) { return known }
        return try await somePlace(under: root)
    }

    /// Where the first round begins: at some moment since the oldest directory was made, for their names tell the time.
    /// So nodes that start together do not all look at the same, and the last ones have their turn even where every
    /// node is restarted sooner than it has been through. Nil, the first one, where the oldest has no such name.
    private func somePlace(under root: BlobName) async throws -> String? {
        guard let first = try await blobs.directories(under: root, after: nil, limit: 1).first,
            let oldest = UploadID("upload_" + first)?.madeAt
        else { return nil }
        let age = max(0, now().seconds(since: oldest))
        let moment = oldest.advanced(bySeconds: age * chance.fraction())
        return chance.draw { String(UploadID(at: moment, using: &$0).ulid) }
    }
}
