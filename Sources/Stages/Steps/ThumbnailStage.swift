import Blobs
package import ClipModel
import Media

/// Takes one good picture out of the rendered clip.
package enum ThumbnailStage: PipelineStage {
    package static let name = StageName.thumbnail
    package static let version = 2

    package static func ingredients(
        _ inputs: StageInputs, _ versions: ToolVersions
    ) throws(Failure) -> CacheIngredients? {
        var ingredients = CacheIngredients()
        ingredients["render"] = try inputs.identity(of: StageKey(.render, inputs.key.index))
        ingredients["ffmpeg"] = versions.ffmpeg
        return ingredients
    }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        let inputs = context.inputs
        let reframe = try inputs.body(ReframeResult.self, inputs.key.index)
        let render = try inputs.body(RenderResult.self, inputs.key.index)
        try await Thumbnail.run(
            clipPath: try await context.path(of: render.video, sha256: render.videoSHA256),
            framing: try await context.load(Framing.self, render.framing ?? reframe.framing),
            outputPath: context.scratch + "/thumbnail.jpg", toolbox: context.toolbox)
        let (name, facts) = try await context.keep("thumbnail.jpg")
        return try StageOutput(ThumbnailResult(thumbnail: name, bytes: facts.bytes), blobs: [name])
    }
}
