package import ClipModel
import Media

/// Chooses the moments that become clips, and says why.
package enum HighlightsStage: PipelineStage {
    package static let name = StageName.highlights
    package static let version = 3

    package static func ingredients(
        _ inputs: StageInputs, _ versions: ToolVersions
    ) throws(Failure) -> CacheIngredients? {
        // What a language model says is no function of these.
        guard !versions.reranks else { return nil }
        var ingredients = CacheIngredients()
        ingredients["transcript"] = try inputs.identity(of: StageKey(.transcript))
        ingredients["audio"] = try inputs.identity(of: StageKey(.audio))
        ingredients["shots"] = try inputs.identity(of: StageKey(.shots))
        ingredients["clipCount"] = String(inputs.options.clipCount)
        ingredients["clipSeconds"] = "\(inputs.options.clipSeconds)"
        ingredients.add(keywords: inputs.options.keywords)
        return ingredients
    }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        let inputs = context.inputs
        let transcript = try await context.load(Transcript.self, inputs.body(TranscriptResult.self).transcript)
        let cuts = try await context.load([Double].self, inputs.body(ShotsResult.self).cuts)
        var curves: SoundCurves?
        if let blob = try inputs.body(AudioResult.self).curves {
            curves = try await context.load(SoundCurves.self, blob)
        }
        let duration = try inputs.body(ProbeResult.self).facts.durationSeconds
        var selection = await select(transcript, curves, cuts, duration, context)
        if let reranker = context.tools.reranker {
            context.effort.waitBegins()
            defer { context.effort.waitEnds() }
            selection = try await selection.reordered(by: reranker, in: transcript)
        }
        return try StageOutput(
            HighlightsResult(
                highlights: selection.highlights, notes: selection.notes, interest: selection.interest))
    }

    @concurrent private static func select(
        _ transcript: Transcript, _ curves: SoundCurves?, _ cuts: [Double], _ durationSeconds: Double,
        _ context: StageContext
    ) async -> HighlightSelection {
        context.effort.measure {
            HighlightSelector.select(
                transcript: transcript, curves: curves, cuts: cuts, durationSeconds: durationSeconds,
                options: context.inputs.options, withSpares: context.tools.reranker != nil)
        }
    }
}
