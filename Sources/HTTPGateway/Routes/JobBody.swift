import ClipModel
import Jobs

/// `GET /api/jobs/{id}`, and the data of the events `snapshot` and `progress`.
struct JobBody: Encodable, Hashable, Sendable {
    let job: JobView
    let clips: [ClipBody]
    let links: Links

    struct Links: Encodable, Hashable, Sendable {
        /// Everything that is ready.
        let archive: String?
    }

    init(_ view: JobView, _ addresses: DownloadAddresses) {
        job = view
        clips = view.clips.map { ClipBody($0, addresses) }
        let hasFiles = view.clips.contains { $0.state == .ready && $0.hasVideo }
        links = Links(archive: hasFiles ? addresses[.archive(view.id)] : nil)
    }
}

/// A clip with the addresses of its files, so that no client has to put them together.
struct ClipBody: Encodable, Hashable, Sendable {
    let clip: JobView.ClipView
    let links: Links

    struct Links: Encodable, Hashable, Sendable {
        let download: String?
        let srt: String?
        let vtt: String?
        let thumbnail: String?
        /// All pictures to choose from, the best first.
        let thumbnails: [String]?
    }

    init(_ clip: JobView.ClipView, _ addresses: DownloadAddresses) {
        self.clip = clip
        links = Links(
            download: clip.hasVideo ? addresses[.video(clip.id)] : nil,
            srt: clip.hasSubtitles ? addresses[.subtitles(clip.id, .srt)] : nil,
            vtt: clip.hasSubtitles ? addresses[.subtitles(clip.id, .vtt)] : nil,
            thumbnail: clip.hasThumbnail ? addresses[.thumbnail(clip.id)] : nil,
            thumbnails: clip.thumbnails.map { count in
                (0..<count).map { addresses[.thumbnail(clip.id, choice: $0)] }
            })
    }

    private enum CodingKeys: String, CodingKey { case links }

    /// One flat object: the fields of the clip, and `links`.
    func encode(to encoder: any Encoder) throws {
        try clip.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(links, forKey: .links)
    }
}

/// One row of `GET /api/jobs`.
struct JobSummary: Encodable, Hashable, Sendable {
    let id: JobID
    let status: Job.Status
    let fileName: String?
    let region: Region
    let options: JobOptions
    let priority: Job.Priority
    let error: JobView.ErrorView?
    let createdAt: Timestamp
    let startedAt: Timestamp?
    let endedAt: Timestamp?
    let tookSeconds: Double?

    init(_ job: Job, fileName: String?) {
        id = job.id
        status = job.status
        self.fileName = fileName
        region = job.region
        options = job.options
        priority = job.priority
        error = job.failure.map { JobView.ErrorView($0.failure, stage: $0.stage) }
        createdAt = job.createdAt
        startedAt = job.startedAt
        endedAt = job.endedAt
        tookSeconds = job.tookSeconds
    }
}
