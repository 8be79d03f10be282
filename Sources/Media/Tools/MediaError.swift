package import ClipModel

/// What went wrong in this module.
///
/// Inside the module code branches on `code`; `detail` is for the log and may hold what a tool printed. What leaves
/// the module for clients and the schedule is `failure`, whose words are fixed per code, so that no path and no text
/// of a user's file can slip out with it.
package struct MediaError: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: Code
    package let detail: String

    package init(_ code: Code, _ detail: String = "") {
        self.code = code
        self.detail = detail
    }

    package var description: String { detail.isEmpty ? code.rawValue : "\(code.rawValue): \(detail)" }

    /// The form that crosses to the schedule, operators and clients.
    package var failure: Failure { code.failure }

    /// Stable: these are the `code` of a `Failure`, and the page translates them.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        // A tool, whatever it was doing.
        case toolMissing = "tool_missing"
        case toolStartFailed = "tool_start_failed"
        case toolFailed = "tool_failed"
        case toolKilled = "tool_killed"
        case wallLimit = "tool_wall_limit"
        case silenceLimit = "tool_silent"
        case cpuLimit = "tool_cpu_limit"
        case memoryLimit = "tool_memory_limit"
        case outputLimit = "tool_output_limit"
        case unexpectedOutput = "tool_unexpected_output"
        case diskFull = "disk_full"
        case fileUnreadable = "file_unreadable"
        case cancelled = "cancelled"

        // What the bytes are, before any decoder saw them.
        case emptyFile = "empty_file"
        case truncatedFile = "truncated_file"
        case unknownFormat = "unknown_format"
        case textFile = "text_file"
        case archiveFile = "archive_file"
        case imageFile = "image_file"
        case documentFile = "document_file"
        case executableFile = "executable_file"
        case playlistFile = "playlist_file"

        // What the prober says of it.
        case noStreams = "no_streams"
        case noVideoStream = "no_video_stream"
        case codecRefused = "codec_refused"
        case tooManyStreams = "too_many_streams"
        case unknownDuration = "unknown_duration"
        case tooShort = "too_short"
        case tooLong = "too_long"
        case pictureTooLarge = "picture_too_large"
        case pictureTooSmall = "picture_too_small"
        case encrypted = "encrypted"
        case undecodable = "undecodable"

        // Speech and transcripts.
        case speechModelMissing = "speech_model_missing"
        case speechModelBroken = "speech_model_broken"
        case speechWorkerLost = "speech_worker_lost"
        case speechFailed = "speech_failed"
        case transcriptUnreadable = "transcript_unreadable"
        case transcriptEmpty = "transcript_empty"
        case transcriptTooLarge = "transcript_too_large"

        // Pictures and clips.
        case faceModelMissing = "face_model_missing"
        case visionFailed = "vision_failed"
        case renderFailed = "render_failed"
        case clipRejected = "clip_rejected"
    }
}
