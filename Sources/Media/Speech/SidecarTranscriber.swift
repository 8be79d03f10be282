import ClipModel
import SystemPackage

/// Reads the transcript that a client sent along instead of listening.
package struct SidecarTranscriber: Transcriber {
    private let bytesMax: Int

    package init(bytesMax: Int = SidecarParser.Limits().bytesMax) { self.bytesMax = bytesMax }

    package func transcribe(
        _ request: TranscriptionRequest, threads: Int, effort: EffortMeter = EffortMeter(),
        progress: @Sendable (Double) -> Void
    ) async throws(MediaError) -> TranscribedChunk {
        guard let path = request.sidecarPath, let format = request.sidecarFormat else {
            throw MediaError(.transcriptUnreadable, "the request names no transcript")
        }
        let chunk = try await Self.read(path, format, chunk: request.chunk, bytesMax: bytesMax, effort)
        progress(1)
        return chunk
    }

    /// Whole, because cues need not be in order. Off the caller's executor: two hours of cues take some milliseconds.
    @concurrent
    private static func read(
        _ path: String, _ format: SidecarTranscript.Format, chunk: TimeRange, bytesMax: Int, _ effort: EffortMeter
    ) async throws(MediaError) -> TranscribedChunk {
        try effort.measure { () throws(MediaError) in
            let bytes = try contents(of: path, bytesMax: bytesMax)
            effort.add(Effort(bytesRead: Int64(bytes.count)))
            return try words(of: bytes, format, chunk: chunk)
        }
    }

    private static func words(
        of bytes: [UInt8], _ format: SidecarTranscript.Format, chunk: TimeRange
    ) throws(MediaError) -> TranscribedChunk {
        let transcript: Transcript
        do {
            transcript = try SidecarParser.parse(bytes, format: format)
        } catch {
            throw MediaError(.transcriptUnreadable, "\(error.reason) \(error.hint)")
        }
        return TranscribedChunk(
            words: transcript.words.filter { chunk.contains($0.range.middle) }, language: transcript.language,
            languageProbability: transcript.language == "und" ? 0 : 1, retriedWindows: 0)
    }

    private static func contents(of path: String, bytesMax: Int) throws(MediaError) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                let size = Int(try file.seek(offset: 0, from: .end))
                guard size <= bytesMax else {
                    throw MediaError(.transcriptTooLarge, "\(size) bytes, the limit is \(bytesMax)")
                }
                return try unsafe Array(unsafeUninitializedCapacity: size) { buffer, filled in
                    // Sound: reads at most the capacity that was asked for.
                    filled = try unsafe file.read(
                        fromAbsoluteOffset: 0, into: UnsafeMutableRawBufferPointer(buffer))
                }
            }
        } catch {
            throw error as? MediaError ?? MediaError(.fileUnreadable, "transcript: \(error)")
        }
    }
}
