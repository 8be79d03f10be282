package import ClipModel
import Media

/// Writes the manifest: everything that is known of the job and its clips, for those who only see the files.
package enum PublishStage: PipelineStage {
    package static let name = StageName.publish
    package static let version = 1

    /// A manifest names its job and its times, so it is never shared.
    package static func ingredients(
        _ inputs: StageInputs, _ versions: ToolVersions
    ) throws(Failure) -> CacheIngredients? { nil }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        let manifest = try Manifest(context.inputs, tools: context.tools.versions, publishedAt: context.startedAt)
        let blob = try await context.keep(json: manifest, as: "manifest.json")
        return try StageOutput(PublishResult(manifest: blob, clips: manifest.clips.count), blobs: [blob])
    }
}
