package import ClipModel
import Media

/// A job as clients see it: the `job` of `GET /api/jobs/{id}`. Times are RFC 3339, durations seconds.
///
/// Field names are part of the API: add, do not rename.
package struct JobView: Codable, Hashable, Sendable {
    package var id: JobID
    package var status: Job.Status
    /// The earliest step that has not ended; nil once the job has.
    package var stage: StageName?
    /// 0 to 100.
    package var progress: Double
    /// The time left (`JobProgress`). Nil while it cannot be told, and once the job has ended.
    package var etaSeconds: Double?
    /// Jobs that are before this one; nil once it has begun.
    package var queuePosition: Int?
    /// When it is begun at the latest, if it was put off because too much came at once; nil otherwise.
    package var deferredUntil: Timestamp?
    package var options: JobOptions
    /// Absent from nodes of an earlier release.
    package var priority: Job.Priority?
    package var upload: UploadView
    package var region: Region
    /// Length of the source; nil before `probe` has measured it.
    package var durationSeconds: Double?
    /// What is spoken; nil before the transcript stands.
    package var language: String?
    package var error: ErrorView?
    package var notes: [Note]
    /// How interesting the video is along its length; nil before the clips are chosen.
    package var interest: [InterestPoint]?
    package var createdAt: Timestamp
    package var startedAt: Timestamp?
    package var endedAt: Timestamp?
    /// From its beginning to its end, without the time in which it had ended and was not yet revised or tried again;
    /// nil before either.
    package var tookSeconds: Double?
    package var stages: [StageView]
    package var clips: [ClipView]

    /// The source, as far as a client is told.
    package struct UploadView: Codable, Hashable, Sendable {
        package var id: UploadID
        package var fileName: String
        package var bytes: Int64
    }

    /// Why the job, a stage or a clip failed.
    package struct ErrorView: Codable, Hashable, Sendable {
        package var code: String
        package var stage: String?
        package var reason: String
        package var hint: String

        package init(_ failure: Failure, stage: StageKey?) {
            code = failure.code
            self.stage = stage?.description
            reason = failure.reason
            hint = failure.hint
        }
    }

    /// One row of the job's plan.
    package struct StageView: Codable, Hashable, Sendable {
        package var name: StageName
        package var index: Int
        package var state: Stage.State
        /// Who runs it, or ran it last.
        package var node: NodeID?
        /// 0 to 1.
        package var progress: Double
        package var attempts: Int
        package var reused: Bool
        package var startedAt: Timestamp?
        package var endedAt: Timestamp?
        package var error: ErrorView?
    }

    /// One clip; the door adds the addresses of its files where `has...` says that they exist.
    package struct ClipView: Codable, Hashable, Sendable {
        package var id: ClipID
        package var ordinal: Int
        package var state: Clip.State
        package var start: Double
        package var end: Double
        package var durationSeconds: Double
        package var title: String
        package var score: Double
        package var reason: String
        /// The reason by language: `en`, `es`, `pt`. Absent where an earlier release chose.
        package var reasons: [String: String]?
        package var signals: [String: Double]
        package var hasVideo: Bool
        package var hasSubtitles: Bool
        package var hasThumbnail: Bool
        /// How many pictures there are to choose from. Nil: one at most.
        package var thumbnails: Int?
        /// Suggested for whoever posts the clip, without the sign. Nil: made by an earlier release.
        package var hashtags: [String]?
        package var videoBytes: Int64?
        package var videoSHA256: String?
        package var figures: ClipFigures?
        package var error: ErrorView?
        /// Of what the files show: 1 as the job made it, 0 while nothing of a clip made by hand is there. Absent from
        /// nodes of an earlier release.
        package var revision: Int?
        /// The revision that is being made; the files stay those of `revision` until it is published.
        package var pendingRevision: Int?
        /// Why the revision that was asked for last did not come about.
        package var revisionError: ErrorView?
        /// What it was rendered with, where that is not what the job says.
        package var options: JobOptions?

        package init(_ clip: Clip) {
            id = clip.id
            ordinal = clip.id.ordinal
            state = clip.state
            start = clip.range.start
            end = clip.range.end
            durationSeconds = clip.durationSeconds
            title = clip.title
            score = clip.score
            reason = clip.reason
            signals = clip.signals
            hasVideo = clip.files != nil
            hasSubtitles = clip.files?.srt != nil
            hasThumbnail = clip.files?.thumbnail != nil
            thumbnails = clip.files?.thumbnails?.count
            hashtags = clip.files?.hashtags
            videoBytes = clip.files?.videoBytes
            videoSHA256 = clip.files?.videoSHA256
            figures = clip.figures
            error = clip.failure.map { ErrorView($0, stage: nil) }
            revision = clip.revision?.number ?? 1
            pendingRevision = clip.revision?.pending
            revisionError = clip.revision?.failure.map { ErrorView($0, stage: nil) }
            options = clip.revision?.options
        }

        /// With what only `highlights` knows: the same reason in other languages, and no other one.
        init(_ clip: Clip, chosen: [Highlight]) {
            self.init(clip)
            let own = chosen.indices.contains(clip.id.ordinal) ? chosen[clip.id.ordinal] : nil
            reasons = own?.reason == clip.reason ? own?.reasons : nil
        }
    }
}
