package import ClipModel
import Media

/// What was measured on the rendered file. The render stage measures what it makes, and hands on its figures; a file
/// that a node of an older release rendered is measured here.
package enum CheckStage: PipelineStage {
    package static let name = StageName.check
    package static let version = 2

    package static func ingredients(
        _ inputs: StageInputs, _ versions: ToolVersions
    ) throws(Failure) -> CacheIngredients? {
        var ingredients = CacheIngredients()
        ingredients["render"] = try inputs.identity(of: StageKey(.render, inputs.key.index))
        ingredients["ffmpeg"] = versions.ffmpeg
        ingredients["faceModel"] = versions.faceModel
        return ingredients
    }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        let inputs = context.inputs
        let reframe = try inputs.body(ReframeResult.self, inputs.key.index)
        let render = try inputs.body(RenderResult.self, inputs.key.index)
        if let figures = render.figures { return try StageOutput(CheckResult(figures: figures)) }
        let verdict = try await ClipCheck.run(
            path: try await context.path(of: render.video, sha256: render.videoSHA256),
            facts: try inputs.body(ProbeResult.self).facts, clip: try inputs.clipRange(),
            size: inputs.options.aspect.pixels, framing: try await context.load(Framing.self, reframe.framing),
            faceModelPath: context.toolbox.configuration.faceModelPath, toolbox: context.toolbox,
            threads: context.threads, progress: context.progress)
        return try StageOutput(CheckResult(figures: verdict.figures))
    }
}
