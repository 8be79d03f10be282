package import ClipModel

/// A file that the door gives away, and its address.
package enum DownloadTarget: Sendable, Hashable {
    case video(ClipID)
    case subtitles(ClipID, Captions)
    /// One of the pictures of a clip, counted from the best.
    case thumbnail(ClipID, choice: Int = 0)
    /// Everything of a job.
    case archive(JobID)

    package enum Captions: String, Sendable, Hashable, CaseIterable { case srt, vtt }

    package var path: String {
        switch self {
        case .video(let clip): "/api/clips/\(clip)/download"
        case .subtitles(let clip, _): "/api/clips/\(clip)/subtitles"
        case .thumbnail(let clip, _): "/api/clips/\(clip)/thumbnail"
        case .archive(let job): "/api/jobs/\(job)/archive"
        }
    }

    /// What of the query says which file is meant; empty: nothing does. `inline` only says how it is shown.
    package var query: String {
        switch self {
        case .subtitles(_, let captions): "format=\(captions.rawValue)"
        // The best goes without, so that addresses given away by an earlier release stay good.
        case .thumbnail(_, let choice) where choice > 0: "choice=\(choice)"
        case .video, .thumbnail, .archive: ""
        }
    }

    package var address: String { query.isEmpty ? path : path + "?" + query }
}
