/// Bytes that a client sent and that arrived whole.
package struct Upload: Hashable, Sendable, Codable {
    package let id: UploadID
    /// What the client called the file. For display only; it never becomes part of a path or a command.
    package let fileName: String
    package let bytes: Int64
    /// Lower-case hexadecimal SHA-256 of the bytes.
    package let sha256: String
    package let blob: BlobName
    /// A transcript that the client sent along (SRT, VTT or JSON), which then replaces speech recognition.
    package let transcript: SidecarTranscript?
    package let createdAt: Timestamp

    package init(
        id: UploadID, fileName: String, bytes: Int64, sha256: String, blob: BlobName,
        transcript: SidecarTranscript? = nil, createdAt: Timestamp
    ) {
        self.id = id
        self.fileName = fileName
        self.bytes = bytes
        self.sha256 = sha256
        self.blob = blob
        self.transcript = transcript
        self.createdAt = createdAt
    }
}

/// A transcript file that came with an upload.
package struct SidecarTranscript: Hashable, Sendable, Codable {
    package enum Format: String, Sendable, Codable, CaseIterable { case srt, vtt, json }
    package let format: Format
    package let blob: BlobName
    package let sha256: String

    package init(format: Format, blob: BlobName, sha256: String) {
        self.format = format
        self.blob = blob
        self.sha256 = sha256
    }
}
