package import ClipModel
import Media

/// Finds where the shots of the picture end.
package enum ShotsStage: PipelineStage {
    package static let name = StageName.shots
    package static let version = 2

    package static func ingredients(
        _ inputs: StageInputs, _ versions: ToolVersions
    ) throws(Failure) -> CacheIngredients? {
        var ingredients = CacheIngredients()
        ingredients["probe"] = try inputs.identity(of: StageKey(.probe))
        ingredients["ffmpeg"] = versions.ffmpeg
        return ingredients
    }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        let cuts = try await ShotDetection.run(
            path: try await context.sourcePath, facts: try context.inputs.body(ProbeResult.self).facts,
            threads: context.threads, toolbox: context.toolbox, progress: context.progress)
        let blob = try await context.keep(json: cuts, as: "cuts.json")
        return try StageOutput(ShotsResult(cuts: blob, count: cuts.count), blobs: [blob])
    }
}
