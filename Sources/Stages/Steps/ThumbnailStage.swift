import Blobs
package import ClipModel
import Media

/// Takes good pictures out of the rendered clip, and suggests what to post it under.
package enum ThumbnailStage: PipelineStage {
    package static let name = StageName.thumbnail
    package static let version = 3

    /// Pictures that a client may choose from.
    package static let choices = 3

    package static func ingredients(
        _ inputs: StageInputs, _ versions: ToolVersions
    ) throws(Failure) -> CacheIngredients? {
        var ingredients = CacheIngredients()
        ingredients["render"] = try inputs.identity(of: StageKey(.render, inputs.key.index))
        ingredients["transcript"] = try inputs.identity(of: StageKey(.transcript))
        ingredients["clip"] = "\(try inputs.clipRange())"
        ingredients.add(keywords: inputs.options.keywords)
        ingredients["ffmpeg"] = versions.ffmpeg
        ingredients["faceModel"] = versions.faceModel
        return ingredients
    }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        let inputs = context.inputs
        let reframe = try inputs.body(ReframeResult.self, inputs.key.index)
        let render = try inputs.body(RenderResult.self, inputs.key.index)
        let names = ["thumbnail.jpg"] + (1..<choices).map { "thumbnail-\($0).jpg" }
        let count = try await Thumbnail.run(
            clipPath: try await context.path(of: render.video, sha256: render.videoSHA256),
            framing: try await context.load(Framing.self, render.framing ?? reframe.framing),
            geometry: FrameGeometry(
                source: try inputs.body(ProbeResult.self).facts.displaySize, frame: inputs.options.aspect.pixels),
            outputPaths: names.map { context.scratch + "/" + $0 }, toolbox: context.toolbox)
        var pictures: [(name: BlobName, facts: BlobFacts)] = []
        for name in names.prefix(count) { pictures.append(try await context.keep(name)) }
        var body = ThumbnailResult(thumbnail: pictures[0].name, bytes: pictures[0].facts.bytes)
        body.choices = pictures.map(\.name)
        let transcript = try await context.load(Transcript.self, inputs.body(TranscriptResult.self).transcript)
        let clip = try inputs.clipRange()
        body.hashtags = context.effort.measure {
            Hashtags.suggest(transcript, in: clip, keywords: inputs.options.keywords)
        }
        return try StageOutput(body, blobs: pictures.map(\.name))
    }
}
