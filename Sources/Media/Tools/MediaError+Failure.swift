import ClipModel

/// One row per code: what the schedule may do, what happened, and what to do about it.
extension MediaError.Code {
    var failure: Failure {
        let (kind, reason, hint) = explanation
        // A full disk is waited for, as where blobs are stored: it is no video's fault.
        return Failure(kind, code: rawValue, reason: reason, hint: hint, waits: self == .diskFull)
    }

    private typealias Explanation = (Failure.Class, reason: String, hint: String)

    private var explanation: Explanation { toolExplanation ?? contentExplanation ?? laterExplanation }

    private var toolExplanation: Explanation? {
        switch self {
        case .toolMissing:
            (
                .resource, "A program that this node needs is not installed.",
                "Install it on the node: apt-get install ffmpeg util-linux bubblewrap (or set its path)."
            )
        case .toolStartFailed:
            (
                .resource, "A program could not be started on this node.",
                "Check the node's limits on processes and open files, and its free memory."
            )
        case .toolFailed:
            (
                .transient, "A media tool ended with an error.",
                "It is tried again. If it keeps failing, convert the video to H.264 in MP4 and upload that."
            )
        case .toolKilled:
            (
                .transient, "A media tool was killed by the system.",
                "It is tried again. If this repeats, the node is short of memory."
            )
        case .wallLimit:
            (
                .transient, "A media tool ran longer than its limit and was stopped.",
                "It is tried again. If this repeats, convert the video to H.264 in MP4, or raise the limit."
            )
        case .silenceLimit:
            (
                .transient, "A media tool stood still and was stopped.",
                "It is tried again. If this repeats, look at the disk and the memory of the node."
            )
        case .cpuLimit:
            (
                .poison, "A media tool used more processor time than its limit.",
                "Convert the video to H.264 in MP4, or raise the limit in the node's configuration."
            )
        case .memoryLimit:
            (
                .resource, "A media tool needed more memory than its limit.",
                "Upload the video in a smaller resolution, or raise the memory limit of the node's tools."
            )
        case .outputLimit:
            (
                .poison, "A media tool printed more than its limit.",
                "The file is unusual. Convert the video to H.264 in MP4 and upload that."
            )
        case .unexpectedOutput:
            (
                .poison, "A media tool printed something that could not be understood.",
                "The file is unusual. Convert the video to H.264 in MP4 and upload that."
            )
        case .diskFull:
            (
                .resource, "The disk of this node is full.",
                "Free space on the node's data directory; the work waits for that."
            )
        case .fileUnreadable:
            (
                .transient, "A file of the job could not be read on this node.",
                "It is tried again. If this repeats, check the node's data directory."
            )
        case .cancelled:
            (.cancelled, "The work was stopped on request.", "Start it again if you still want it.")
        default: nil
        }
    }

    private var contentExplanation: Explanation? {
        let send = "Upload a video file: MP4, MOV, MKV, WebM, AVI, MPEG, OGV, FLV or WMV."
        return switch self {
        case .emptyFile: (.poison, "The file is empty.", "Upload it again; the first try may have been cut off.")
        case .truncatedFile:
            (
                .poison, "The file ends too early: part of the video is missing.",
                "Upload it again in full; if it came from a camera or recorder, repair it there first."
            )
        case .unknownFormat: (.poison, "The file is not a video of a known format.", send)
        case .textFile: (.poison, "The file is text, not a video.", send)
        case .archiveFile: (.poison, "The file is an archive, not a video.", "Unpack it and upload the video inside.")
        case .imageFile: (.poison, "The file is a picture, not a video.", send)
        case .documentFile: (.poison, "The file is a document, not a video.", send)
        case .executableFile: (.poison, "The file is a program, not a video.", send)
        case .playlistFile:
            (
                .poison, "The file is a playlist: it only points at videos elsewhere.",
                "Download the video that it points at and upload that."
            )
        case .noStreams: (.poison, "The file holds neither picture nor sound.", send)
        case .noVideoStream: (.poison, "The file holds no moving picture.", send)
        case .codecRefused:
            (
                .poison, "The video uses a codec that is not opened here.",
                "Convert it to H.264 and AAC in MP4 and upload that."
            )
        case .tooManyStreams:
            (
                .poison, "The file holds more tracks than this service accepts.",
                "Upload a version with one picture and one sound track."
            )
        case .unknownDuration:
            (
                .poison, "The length of the video cannot be told.",
                "Remux it (ffmpeg -i in -c copy out.mp4) and upload the result."
            )
        case .tooShort: (.poison, "The video is too short to make a clip from.", "Upload a video of at least 1 second.")
        case .tooLong:
            (.poison, "The video is longer than this service accepts.", "Cut it into parts and upload them one by one.")
        case .pictureTooLarge:
            (.poison, "The picture is larger than this service accepts.", "Scale it to 4K or less and upload that.")
        case .pictureTooSmall:
            (.poison, "The picture is too small to make a clip from.", "Upload a version with more pixels.")
        case .encrypted:
            (.poison, "The video is encrypted.", "Export it without copy protection and upload that.")
        case .undecodable:
            (
                .poison, "No frame of the video can be decoded.",
                "The file is damaged, or its codec is not supported: convert it to H.264 in MP4 and upload that."
            )
        default: nil
        }
    }

    private var laterExplanation: Explanation {
        switch self {
        case .speechModelMissing:
            (
                .resource, "This node has no speech model.",
                "Run cluster/up again, or set the path of the model in the configuration."
            )
        case .speechModelBroken:
            (
                .resource, "The speech model of this node cannot be loaded.",
                "Download it again: remove it, run cluster/up."
            )
        case .speechWorkerLost:
            (.transient, "The speech recogniser stopped in the middle of its work.", "It is started and tried again.")
        case .speechFailed:
            (
                .transient, "The speech recogniser could not work on this stretch of sound.",
                "It is tried again. If it keeps failing, upload a transcript (SRT, VTT or JSON) with the video."
            )
        case .transcriptUnreadable:
            (
                .poison, "The transcript that came with the video cannot be read.",
                "Send SRT, WebVTT, or JSON with words or segments and their times, as UTF-8."
            )
        case .transcriptEmpty:
            (
                .poison, "The transcript that came with the video holds no words.",
                "Send one with words, or leave it out."
            )
        case .transcriptTooLarge:
            (.poison, "The transcript that came with the video is too large.", "Send only the words and their times.")
        case .faceModelMissing:
            (
                .resource, "This node has no face model.",
                "Run cluster/up again, or set the path of the model in the configuration."
            )
        case .visionFailed:
            (.transient, "The frames of the video could not be analysed.", "It is tried again.")
        case .renderFailed:
            (
                .transient, "The clip could not be rendered.",
                "It is tried again. If it keeps failing, convert the video to H.264 in MP4 and upload that."
            )
        case .clipRejected:
            (.transient, "The rendered clip did not pass its checks.", "It is rendered again.")
        default:
            // Every code is in one of the three tables; a test walks them all.
            preconditionFailure("\(rawValue) has no explanation")
        }
    }
}
