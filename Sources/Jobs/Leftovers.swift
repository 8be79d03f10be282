package import Blobs
package import ClipModel
import Stages

/// Tells blobs that an attempt left behind from those that count.
package enum Leftovers {
    /// Those of `listed` that no result names and no attempt can still publish.
    /// - Parameter stages: all of the job, as they are now or were when it was deleted.
    package static func select(_ listed: [ListedBlob], stages: [Stage], olderThan moment: Timestamp) -> [BlobName] {
        let named = Set(stages.flatMap { $0.result?.blobs ?? [] })
        let rows = Dictionary(stages.map { ($0.key, $0) }) { first, _ in first }
        return listed.filter { blob in
            guard blob.changedAt < moment, !named.contains(blob.name), let owner = StageAttempt(owning: blob.name),
                let row = rows[owner.key]
            else { return false }
            // A running attempt of the latest epoch may still publish what it has written.
            return owner.epoch < row.epoch || row.state.hasEnded
        }.map(\.name)
    }
}
