package import ClipModel
import Media

/// Decides for one clip which part of the picture is shown.
package enum ReframeStage: PipelineStage {
    package static let name = StageName.reframe
    package static let version = 3

    /// The clip enters by its range and not by the selection it came from: another score for the same moment does not
    /// mean another path.
    package static func ingredients(
        _ inputs: StageInputs, _ versions: ToolVersions
    ) throws(Failure) -> CacheIngredients? {
        var ingredients = CacheIngredients()
        ingredients["shots"] = try inputs.identity(of: StageKey(.shots))
        ingredients["audio"] = try inputs.identity(of: StageKey(.audio))
        ingredients["clip"] = "\(try inputs.clipRange())"
        ingredients["aspect"] = inputs.options.aspect.rawValue
        ingredients["smartCrop"] = String(inputs.options.smartCrop)
        ingredients["ffmpeg"] = versions.ffmpeg
        ingredients["faceModel"] = versions.faceModel
        // The same framing, but one of an older release does not say who speaks.
        if inputs.options.tellsSpeakers { ingredients["speakers"] = "told" }
        if let scenes = inputs.edits.scenes { ingredients["scenes"] = "\(scenes)" }
        if inputs.options.comesCloser {
            ingredients["punchIns"] = try inputs.identity(of: StageKey(.transcript))
            ingredients.add(keywords: inputs.options.keywords)
        }
        return ingredients
    }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        let inputs = context.inputs
        let clip = try inputs.clipRange()
        var speech = SpeechEvidence.none
        if let blob = try inputs.body(AudioResult.self).curves {
            speech = SpeechEvidence(try await context.load(SoundCurves.self, blob), clip: clip)
        }
        let cuts = try await context.load([Double].self, inputs.body(ShotsResult.self).cuts)
        let found = try await Reframer.run(
            path: try await context.sourcePath, facts: try inputs.body(ProbeResult.self).facts, clip: clip, cuts: cuts,
            aspect: inputs.options.aspect.pixels, smartCrop: inputs.options.smartCrop, speech: speech,
            threads: context.threads, toolbox: context.toolbox, progress: context.progress)
        var framing = found.overridden(
            by: inputs.edits.scenes ?? [], clip: clip,
            source: try inputs.body(ProbeResult.self).facts.displaySize, output: inputs.options.aspect.pixels)
        if inputs.options.comesCloser { framing = try await punched(framing, clip, cuts, context) }
        let blob = try await context.keep(json: framing, as: "framing.json")
        let body = ReframeResult(
            framing: blob, faceInFrame: framing.faceInFrame, reversalsPerSecond: framing.reversalsPerSecond,
            travelPixelsPerSecond: framing.travelPixelsPerSecond)
        return try StageOutput(body, blobs: [blob])
    }

    /// Comes last, because what a client framed by hand stays as it is, and its borders are cuts.
    private static func punched(
        _ framing: Framing, _ clip: TimeRange, _ cuts: [Double], _ context: StageContext
    ) async throws -> Framing {
        let inputs = context.inputs
        let transcript = try await context.load(Transcript.self, inputs.body(TranscriptResult.self).transcript)
        let chosen = (inputs.edits.scenes ?? []).map {
            TimeRange(start: $0.start - clip.start, end: $0.end - clip.start)
        }
        return context.effort.measure {
            PunchIns(
                framing, cuts: cuts.map { $0 - clip.start }, chosen: chosen, output: inputs.options.aspect.pixels
            )
            .punched(on: SpeechBeats(transcript, clip: clip, keywords: inputs.options.keywords))
        }
    }
}
