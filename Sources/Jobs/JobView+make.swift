package import ClipModel
import Media
import Stages

extension JobView {
    /// Pure, so that every node answers alike.
    package init(
        job: Job, upload: Upload, stages: [Stage], clips: [Clip], revisions: [Revision] = [], nodes: [Node],
        queuePosition: Int?, now: Timestamp
    ) {
        let running = Self.fractions(of: stages, job: job.id, nodes: nodes)
        // A result that this version cannot read hides its figures, not the job.
        let plan = try? JobPlan(job: job, upload: upload, stages: stages, revisions: revisions)
        let costs = MeasuredCosts(merging: nodes.filter(\.isAlive).compactMap(\.condition.measuredCosts))
        let progress = plan.map { JobProgress(job: job, plan: $0, running: running, costs: costs, now: now) }
        let inputs = StageInputs(job: job, upload: upload, stages: stages, key: StageKey(.publish))
        id = job.id
        status = job.status
        stage = job.status.hasEnded ? nil : Self.current(stages)
        self.progress = ((progress?.fraction ?? 0) * 1000).rounded() / 10
        etaSeconds = progress?.etaSeconds
        self.queuePosition = queuePosition
        deferredUntil = job.deferredUntil(stages, at: now)
        options = job.options
        priority = job.priority
        self.upload = UploadView(id: upload.id, fileName: upload.fileName, bytes: upload.bytes)
        region = job.region
        durationSeconds = plan?.durationSeconds
        language = (try? inputs.body(TranscriptResult.self))?.language
        error = job.failure.map { ErrorView($0.failure, stage: $0.stage) }
        notes = job.notes
        interest = (try? inputs.body(HighlightsResult.self))?.interest
        createdAt = job.createdAt
        startedAt = job.startedAt
        endedAt = job.endedAt
        tookSeconds = job.tookSeconds
        self.stages = stages.map { stage in
            StageView(
                name: stage.key.name, index: stage.key.index, state: stage.state, node: stage.holder,
                progress: stage.state == .done ? 1 : running[stage.key] ?? 0, attempts: stage.attempts,
                reused: stage.reused, startedAt: stage.startedAt, endedAt: stage.endedAt,
                error: stage.failure.map { ErrorView($0, stage: stage.key) })
        }
        self.clips = clips.map { ClipView($0, chosen: plan?.highlights ?? []) }
    }

    /// How far the running stages are, as their holders reported it under the epoch that counts.
    private static func fractions(of stages: [Stage], job: JobID, nodes: [Node]) -> [StageKey: Double] {
        var fractions: [StageKey: Double] = [:]
        let reports = nodes.flatMap { node in node.running.map { (node.id, $0) } }.filter { $0.1.job == job }
        for stage in stages where stage.state == .running {
            let report = reports.first { $0.0 == stage.holder && $0.1.key == stage.key && $0.1.epoch == stage.epoch }
            fractions[stage.key] = report?.1.fraction ?? 0
        }
        return fractions
    }

    private static func current(_ stages: [Stage]) -> StageName? {
        let open = stages.filter { !$0.state.hasEnded }.sorted { $0.key < $1.key }
        return (open.first { $0.state == .running } ?? open.first)?.key.name
    }
}

extension Job {
    /// When the job is begun at the latest, if it was taken in to be begun later: no stage of it was ever claimed, and
    /// none may be yet. A retry that waits is something else, because its job has begun.
    func deferredUntil(_ stages: [Stage], at now: Timestamp) -> Timestamp? {
        guard status == .pending, let first = stages.map(\.notBefore).min(), first > now else { return nil }
        return first
    }
}
