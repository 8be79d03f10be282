/// Where the tools of this module are and what they may use. The node fills it from its own configuration.
///
/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `ffmpegPath`, `ffprobePath` | name or path | found on PATH | |
/// | `speechWorkerPath` | path | `tijera` | the executable that is started as `tijera speech-worker` |
/// | `whisperModelPath`, `faceModelPath` | path | none | |
/// | `fontsDirectory` | path | the system's fonts | captions in a font that one node lacks |
/// | `childMemoryBytesMax` | bytes of address space | 4 GiB | one broken file takes the machine down |
/// | `childFileBytesMax` | bytes | 16 GiB | one broken file fills the disk |
/// | `probeSecondsMax` | seconds | 60 | a file made to keep the prober busy |
/// | `passSecondsFloor`, `passSecondsPerSourceSecond` | seconds | 180, 6 | a hung child holds its stage for ever |
/// | `silenceSecondsMax` | seconds | 120 | one that hung at the start of a long source is noticed after hours |
/// | `sandbox` | see `Sandbox` | limits only | a decoder that was taken over reads other people's videos |
/// | `source` | see `SourceLimits` | | a job that no node can finish |
package struct MediaConfiguration: Sendable, Hashable {
    package var ffmpegPath: String
    package var ffprobePath: String
    package var speechWorkerPath: String
    package var whisperModelPath: String
    package var faceModelPath: String
    package var fontsDirectory: String?
    /// Address space of one child (RLIMIT_AS). Threads reserve much more than they touch: a 4K source rendered with
    /// eight threads needs 1.5 to 2 GiB of it, and 8K is four times the picture.
    package var childMemoryBytesMax: Int
    package var childFileBytesMax: Int
    package var probeSecondsMax: Double
    package var passSecondsFloor: Double
    package var passSecondsPerSourceSecond: Double
    /// A tool that does nothing at all for so long will never end. A disk may stall for seconds; two minutes are no
    /// disk any more.
    package var silenceSecondsMax: Double
    package var source: SourceLimits
    package var sandbox: Sandbox

    package init(
        ffmpegPath: String = "ffmpeg", ffprobePath: String = "ffprobe", speechWorkerPath: String = "tijera",
        whisperModelPath: String = "", faceModelPath: String = "", fontsDirectory: String? = nil,
        childMemoryBytesMax: Int = 4 << 30, childFileBytesMax: Int = 16 << 30, probeSecondsMax: Double = 60,
        passSecondsFloor: Double = 180,
        passSecondsPerSourceSecond: Double = 6, silenceSecondsMax: Double = 120, source: SourceLimits = SourceLimits(),
        sandbox: Sandbox = Sandbox(.rlimits)
    ) {
        precondition(childMemoryBytesMax > 0, "childMemoryBytesMax is \(childMemoryBytesMax)")
        precondition(probeSecondsMax > 0, "probeSecondsMax is \(probeSecondsMax)")
        precondition(silenceSecondsMax > 0, "silenceSecondsMax is \(silenceSecondsMax)")
        self.ffmpegPath = ffmpegPath
        self.ffprobePath = ffprobePath
        self.speechWorkerPath = speechWorkerPath
        self.whisperModelPath = whisperModelPath
        self.faceModelPath = faceModelPath
        self.fontsDirectory = fontsDirectory
        self.childMemoryBytesMax = childMemoryBytesMax
        self.childFileBytesMax = childFileBytesMax
        self.probeSecondsMax = probeSecondsMax
        self.passSecondsFloor = passSecondsFloor
        self.passSecondsPerSourceSecond = passSecondsPerSourceSecond
        self.silenceSecondsMax = silenceSecondsMax
        self.source = source
        self.sandbox = sandbox
    }

    /// The limits of a pass over `seconds` of a source. Generous, because a busy machine is not a hung child: the
    /// wall limit only has to end what would never end.
    package func passLimits(overSeconds seconds: Double) -> ToolLimits {
        ToolLimits(
            wallSeconds: passSecondsFloor + passSecondsPerSourceSecond * max(0, seconds),
            silenceSeconds: silenceSecondsMax, memoryBytes: childMemoryBytesMax, fileBytesMax: childFileBytesMax)
    }

    /// The limits of a short question about a file.
    package var probeLimits: ToolLimits {
        ToolLimits(
            wallSeconds: probeSecondsMax, memoryBytes: childMemoryBytesMax, fileBytesMax: childFileBytesMax)
    }
}

/// What a source may be. Checked before any pass over the whole file.
package struct SourceLimits: Sendable, Hashable {
    /// Below this there is nothing to choose from. A 3 s video still makes one clip.
    package var secondsMin: Double
    package var secondsMax: Double
    /// In pixels, of either side of the stored picture.
    package var sideMin: Int
    package var sideMax: Int
    /// Width times height of the stored picture. 8K (7680x4320) passes; memory of a decoder grows with it.
    package var pixelsMax: Int
    /// Tracks of all kinds. Each costs the prober a decoder and its memory.
    package var streamsMax: Int

    package init(
        secondsMin: Double = 1, secondsMax: Double = 4 * 3600, sideMin: Int = 32, sideMax: Int = 8192,
        pixelsMax: Int = 36_000_000, streamsMax: Int = 64
    ) {
        precondition(0 < secondsMin && secondsMin < secondsMax, "source of \(secondsMin) to \(secondsMax) s")
        precondition(streamsMax > 0, "streamsMax is \(streamsMax)")
        precondition(0 < sideMin && sideMin < sideMax, "source side of \(sideMin) to \(sideMax) pixels")
        self.secondsMin = secondsMin
        self.secondsMax = secondsMax
        self.sideMin = sideMin
        self.sideMax = sideMax
        self.pixelsMax = pixelsMax
        self.streamsMax = streamsMax
    }
}
