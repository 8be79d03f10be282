package import ClipModel
import Media

/// The clips of a job, as its stages and its revisions make them.
extension JobPlan {
    /// How a revision stands.
    package enum Standing: Sendable, Hashable {
        case open, published
        /// The clip stays as it was.
        case failed(Failure)
    }

    package var isPublished: Bool { isDone(StageKey(.publish)) }

    package func standing(of revision: Revision) -> Standing {
        let publish = StageKey(.publish, revision.slot)
        if isDone(publish) || publishing == revision.slot { return .published }
        if let failure = chainFailure(revision.slot)?.failure { return .failed(failure) }
        if let failure = stages[publish].flatMap({ $0.state == .failed ? $0.failure : nil }) {
            return .failed(failure)
        }
        let own = [StageName.reframe, .render, .check, .publish].compactMap { stages[StageKey($0, revision.slot)] }
        return jobHasEnded || own.contains { $0.state == .cancelled } ? .failed(Revision.stopped) : .open
    }

    /// The slot whose stages made what the clip shows; nil: nothing was published of it yet.
    package func slot(of clip: Int) -> Int? {
        published(clip)?.slot ?? ((highlights ?? []).indices.contains(clip) ? clip : nil)
    }

    /// The newest that is published.
    package func published(_ clip: Int) -> Revision? {
        revisions.filter { $0.clip == clip && standing(of: $0) == .published }.max { $0.number < $1.number }
    }

    /// The clips of the job, those made by hand behind those that it chose.
    package func clips(of job: JobID) throws(Failure) -> [Clip] {
        let chosen = highlights ?? []
        let byHand = Set(revisions.map(\.clip)).filter { $0 >= chosen.count }
        var clips: [Clip] = []
        for ordinal in Array(chosen.indices) + byHand.sorted() {
            let highlight = chosen.indices.contains(ordinal) ? chosen[ordinal] : nil
            clips.append(try clip(ClipID(job: job, ordinal: ordinal), highlight))
        }
        return clips
    }

    private func clip(_ id: ClipID, _ highlight: Highlight?) throws(Failure) -> Clip {
        let own = revisions.filter { $0.clip == id.ordinal }.sorted { $0.number < $1.number }
        let published = published(id.ordinal)
        // What a clip made by hand is to be, while there is nothing of it.
        let shown = published ?? (highlight == nil ? own.last : nil)
        let told = own.filter { $0.number <= shown?.number ?? 0 && ($0 == shown || standing(of: $0) == .published) }
        let title = told.last { $0.title != nil }?.title
        var clip = Clip(
            id: id, state: .planned, range: shown?.range ?? highlight?.range ?? TimeRange(start: 0, end: 0),
            title: title ?? highlight?.title ?? "", score: highlight?.score ?? 0,
            reason: highlight?.reason ?? Self.byHand, signals: highlight?.signals ?? [:])
        if let slot = shown?.slot ?? (highlight == nil ? nil : id.ordinal) { try fill(&clip, from: slot) }
        guard let last = own.last else { return clip }
        var revision = ClipRevision(
            number: published?.number ?? (highlight == nil ? 0 : 1), options: shown?.options,
            hasCaptions: shown?.hasCaptions ?? false, hasScenes: shown?.hasScenes ?? false)
        switch standing(of: last) {
        case .open: revision.pending = last.number
        case .published: break
        case .failed(let failure):
            revision.failure = failure
            if published == nil, highlight == nil { (clip.state, clip.failure) = (.error, failure) }
        }
        // Nothing of a clip made by hand is shown before it is published.
        if revision.number == 0 { (clip.files, clip.figures) = (nil, nil) }
        if revision.number == 0, clip.state == .ready { clip.state = .rendering }
        clip.revision = revision
        return clip
    }

    /// What the stages of one slot made.
    private func fill(_ clip: inout Clip, from slot: Int) throws(Failure) {
        if isDone(StageKey(.reframe, slot)) { clip.state = .rendering }
        if isDone(StageKey(.render, slot)) {
            let render = try inputs.body(RenderResult.self, slot)
            clip.files = ClipFiles(
                video: render.video, videoBytes: render.videoBytes, videoSHA256: render.videoSHA256, srt: render.srt,
                vtt: render.vtt)
        }
        if isDone(StageKey(.thumbnail, slot)) {
            let pictures = try inputs.body(ThumbnailResult.self, slot)
            clip.files?.thumbnail = pictures.thumbnail
            clip.files?.thumbnails = pictures.choices
            clip.files?.hashtags = pictures.hashtags
        }
        if isDone(StageKey(.check, slot)) { clip.figures = try inputs.body(CheckResult.self, slot).figures }
        switch chain(slot) {
        case .open: break
        case .succeeded: clip.state = .ready
        case .failed:
            clip.state = .error
            clip.failure = chainFailure(slot)?.failure
        }
    }

    private static let byHand = "Chosen by hand."
}
