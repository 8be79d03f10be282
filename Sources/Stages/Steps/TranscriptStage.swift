package import ClipModel
import Media

/// Joins the words of all chunks into one transcript.
package enum TranscriptStage: PipelineStage {
    package static let name = StageName.transcript
    package static let version = 1

    package static func ingredients(
        _ inputs: StageInputs, _ versions: ToolVersions
    ) throws(Failure) -> CacheIngredients? {
        var ingredients = CacheIngredients()
        ingredients["audio"] = try inputs.identity(of: StageKey(.audio))
        for key in inputs.keys(of: .transcribe) { ingredients["\(key)"] = try inputs.identity(of: key) }
        return ingredients
    }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        var chunks: [TranscribedChunk] = []
        for body in try context.inputs.bodies(TranscribeResult.self) {
            chunks.append(try await context.load(TranscribedChunk.self, body.chunk))
        }
        let transcript = await merge(chunks, context.effort)
        let blob = try await context.keep(json: transcript, as: "transcript.json")
        let body = TranscriptResult(transcript: blob, language: transcript.language, words: transcript.words.count)
        return try StageOutput(body, blobs: [blob])
    }

    @concurrent private static func merge(_ chunks: [TranscribedChunk], _ effort: EffortMeter) async -> Transcript {
        effort.measure { TranscriptMerge.merge(chunks) }
    }
}
