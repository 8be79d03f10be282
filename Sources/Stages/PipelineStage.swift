package import ClipModel

/// One step of the pipeline. Knows nothing of leases, retries or nodes.
package protocol PipelineStage: Sendable {
    static var name: StageName { get }
    /// Raised whenever the same inputs would make something else: results of older versions are then not reused.
    static var version: Int { get }
    /// What decides the result. Nil: the result belongs to this job alone.
    static func ingredients(_ inputs: StageInputs, _ versions: ToolVersions) throws(Failure) -> CacheIngredients?
    /// Does the work. Ends early, with `CancellationError` or a failure, when its task is cancelled.
    static func run(_ context: StageContext) async throws -> StageOutput
}

extension PipelineStage {
    /// The key under which a result of these inputs is found again.
    package static func cacheKey(_ inputs: StageInputs, _ versions: ToolVersions) throws(Failure) -> String? {
        try ingredients(inputs, versions)?.key(of: name, version: version)
    }
}

extension StageName {
    /// The step that does the work of this name.
    package var step: any PipelineStage.Type {
        switch self {
        case .scan: ScanStage.self
        case .probe: ProbeStage.self
        case .audio: AudioStage.self
        case .shots: ShotsStage.self
        case .transcribe: TranscribeStage.self
        case .transcript: TranscriptStage.self
        case .highlights: HighlightsStage.self
        case .reframe: ReframeStage.self
        case .render: RenderStage.self
        case .check: CheckStage.self
        case .thumbnail: ThumbnailStage.self
        case .publish: PublishStage.self
        }
    }
}
