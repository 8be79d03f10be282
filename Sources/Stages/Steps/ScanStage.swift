package import ClipModel
import Media

/// Looks at the bytes before any decoder does: what they are, and whether that is something to open at all.
package enum ScanStage: PipelineStage {
    package static let name = StageName.scan
    package static let version = 1

    package static func ingredients(
        _ inputs: StageInputs, _ versions: ToolVersions
    ) throws(Failure) -> CacheIngredients? {
        var ingredients = CacheIngredients()
        ingredients["source"] = inputs.upload.sha256
        return ingredients
    }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        let format = try await inspect(try await context.sourcePath, context.effort)
        return try StageOutput(ScanResult(format: format.rawValue))
    }

    /// Walks the structure of the file, which may wait for the disk.
    @concurrent private static func inspect(
        _ path: String, _ effort: EffortMeter
    ) async throws(MediaError) -> SniffedFormat {
        try effort.measure { () throws(MediaError) in try Sniffer.inspect(path) }
    }
}
