import ClipModel

/// How a clip's sound is made, in short runs beside the one over the picture.
///
/// The source is decoded once into a bed: 48 kHz, stereo, exactly as long as the picture, aligned with it. Everything
/// after works on the bed, so that finding the right gain never touches the source again, and the finished AAC is
/// copied into the clip with its edit list, which keeps it in step to the sample.
package struct SoundPlan: Hashable, Sendable {
    let plan: RenderPlan
    let limits: ToolLimits

    package init(_ plan: RenderPlan, limits: ToolLimits) {
        self.plan = plan
        self.limits = limits
    }

    private static let samplesPerSecond = 48_000
    /// Long enough to hide that a wave begins away from zero, too short to be heard.
    private static let fadeSeconds = 0.01
    /// Peaks between two samples are seen by limiting at four times the rate.
    private static let limiterSamplesPerSecond = 192_000

    package var bedPath: String { plan.outputPath + ".bed.wav" }
    package var encodedPath: String { plan.outputPath + ".sound.mp4" }

    /// Before anything is cut out.
    private var sampleCount: Int {
        plan.frameRate.samples(of: plan.readFrameCount, perSecond: Self.samplesPerSecond)
    }

    /// From the source, or from nothing when it has no sound, to the bed; measured on the way.
    package var bedCommand: ToolCommand {
        let end = FFmpeg.seconds(plan.durationSeconds - Self.fadeSeconds)
        let filters =
            [
                // Fills the gaps of a broken stream and the wait of one that begins late, so that sound stays in step.
                "aresample=\(Self.samplesPerSecond):async=1:first_pts=0",
                "aformat=sample_fmts=flt:channel_layouts=stereo",
            ] + (plan.noise?.filters(samplesPerSecond: Self.samplesPerSecond) ?? []) + [
                "apad=whole_len=\(sampleCount)", "atrim=end_sample=\(sampleCount)",
            ] + joints + [
                "afade=t=in:d=\(FFmpeg.seconds(Self.fadeSeconds))",
                "afade=t=out:st=\(end):d=\(FFmpeg.seconds(Self.fadeSeconds))",
            ] + LoudnessMeter.filters
        return command(
            input + ["-vn", "-sn", "-dn", "-af", filters.joined(separator: ","), "-c:a", "pcm_f32le"]
                + FFmpeg.withoutMetadata + ["-f", "wav", "file:" + bedPath])
    }

    private var joints: [String] {
        guard let kept = plan.keptFrames else { return [] }
        return [
            JointFilters.sound(
                kept, rate: plan.frameRate, samplesPerSecond: Self.samplesPerSecond, fadeSeconds: Self.fadeSeconds)
        ]
    }

    private var input: [String] {
        let length = ["-t", FFmpeg.seconds(plan.readSeconds)]
        guard let stream = plan.facts.audioStream else {
            return ["-f", "lavfi"] + length + ["-i", "anullsrc=r=\(Self.samplesPerSecond):cl=stereo"]
        }
        return FFmpeg.input(plan.sourcePath, options: ["-ss", FFmpeg.seconds(plan.clip.start)] + length)
            + ["-map", "0:\(stream)"]
    }

    /// Measures what `gain` makes of the bed.
    package func trialCommand(_ gain: SoundGain) -> ToolCommand {
        let filters = Self.filters(gain) + LoudnessMeter.filtersWithoutPeak
        return command(FFmpeg.input(bedPath) + ["-af", filters.joined(separator: ","), "-f", "null", "-"])
    }

    /// Makes the clip's sound of the bed.
    package func encodeCommand(_ gain: SoundGain) -> ToolCommand {
        command(
            FFmpeg.input(bedPath) + [
                "-af", Self.filters(gain).joined(separator: ","), "-c:a", "aac", "-b:a",
                "\(plan.encoding.soundKilobits)k", "-ar", "\(Self.samplesPerSecond)", "-ac", "2",
            ] + FFmpeg.withoutMetadata
                + ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-f", "mp4", "file:" + encodedPath])
    }

    private static func filters(_ gain: SoundGain) -> [String] {
        let volume = "volume=\(FilterText.number(gain.gainDB, places: 2))dB:precision=float"
        guard let ceiling = gain.ceilingDBTP else { return [volume] }
        return [
            volume, "aresample=\(limiterSamplesPerSecond)",
            "alimiter=limit=\(FilterText.number(ceiling, places: 2))dB:attack=5:release=50:level=false:latency=true",
            "aresample=\(samplesPerSecond)",
        ]
    }

    private func command(_ arguments: [String]) -> ToolCommand {
        ToolCommand(.ffmpeg, FFmpeg.leading + ["-nostats"] + arguments, limits: limits)
    }
}
