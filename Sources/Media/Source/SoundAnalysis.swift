package import ClipModel
import Foundation
import Synchronization

/// What later stages know of the sound of a source.
package struct SoundTrack: Hashable, Sendable, Codable {
    package var curves: SoundCurves
    /// What is transcribed, each on its own. Empty when there is nothing to hear.
    package var chunks: [TimeRange]
    /// The stretch by which the language is told.
    package var languageSample: TimeRange?

    package init(curves: SoundCurves, chunks: [TimeRange], languageSample: TimeRange?) {
        self.curves = curves
        self.chunks = chunks
        self.languageSample = languageSample
    }
}

/// Takes the sound out of a source, in step with its picture, and measures it.
package struct SoundAnalysis {
    /// Writes the sound as a WAV file (16 kHz, mono, 16 bit) to `pcmPath` and measures it.
    ///
    /// Second 0 of the file is second 0 of the video, and it lasts as long as the video: a track that starts late, has
    /// holes or ends early is filled with silence. A source without sound gets a file without samples.
    package static func run(
        path: String, facts: VideoFacts, pcmPath: String, threads: Int, toolbox: Toolbox,
        progress: @Sendable (Double) -> Void
    ) async throws(MediaError) -> SoundTrack {
        guard let stream = facts.audioStream else {
            try writeSilentFile(pcmPath)
            return track(levels: SoundLevels(frames: []), loudness: Loudness(), seconds: facts.durationSeconds)
        }
        let limits = toolbox.configuration.passLimits(overSeconds: facts.durationSeconds)
        let command = command(
            path: path, stream: stream, seconds: facts.durationSeconds, pcmPath: pcmPath, threads: threads,
            limits: limits)
        let loudness = Mutex(Loudness())
        let output = try await toolbox.run(command) { line in
            let steps = loudness.withLock { loudness in
                loudness.read(line)
                return loudness.momentary.count
            }
            guard line.hasPrefix("frame:"), steps % 100 == 0 else { return }
            progress(min(0.95, Double(steps) * SoundCurves.stepSeconds / facts.durationSeconds))
        }
        _ = try output.checked()
        progress(0.95)
        let levels = try await SoundLevels.measure(wavPath: pcmPath)
        let track = await tracked(levels: levels, loudness: loudness.withLock { $0 }, seconds: facts.durationSeconds)
        progress(1)
        return track
    }

    /// Writes the WAV file and prints the momentary loudness, in one pass.
    package static func command(
        path: String, stream: Int, seconds: Double, pcmPath: String, threads: Int, limits: ToolLimits
    ) -> ToolCommand {
        precondition(threads > 0, "threads is \(threads)")
        let length = FFmpeg.seconds(seconds)
        let graph = [
            // Stretches and fills the sound so that it stays in step with the picture, up to the picture's end.
            "[0:\(stream)]aresample=async=1:first_pts=0,apad=whole_dur=\(length),asplit=2[whole][speech]",
            "[speech]aresample=16000,aformat=sample_fmts=s16:channel_layouts=mono[pcm]",
            // The log of every step goes to a level that is not shown; what it says comes as metadata.
            "[whole]ebur128=metadata=1:framelog=verbose,ametadata=print:key=lavfi.r128.M:file=-[measured]",
        ].joined(separator: ";")
        let input =
            FFmpeg.leading + FFmpeg.tolerant
            + FFmpeg.input(path, options: ["-threads", "\(threads)", "-vn", "-sn", "-dn"])
        let speech = ["-map", "[pcm]", "-t", length, "-c:a", "pcm_s16le"] + FFmpeg.withoutMetadata
        let arguments = input + ["-filter_complex_threads", "\(threads)", "-filter_complex", graph] + speech
        let files = ["-fflags", "+bitexact", "-f", "wav", "file:" + pcmPath]
        let measured = ["-map", "[measured]", "-t", length, "-f", "null", "-"]
        return ToolCommand(.ffmpeg, arguments + files + measured, limits: limits)
    }

    // MARK: From measurements to what is told

    /// As `track`, away from the caller's thread: four hours are some 700,000 levels.
    @concurrent
    private static func tracked(levels: SoundLevels, loudness: Loudness, seconds: Double) async -> SoundTrack {
        track(levels: levels, loudness: loudness, seconds: seconds)
    }

    static func track(levels: SoundLevels, loudness: Loudness, seconds: Double) -> SoundTrack {
        let energy = levels.steps
        let isMute = energy.isEmpty
        let silences =
            isMute
            ? [TimeRange(start: 0, end: seconds)]
            : SilenceFinder.silences(levels: levels.frames, frameSeconds: SoundLevels.frameSeconds)
                .compactMap { $0.clamped(to: TimeRange(start: 0, end: seconds)) }
        let curves = SoundCurves(
            durationSeconds: seconds, energyDBFS: energy, loudnessLUFS: loudness.curve(steps: energy.count),
            integratedLUFS: loudness.integratedLUFS, silences: silences, pitchHz: levels.pitch)
        return SoundTrack(
            curves: curves,
            chunks: Chunker.chunks(durationSeconds: seconds, silences: silences, energyDBFS: energy),
            languageSample: LanguageSample.choose(durationSeconds: seconds, energyDBFS: energy, silences: silences))
    }

    /// A WAV header that promises nothing: 16 kHz, mono, 16 bit, no samples.
    private static func writeSilentFile(_ path: String) throws(MediaError) {
        func little(_ value: UInt32, _ bytes: Int) -> [UInt8] {
            (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
        }
        let rate = UInt32(SoundLevels.sampleRate)
        let format = little(16, 4) + little(1, 2) + little(1, 2) + little(rate, 4) + little(2 * rate, 4)
        let body = Array("WAVEfmt ".utf8) + format + little(2, 2) + little(16, 2) + Array("data".utf8) + little(0, 4)
        do {
            try Data(Array("RIFF".utf8) + little(UInt32(body.count), 4) + body).write(to: URL(filePath: path))
        } catch {
            throw MediaError(.fileUnreadable, "\(error)")
        }
    }
}
