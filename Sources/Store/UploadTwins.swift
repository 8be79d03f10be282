package import ClipModel

/// Two uploads of the same bytes, each with a blob of its own.
package struct UploadTwins: Hashable, Sendable {
    package let earlier: UploadID
    package let later: UploadID
    /// Where the bytes of the earlier one stand, and how many there are.
    package let blob: BlobName
    package let bytes: Int64

    package init(earlier: UploadID, later: UploadID, blob: BlobName, bytes: Int64) {
        self.earlier = earlier
        self.later = later
        self.blob = blob
        self.bytes = bytes
    }
}

/// Lets uploads of the same bytes stand at one blob. Who counts how many there are is whoever frees blobs: what an
/// upload names is not free.
///
/// Only uploads that rest: jobs use them, none of those is under way, no stage of one that has ended still runs, and
/// nothing was found in them. So nobody reads the bytes that are given up, and a client is answered as if its upload
/// were the only one. And a node of the release before, which takes the bytes of an upload without jobs for nobody
/// else's, finds none among them.
package protocol UploadTwinBook: Sendable {
    /// Those whose later one came in the last `seconds`, at most `limit`, oldest first; each with the earliest that it
    /// could share with.
    func twins(withinSeconds seconds: Int, limit: Int) async throws -> [UploadTwins]
    /// The later one stands where the earlier one does from now on. Answers with the blob that nothing names any more;
    /// nil: they rest no longer, or stand together already.
    func unite(_ twins: UploadTwins) async throws -> BlobName?
}

extension InMemoryStore: UploadTwinBook {
    package func twins(withinSeconds seconds: Int, limit: Int) -> [UploadTwins] {
        let oldest = clock().advanced(bySeconds: -Double(seconds))
        let resting = uploads.values.filter { rests($0.id) }
            .sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        var found: [UploadTwins] = []
        for (place, later) in resting.enumerated() where later.createdAt > oldest && found.count < limit {
            let earlier = resting[..<place].first {
                $0.sha256 == later.sha256 && $0.bytes == later.bytes && $0.blob != later.blob
            }
            guard let earlier else { continue }
            found.append(
                UploadTwins(earlier: earlier.id, later: later.id, blob: earlier.blob, bytes: earlier.bytes))
        }
        return found
    }

    package func unite(_ twins: UploadTwins) -> BlobName? {
        guard rests(twins.earlier), rests(twins.later), let earlier = uploads[twins.earlier],
            let later = uploads[twins.later], earlier.sha256 == later.sha256, earlier.bytes == later.bytes,
            earlier.blob != later.blob
        else { return nil }
        uploads[later.id] = Upload(
            id: later.id, fileName: later.fileName, bytes: later.bytes, sha256: later.sha256, blob: earlier.blob,
            transcript: later.transcript, createdAt: later.createdAt)
        return unnamed([later.blob]).first
    }

    private func rests(_ upload: UploadID) -> Bool {
        let using = entries.values.filter { $0.job.upload == upload }
        return !using.isEmpty && quarantineBook[upload] == nil
            && using.allSatisfy { entry in
                entry.job.status.hasEnded && entry.stages.values.allSatisfy { $0.stage.state != .running }
            }
    }
}
