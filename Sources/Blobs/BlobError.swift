package import ClipModel

/// Why bytes could not be stored, found or read.
package struct BlobError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// No room: the file system is full, or closer to full than `BlobLimits.freeBytesMin` allows.
        case full = "disk_full"
        /// More bytes than this machine's cache holds, however empty it is.
        case cacheTooSmall = "blob_cache_too_small"
        /// No blob has this name.
        case missing = "blob_missing"
        /// More bytes than the caller allowed.
        case tooLarge = "blob_too_large"
        /// The bytes asked for do not lie inside the blob.
        case rangeInvalid = "blob_range_invalid"
        /// A blob has this name, and the caller asked for a free one.
        case exists = "blob_exists"
        /// The directory, or the bucket, cannot be used by this process.
        case denied = "blob_directory_denied"
        /// The service that keeps the blobs did not answer, or not in time.
        case unavailable = "blob_store_unavailable"
        /// The bytes are not those that were stored.
        case corrupt = "blob_corrupt"
        /// The operating system, or the service, refused for any other reason.
        case broken = "blob_store_broken"
    }

    package let code: Code
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package static func missing(_ name: BlobName) -> BlobError { BlobError(.missing, "no blob is called \(name)") }

    package var description: String { "\(code.rawValue): \(detail)" }

    /// The same in the words of the schedule. `detail` stays behind: it may name a path. What no try of this work can
    /// change, a full disk and a service that is away, is waited for: it is no video's fault.
    package var failure: Failure {
        switch code {
        case .full:
            Failure(
                .resource, code: code.rawValue, reason: "The disk of a node has no room left.",
                hint: "Free space in the node's blob directory or move it to a larger disk; the work waits for that.",
                waits: true)
        case .cacheTooSmall:
            Failure(
                .resource, code: code.rawValue, reason: "A file is larger than all that a node keeps of the bucket.",
                hint: "Raise blobs.cacheBytesMax on every node and retry the job, or send a smaller file.")
        case .missing:
            Failure(
                .resource, code: code.rawValue, reason: "A node does not find a file that an earlier stage made.",
                hint: "Check that all nodes share one blob store; retry the job to make the file again.")
        case .tooLarge:
            Failure(
                .poison, code: code.rawValue, reason: "A file is larger than its limit.",
                hint: "Send a shorter video or raise the limit in the node's configuration.")
        case .rangeInvalid:
            Failure(
                .poison, code: code.rawValue, reason: "Bytes were asked for that the file does not have.",
                hint: "Ask for a range inside the file.")
        case .exists:
            Failure(
                .transient, code: code.rawValue, reason: "A file of this name was stored already.",
                hint: "The work is tried again.")
        case .denied:
            Failure(
                .resource, code: code.rawValue, reason: "A node may not use its blob store.",
                hint: "Give the node the right to read, write, list and remove in its blob directory or bucket.")
        case .unavailable:
            Failure(
                .transient, code: code.rawValue, reason: "The service that keeps the files does not answer.",
                hint: "The work waits for it and then goes on; look at the S3 service and at the network.",
                waits: true)
        case .corrupt:
            Failure(
                .transient, code: code.rawValue, reason: "A file arrived otherwise than it was stored.",
                hint: "The work is tried again; if this repeats, run `tijera blobs check` and retry the job.")
        case .broken:
            Failure(
                .transient, code: code.rawValue, reason: "The disk of a node did not answer as it should.",
                hint: "The work is tried again; look into the kernel log of the node if this repeats.")
        }
    }
}
