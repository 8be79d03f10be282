/// Finds where the shots of a source end: hard cuts, dissolves and fades.
///
/// One pass: decode, scale down to 160 by 90 grey pixels, and look at those. The decoder is nearly all of the cost;
/// frames are not dropped, so a cut is told to the frame.
package struct ShotDetection {
    /// The times at which a new shot begins, in seconds from the start, rising. A gradual change counts in its middle.
    package static func run(
        path: String, facts: VideoFacts, threads: Int, toolbox: Toolbox, progress: @Sendable (Double) -> Void
    ) async throws(MediaError) -> [Double] {
        let limits = toolbox.configuration.passLimits(overSeconds: facts.durationSeconds)
        let command = command(path: path, facts: facts, threads: threads, limits: limits)
        var reader = ShotPictureReader()
        var (hard, soft) = (CutFinder(), SoftCutFinder())
        var told = 0.0
        let output = try await toolbox.stream(
            command, blockBytes: ShotPictureReader.blockBytes
        ) { block throws(MediaError) in
            let time = toolbox.effort.measure {
                let picture = reader.read(block)
                hard.append(picture)
                soft.append(picture)
                return picture.time
            }
            guard time >= told + 1 else { return }
            told = time
            progress(min(1, time / facts.durationSeconds))
        }
        _ = try output.checked()
        let cuts = toolbox.effort.measure { merged(hard.finish(), soft.finish()) }
        return cuts.filter { $0 < facts.durationSeconds }
    }

    /// A hard cut inside of a gradual change is the truth about it.
    static func merged(_ cuts: [Double], _ changes: [SoftCutFinder.Change]) -> [Double] {
        let gradual = changes.filter { change in !cuts.contains { change.start <= $0 && $0 <= change.end } }
        var merged: [Double] = []
        for time in (cuts + gradual.map(\.middle)).sorted()
        where time - (merged.last ?? -.infinity) >= CutFinder.shotSecondsMin {
            merged.append(time)
        }
        return merged
    }

    /// Writes every frame small and grey, with its time in the rows below.
    package static func command(path: String, facts: VideoFacts, threads: Int, limits: ToolLimits) -> ToolCommand {
        precondition(threads > 0, "threads is \(threads)")
        let (width, height) = (ShotPictureReader.width, ShotPictureReader.height)
        let ticks = "max(T,0)*\(ShotPictureReader.ticksPerSecond)+0.5"
        let graph = [
            "scale=\(width):\(height):flags=fast_bilinear,format=gray,split[small][clock]",
            "[clock]scale=\(width):\(ShotPictureReader.timeRows):flags=neighbor,"
                + "geq=lum='mod(floor((\(ticks))/pow(256,X)),256)'[time]",
            "[small][time]vstack",
        ].joined(separator: ";")
        // The loop filter smooths what is scaled away anyhow; leaving it out saves up to a fifth of decoding.
        let decoder = ["-threads", "\(threads)", "-noautorotate", "-skip_loop_filter", "all"]
        let arguments = FFmpeg.leading + FFmpeg.tolerant + FFmpeg.input(path, options: decoder)
        let what = ["-map", "0:\(facts.videoStream)", "-filter_threads", "1", "-vf", graph, "-vsync", "passthrough"]
        return ToolCommand(.ffmpeg, arguments + what + ["-f", "rawvideo", "pipe:1"], limits: limits)
    }
}
