package import ClipModel
import Media

/// Turns one chunk of sound into words with times; or reads them from the transcript that came with the upload.
///
/// The client's keywords are not given to the recogniser as a prompt: it would hear them where they are not said, and
/// another keyword would mean another transcription.
package enum TranscribeStage: PipelineStage {
    package static let name = StageName.transcribe
    package static let version = 2

    package static func ingredients(
        _ inputs: StageInputs, _ versions: ToolVersions
    ) throws(Failure) -> CacheIngredients? {
        var ingredients = CacheIngredients()
        if let sidecar = inputs.upload.transcript {
            ingredients["probe"] = try inputs.identity(of: StageKey(.probe))
            ingredients["sidecar"] = "\(sidecar.format.rawValue) \(sidecar.sha256)"
        } else {
            ingredients["audio"] = try inputs.identity(of: StageKey(.audio))
            ingredients["chunk"] = "\(try chunk(inputs))"
            ingredients["model"] = versions.speechModel
        }
        ingredients["language"] = inputs.options.language
        return ingredients
    }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        let request = try await request(context)
        let transcriber: any Transcriber =
            context.inputs.upload.transcript == nil ? context.tools.transcriber : SidecarTranscriber()
        let chunk = try await transcriber.transcribe(
            request, threads: context.threads, effort: context.effort, progress: context.progress)
        let blob = try await context.keep(json: chunk, as: "words.json")
        let body = TranscribeResult(
            chunk: blob, words: chunk.words.count, language: chunk.language, retriedWindows: chunk.retriedWindows)
        return try StageOutput(body, blobs: [blob])
    }

    private static func request(_ context: StageContext) async throws -> TranscriptionRequest {
        let inputs = context.inputs
        let range = try chunk(inputs)
        if let sidecar = inputs.upload.transcript {
            return TranscriptionRequest(
                pcmPath: "", chunk: range, languageSample: nil, language: inputs.options.language, keywords: [],
                sidecarPath: try await context.path(of: sidecar.blob, sha256: sidecar.sha256),
                sidecarFormat: sidecar.format)
        }
        let sound = try inputs.body(AudioResult.self)
        guard let pcm = sound.pcm else { throw noSound }
        return TranscriptionRequest(
            pcmPath: try await context.path(of: pcm), chunk: range, languageSample: sound.languageSample,
            language: inputs.options.language, keywords: [], sidecarPath: nil, sidecarFormat: nil)
    }

    private static func chunk(_ inputs: StageInputs) throws(Failure) -> TimeRange {
        guard inputs.upload.transcript == nil else { return TimeRange(start: 0, end: inputs.durationSeconds) }
        let chunks = try inputs.body(AudioResult.self).chunks
        guard chunks.indices.contains(inputs.key.index) else { throw noSound }
        return chunks[inputs.key.index]
    }

    private static let noSound = Failure(
        .poison, code: "no_such_chunk", reason: "There is no such piece of sound to transcribe.",
        hint: "Report this with the identifier of the job.")
}
