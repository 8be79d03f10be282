import ClipModel

/// The filter graph of a clip's picture, from the source's video stream to `[picture]`.
///
/// Order is what makes it cheap: the rate is fixed before anything touches pixels, the window is cut out before it is
/// scaled, one scaler does size, matrix, range and pixel format at once, and tone-mapping runs at the smaller of the
/// two sizes. Several looks in one clip become branches that each get only their own frames, joined again by
/// `concat`.
struct PictureGraph: Hashable, Sendable {
    let text: String

    /// Linux takes no argument of 128 KiB or more; the graph is one.
    static let bytesMax = 100 << 10
    /// How far from their path windows may be moved to make the graph fit, in display pixels of the source, in turn.
    private static let tolerancesPixels = [0, 0.5, 1, 2, 4, 8, 16]

    init(_ plan: RenderPlan) {
        let lateness = FFmpegSeek.lateness(of: plan.clip.start)
        var text = ""
        for tolerance in Self.tolerancesPixels {
            let runs = FramingRuns(
                plan.framing, rate: plan.frameRate, frameCount: plan.frameCount, lateness: lateness,
                tolerancePixels: tolerance)
            text = Self.text(plan, runs.runs)
            if text.utf8.count <= Self.bytesMax { break }
        }
        self.text = text
    }

    private static func text(_ plan: RenderPlan, _ runs: [FramingRuns.Run]) -> String {
        let looks = LookFilters(facts: plan.facts, size: plan.size)
        let source = "[0:\(plan.facts.videoStream)]"
        let (opening, closing) = (opening(plan), closing(plan))
        guard runs.count > 1 else {
            return looks.chain(runs[0].look, from: source + opening + ",", to: "," + closing + "[picture]", name: "a")
        }
        let names = runs.indices.map { "r\($0)" }
        let split = source + opening + ",split=\(runs.count)" + names.map { "[\($0)]" }.joined()
        let branches = zip(names, runs).map { name, run in
            let own = "trim=start_frame=\(run.frames.lowerBound):end_frame=\(run.frames.upperBound)"
            return looks.chain(
                run.look, from: "[\(name)]\(own),", to: ",setsar=1,setpts=PTS-STARTPTS[\(name)o]", name: name)
        }
        let join = names.map { "[\($0)o]" }.joined() + "concat=n=\(runs.count):v=1:a=0,\(closing)[picture]"
        return ([split] + branches + [join]).joined(separator: ";")
    }

    /// From whatever comes out of the decoder to exactly the clip's frames, still in the source's pixels.
    private static func opening(_ plan: RenderPlan) -> String {
        let stored = plan.facts.storedSize
        var filters = [
            // Passes pictures on untouched unless a stream changes its size on the way, as recorded calls do.
            "scale=\(stored.width):\(stored.height)",
            "yadif=deint=interlaced",
            "fps=\(plan.frameRate):start_time=0",
            "tpad=stop=-1:stop_mode=clone",
            "trim=end_frame=\(plan.readFrameCount)",
        ]
        if let kept = plan.keptFrames { filters += JointFilters.picture(kept, rate: plan.frameRate) }
        if plan.facts.isHDR {
            // Some files tag only the transfer, and zscale refuses to guess.
            filters.append("setparams=color_primaries=bt2020:colorspace=bt2020nc")
        }
        return filters.joined(separator: ",")
    }

    /// What is done to the finished picture, whatever its look.
    private static func closing(_ plan: RenderPlan) -> String {
        let rate = plan.frameRate
        var filters = ["setsar=1", "settb=\(rate.denominator)/\(rate.numerator)", "setpts=N"]
        if let path = plan.assPath {
            let fonts = plan.fontsDirectory.map { ":fontsdir=" + FilterText.escaped($0) } ?? ""
            filters.append("ass=filename=" + FilterText.escaped(path) + fonts)
        }
        filters.append("setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv")
        return filters.joined(separator: ",")
    }
}

/// What `-ss` does with a time.
enum FFmpegSeek {
    /// How much later than `start` the seek lands, since it is written in whole milliseconds.
    static func lateness(of start: Double) -> Double { (start * 1000).rounded() / 1000 - start }
}

extension VideoFacts {
    /// As it leaves ffmpeg's decoder: turned upright, with the pixels of the file, which need not be square.
    var storedSize: PixelSize {
        abs(rotationDegrees) % 180 == 90 ? PixelSize(width: codedSize.height, height: codedSize.width) : codedSize
    }

    /// What the scaler must take the picture's colours for. ffmpeg takes everything untagged for standard definition,
    /// which tints untagged HD video; players go by the size.
    var scalerMatrix: String {
        switch colorMatrix {
        case "bt709": "bt709"
        case "smpte170m", "bt470bg": "bt601"
        case "fcc": "fcc"
        case "smpte240m": "smpte240m"
        case "bt2020nc", "bt2020c": "bt2020"
        default:
            videoCodec != "mjpeg" && (codedSize.height >= 720 || codedSize.width >= 1280) ? "bt709" : "bt601"
        }
    }
}
