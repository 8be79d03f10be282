/// Listens on this node, with the workers of a `SpeechPool`.
package struct LocalTranscriber: Transcriber {
    private let pool: SpeechPool

    package init(pool: SpeechPool) { self.pool = pool }

    package func transcribe(
        _ request: TranscriptionRequest, threads: Int, effort: EffortMeter, progress: @Sendable (Double) -> Void
    ) async throws(MediaError) -> TranscribedChunk {
        try await pool.transcribe(request, threads: threads, effort: effort, progress: progress)
    }
}
