package import ClipModel
import Media
import Store

/// What a stage may know before it runs: the job, its upload, and the results of the stages before it.
package struct StageInputs: Sendable {
    package let job: Job
    package let upload: Upload
    package let key: StageKey
    /// Those of the job, where the stage may be one of theirs.
    package let revisions: [Revision]
    /// What a client changed of the clip that this stage is about.
    package let edits: ClipEdits
    private let stages: [Stage]
    private let results: [StageKey: StageResult]

    /// Each stage of a job looks at the results of those before it.
    private static let bodies = Memo()

    package init(
        job: Job, upload: Upload, stages: [Stage], revisions: [Revision] = [], edits: ClipEdits = ClipEdits(),
        key: StageKey
    ) {
        self.revisions = revisions
        self.edits = edits
        self.job = job
        self.upload = upload
        self.key = key
        self.stages = stages
        var results: [StageKey: StageResult] = [:]
        for stage in stages where stage.state == .done { results[stage.key] = stage.result }
        self.results = results
    }

    /// Those of the job, or of the revision that this stage of a clip belongs to.
    package var options: JobOptions { revision?.options ?? job.options }

    private var revision: Revision? { Self.revision(of: key, in: revisions) }

    /// The revision that a stage of a clip belongs to; nil: it is of the job's own.
    package static func revision(of key: StageKey, in revisions: [Revision]) -> Revision? {
        key.name.isOfClips ? revisions.first { $0.slot == key.index } : nil
    }

    /// The result of an earlier stage.
    package func body<Body: StageBody>(_ type: Body.Type, _ index: Int = 0) throws(Failure) -> Body {
        try Self.bodies.value(of: try result(StageKey(type.stage, index)).body) { text throws(Failure) in
            try StageJSON.decode(type, from: text.utf8)
        }
    }

    /// Stands for the content of an earlier result in the cache keys of those that use it.
    package func identity(of key: StageKey) throws(Failure) -> String {
        let result = try result(key)
        return result.cacheKey ?? result.id.rawValue
    }

    /// Every result before this stage, in the order of their keys.
    package func bodies<Body: StageBody>(_ type: Body.Type) throws(Failure) -> [Body] {
        var bodies: [Body] = []
        for key in keys(of: type.stage) { bodies.append(try body(type, key.index)) }
        return bodies
    }

    /// The finished stages of one kind, in the order of their index.
    package func keys(of name: StageName) -> [StageKey] { results.keys.filter { $0.name == name }.sorted() }

    /// The whole job as it stood when this stage began.
    package func plan() throws(Failure) -> JobPlan {
        try JobPlan(
            job: job, upload: upload, stages: stages, revisions: revisions,
            publishing: key.name == .publish && key.index > 0 ? key.index : nil)
    }

    /// The length of the source; 0 before it was probed.
    package var durationSeconds: Double { (try? body(ProbeResult.self))?.facts.durationSeconds ?? 0 }

    /// How many seconds of video this stage works on: its chunk, its clip, or the whole source.
    package var workSeconds: Double {
        switch key.name {
        case .reframe, .render, .check, .thumbnail: (try? clipRange().duration) ?? durationSeconds
        case .transcribe:
            // A transcript that came with the upload has no chunks; reading it costs next to nothing.
            (try? body(AudioResult.self)).flatMap { sound in
                sound.chunks.indices.contains(key.index) ? sound.chunks[key.index].duration : nil
            } ?? durationSeconds
        // Nobody knows its length yet; how long it takes goes by its bytes.
        case .scan: Double(upload.bytes) / FairShare.bytesPerSecond
        case .probe, .audio, .shots, .transcript, .highlights, .publish: durationSeconds
        }
    }

    /// What `StageCost` says of this stage; nil where it says nothing true: a transcript that came with the upload is
    /// only read, and of a video without sound none is taken out. As runs like others they would make a node look
    /// quick.
    package var costSeconds: Double? {
        switch key.name {
        case .transcribe where upload.transcript != nil: nil
        case .audio where (try? body(ProbeResult.self))?.facts.audioStream == nil: nil
        default: StageCost.seconds(key.name, over: workSeconds)
        }
    }

    /// The part of the source that this stage of a clip is about.
    package func clipRange() throws(Failure) -> TimeRange {
        if let revision { return revision.range }
        let highlights = try body(HighlightsResult.self).highlights
        guard highlights.indices.contains(key.index) else { throw Self.missing(key) }
        return highlights[key.index].range
    }

    private func result(_ key: StageKey) throws(Failure) -> StageResult {
        guard let result = results[key] else { throw Self.missing(key) }
        return result
    }

    private static func missing(_ key: StageKey) -> Failure {
        // The pipeline opens a stage only after its inputs, so this is a defect and trying again would not help.
        Failure(
            .poison, code: "input_missing", reason: "The result of \(key) is missing.",
            hint: "Report this with the identifier of the job.")
    }
}
