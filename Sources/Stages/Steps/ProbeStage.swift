package import ClipModel
import Media

/// Measures the source and refuses what no clip can be made of.
package enum ProbeStage: PipelineStage {
    package static let name = StageName.probe
    package static let version = 1

    package static func ingredients(
        _ inputs: StageInputs, _ versions: ToolVersions
    ) throws(Failure) -> CacheIngredients? {
        var ingredients = CacheIngredients()
        // Of the bytes themselves: what scan makes of them is not always shared.
        ingredients["source"] = inputs.upload.sha256
        ingredients["ffmpeg"] = versions.ffmpeg
        return ingredients
    }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        let facts = try await Probe.run(path: try await context.sourcePath, toolbox: context.toolbox)
        return try StageOutput(ProbeResult(facts: facts))
    }
}
