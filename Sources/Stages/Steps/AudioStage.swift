package import ClipModel
import Media

/// Takes the sound out once: as 16 kHz mono for the recogniser, and as curves of loudness and silence. Cuts it at
/// silence into the chunks that nodes transcribe side by side.
package enum AudioStage: PipelineStage {
    package static let name = StageName.audio
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
        let facts = try context.inputs.body(ProbeResult.self).facts
        guard facts.audioStream != nil else { return try StageOutput(AudioResult(chunks: [])) }
        let track = try await SoundAnalysis.run(
            path: try await context.sourcePath, facts: facts, pcmPath: context.scratch + "/sound.wav",
            threads: context.threads,
            toolbox: context.toolbox, progress: context.progress)
        let pcm = try await context.keep("sound.wav").name
        let curves = try await context.keep(json: track.curves, as: "curves.json")
        let body = AudioResult(
            pcm: pcm, curves: curves, chunks: track.chunks, languageSample: track.languageSample,
            integratedLUFS: track.curves.integratedLUFS)
        return try StageOutput(body, blobs: [pcm, curves])
    }
}
