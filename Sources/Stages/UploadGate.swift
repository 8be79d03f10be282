package import Antivirus
import Blobs
package import ClipModel
package import Store

/// Keeps malware from decoders: has uploads looked at before anything opens them, and puts away what is found.
package struct UploadGate: Sendable {
    /// What follows when the scanner gives no verdict.
    package enum WhenAway: String, Sendable, Hashable, CaseIterable {
        /// The job waits until it does.
        case closed
        /// The job goes on, with a note.
        case open
    }

    /// What follows when a file is larger than what the scanner takes in one piece (`streamBytesMax`).
    package enum WhenLarge: String, Sendable, Hashable, CaseIterable {
        /// It is looked at in overlapping pieces: a pattern is found wherever it stands; what is told by the whole file
        /// alone, as a digest is, is not.
        case pieces
        /// The job ends with a reason.
        case refuse
        /// The job goes on, with a note.
        case pass
    }

    let clamd: Clamd
    let book: any QuarantineBook
    let node: NodeID
    let whenAway: WhenAway
    let whenLarge: WhenLarge
    let onFound: @Sendable (QuarantineEntry) -> Void

    /// - Parameter onFound: told of every upload in which something was found. Must return at once.
    package init(
        clamd: Clamd, book: any QuarantineBook, node: NodeID, whenAway: WhenAway = .closed,
        whenLarge: WhenLarge = .pieces, onFound: @escaping @Sendable (QuarantineEntry) -> Void = { _ in }
    ) {
        self.clamd = clamd
        self.book = book
        self.node = node
        self.whenAway = whenAway
        self.whenLarge = whenLarge
        self.onFound = onFound
    }

    package var isClosedWhenAway: Bool { whenAway == .closed }

    /// Ends with notes for the client when the upload may be opened; throws when it may not.
    func pass(
        _ upload: Upload, of job: Job, in blobs: any BlobStore, progress: @Sendable (Double) -> Void
    ) async throws -> [Note] {
        // The same bytes are not looked at twice: another job of them ends at once, scanner or not.
        if let signature = try await book.quarantined(sha256: upload.sha256) {
            throw try await putAway(upload, of: job, signature, blobs)
        }
        let streams = clamd.configuration.streams(ofBytes: upload.bytes)
        if streams.count > 1 {
            switch whenLarge {
            case .pieces: break
            case .refuse: throw Self.tooLarge(clamd.configuration.streamBytesMax)
            case .pass: return [Self.largeNote]
            }
        }
        do {
            for stream in streams {
                // In blocks as suit the store; the client cuts them as suits clamd.
                let blocks = try await blobs.read(upload.blob, range: stream)
                if case .infected(let signature) = try await clamd.scan(blocks) {
                    throw try await putAway(upload, of: job, signature, blobs)
                }
                progress(Double(stream.upperBound) / Double(upload.bytes))
            }
            return []
        } catch let error as ClamdError {
            switch whenAway {
            case .closed: throw Self.away(error)
            case .open: return [Self.openNote]
            }
        }
    }

    /// First the book, then the bytes: whoever comes after a crash in between finds the entry and moves them. Where an
    /// equal upload stands at the same bytes, whose own jobs have all ended, those stay for it until its next scan.
    private func putAway(
        _ upload: Upload, of job: Job, _ signature: String, _ blobs: any BlobStore
    ) async throws -> Failure {
        let entry = QuarantineEntry(
            upload: upload.id, sha256: upload.sha256, bytes: upload.bytes, signature: signature, job: job.id,
            tenant: job.tenant, node: node, foundAt: job.createdAt)
        try await book.quarantine(entry)
        let kept = QuarantineEntry.blobName(of: upload.id)
        if try await book.isShared(upload.blob, besides: upload.id) {
            try await blobs.copy(upload.blob, to: kept)
        } else {
            try await blobs.move(upload.blob, to: kept)
        }
        onFound(entry)
        return Self.infected(signature)
    }

    // MARK: Words

    private static func infected(_ signature: String) -> Failure {
        Failure(
            .poison, code: "infected", reason: "The file holds malware: \(signature).",
            hint: "Nothing of it was opened. Clean the machine that it comes from and send another file.")
    }

    private static func tooLarge(_ limitBytes: Int64) -> Failure {
        Failure(
            .poison, code: "too_large_to_scan",
            reason: "The file is larger than the \(limitBytes) bytes that are scanned for malware here.",
            hint: "Send a shorter video; operators find antivirus.large in the configuration.")
    }

    /// `resource`, because every node may have a scanner of its own: another one is asked first.
    private static func away(_ error: ClamdError) -> Failure {
        let reason =
            switch error.code {
            case .away: "The virus scanner does not answer, and nothing is opened that was not scanned."
            case .late: "The virus scanner took too long, and nothing is opened that was not scanned."
            case .broken: "The virus scanner broke off, and nothing is opened that was not scanned."
            case .streamTooLong: "The virus scanner takes less at once than antivirus.streamBytesMax says."
            case .refused: "The virus scanner gave no verdict, and nothing is opened that was not scanned."
            }
        let hint =
            error.code == .streamTooLong
            ? "Make clamd's StreamMaxLength and antivirus.streamBytesMax equal; the job goes on by itself."
            : "The job goes on by itself when clamd answers again; operators see why in the node's log."
        return Failure(.resource, code: "antivirus_away", reason: reason, hint: hint, waits: true)
    }

    private static let openNote = Note(
        code: "not_scanned", text: "The virus scanner did not answer; the video was opened without a scan.")
    private static let largeNote = Note(
        code: "not_scanned", text: "The video is too large to be scanned for malware and was opened without a scan.")
}
