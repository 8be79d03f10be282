package import ClipModel

/// Everything that decides how one clip is made from its source. The command lines follow from it and from nothing
/// else, so that the same plan makes the same clip on any node.
package struct RenderPlan: Hashable, Sendable {
    package var sourcePath: String
    package var facts: VideoFacts
    /// In the source.
    package var clip: TimeRange
    package var framing: Framing
    /// Of the clip's picture.
    package var size: PixelSize
    /// Captions and watermark to burn in, as ASS at `size`.
    package var assPath: String?
    /// Where the fonts of the captions are; nil: the system's.
    package var fontsDirectory: String?
    /// For the decoder, the filters and the encoder together, which wait for one another most of the time.
    package var threads: Int
    /// Working files stand beside it, under its name and a suffix, until the run ends.
    package var outputPath: String
    package var encoding: EncoderSettings
    /// Nil: the sound keeps its noise.
    package var noise: NoiseReduction?
    /// What of `clip` is seen and heard, one after the other; nil: all of it. Framing and captions are in tight time.
    package var kept: KeptSpans?

    package init(
        sourcePath: String, facts: VideoFacts, clip: TimeRange, framing: Framing, size: PixelSize,
        assPath: String? = nil, fontsDirectory: String? = nil, threads: Int, outputPath: String,
        encoding: EncoderSettings = EncoderSettings()
    ) {
        precondition(clip.duration > 0, "a clip of \(clip.duration) s")
        precondition(threads > 0, "\(threads) threads")
        precondition(
            size.width > 0 && size.height > 0 && size.width.isMultiple(of: 2) && size.height.isMultiple(of: 2),
            "a picture of \(size.width) x \(size.height) cannot be 4:2:0")
        self.sourcePath = sourcePath
        self.facts = facts
        self.clip = clip
        self.framing = framing
        self.size = size
        self.assPath = assPath
        self.fontsDirectory = fontsDirectory
        self.threads = threads
        self.outputPath = outputPath
        self.encoding = encoding
    }

    /// Constant, whatever the source's is.
    package var frameRate: FrameRate { .ofClip(sourceAverage: facts.framesPerSecond) }
    /// The clip has exactly this many frames; if the source ends early, its last one stands still.
    package var frameCount: Int { keptFrames?.reduce(0) { $0 + $1.count } ?? readFrameCount }
    package var durationSeconds: Double { frameRate.seconds(of: frameCount) }
    /// Before anything is cut out.
    var readFrameCount: Int { max(1, frameRate.frames(in: clip.duration)) }
    var readSeconds: Double { frameRate.seconds(of: readFrameCount) }
    /// Of those that are read; nil: all of them.
    var keptFrames: [Range<Int>]? { kept?.frames(at: frameRate) }

    /// The one run over the picture: decodes the range, frames, scales, captions and encodes it, and joins it with the
    /// finished sound of `soundPath`.
    package func pictureCommand(soundPath: String, limits: ToolLimits) -> ToolCommand {
        // The last frame is the one on the screen at the end, which may begin a while before it and end after.
        let opening = [
            "-threads", "\(threads)", "-reinit_filter", "0",
            "-ss", FFmpeg.seconds(clip.start), "-t", FFmpeg.seconds(readSeconds + Self.overhangSeconds),
        ]
        return ToolCommand(
            .ffmpeg,
            FFmpeg.leading + FFmpeg.progress + ["-filter_complex_threads", "\(threads)"]
                + FFmpeg.input(sourcePath, options: opening) + FFmpeg.input(soundPath)
                + ["-filter_complex", PictureGraph(self).text, "-map", "[picture]", "-map", "1:a:0"]
                + ["-c:a", "copy"] + encoding.pictureArguments(rate: frameRate, threads: threads)
                + FFmpeg.withoutMetadata
                + ["-fflags", "+bitexact", "-movflags", "+faststart", "-f", "mp4", "file:" + outputPath],
            limits: limits)
    }

    /// Read beyond the end, so that a variable frame rate has a frame for the last moment.
    private static let overhangSeconds = 0.5
}

/// How picture and sound of a clip are encoded.
///
/// | field | unit | default | why |
/// |---|---|---|---|
/// | `quality` | CRF | 21.5 | see `pictureArguments` |
/// | `picturePeakKilobits` | kbit/s | 8000 | a clip of confetti does not become too large to upload |
/// | `keyframeSeconds` | s | 2 | seeking in players, segments of streaming platforms |
/// | `soundKilobits` | kbit/s | 160 | AAC, stereo |
package struct EncoderSettings: Hashable, Sendable {
    package var quality: Double
    package var picturePeakKilobits: Int
    package var keyframeSeconds: Double
    package var soundKilobits: Int

    package init(
        quality: Double = 21.5, picturePeakKilobits: Int = 8000, keyframeSeconds: Double = 2, soundKilobits: Int = 160
    ) {
        precondition((0...51).contains(quality), "CRF \(quality)")
        precondition(picturePeakKilobits > 0 && keyframeSeconds > 0 && soundKilobits > 0, "empty encoder settings")
        self.quality = quality
        self.picturePeakKilobits = picturePeakKilobits
        self.keyframeSeconds = keyframeSeconds
        self.soundKilobits = soundKilobits
    }

    /// H.264 High, level 4.1, which every phone decodes in hardware.
    ///
    /// `superfast` with the macroblock tree and the lookahead of 20 frames that it leaves out costs half of
    /// `veryfast` at the same bits and the same SSIM (talking head, 8 s, 1080x1920: 5.4 against 10.8 CPU-seconds, 3.5
    /// Mbit/s, 0.9887).
    package func pictureArguments(rate: FrameRate, threads: Int) -> [String] {
        let keyframeInterval = max(1, Int((keyframeSeconds * rate.perSecond).rounded()))
        return [
            "-c:v", "libx264", "-preset", "superfast", "-x264-params", "rc-lookahead=20:mbtree=1",
            "-profile:v", "high", "-level:v", "4.1", "-pix_fmt", "yuv420p",
            "-crf", FilterText.number(quality, places: 1), "-maxrate", "\(picturePeakKilobits)k",
            "-bufsize", "\(picturePeakKilobits * 2)k", "-g", "\(keyframeInterval)", "-r", rate.description,
            "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv",
            "-threads", "\(threads)", "-flags:v", "+bitexact",
        ]
    }
}
