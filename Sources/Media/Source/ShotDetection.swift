import Synchronization

/// Finds the hard cuts of a source.
///
/// One pass: decode, scale down to 160 pixels, difference between frames (ffmpeg's scdet). The decoder is nearly all
/// of the cost, so nothing is gained by a coarser difference; frames are not dropped, so a cut is told to the frame.
package struct ShotDetection {
    /// The times of hard cuts, in seconds from the start, rising.
    package static func run(
        path: String, facts: VideoFacts, threads: Int, toolbox: Toolbox, progress: @Sendable (Double) -> Void
    ) async throws(MediaError) -> [Double] {
        let limits = toolbox.configuration.passLimits(overSeconds: facts.durationSeconds)
        let command = command(path: path, facts: facts, threads: threads, limits: limits)
        let state = Mutex((frames: FrameScores(), cuts: CutFinder(), reached: -1.0))
        let output = try await toolbox.run(command) { line in
            let moved = state.withLock { state -> Double? in
                guard let (time, score) = state.frames.read(line) else { return nil }
                state.cuts.append(time: time, score: score)
                guard time >= state.reached + 1 else { return nil }
                state.reached = time
                return time / facts.durationSeconds
            }
            if let moved { progress(min(1, max(0, moved))) }
        }
        _ = try output.checked()
        let cuts = state.withLock { $0.cuts.finish() }
        return cuts.filter { $0 < facts.durationSeconds }
    }

    /// Prints the time and the score of every frame.
    package static func command(path: String, facts: VideoFacts, threads: Int, limits: ToolLimits) -> ToolCommand {
        precondition(threads > 0, "threads is \(threads)")
        // scdet's own threshold is out of the way: the rule is ours and needs every score.
        let graph = "scale=160:-2:flags=fast_bilinear,scdet=threshold=100,metadata=print:key=lavfi.scd.score:file=-"
        // The loop filter smooths what is scaled away anyhow; leaving it out saves up to a fifth of decoding.
        let decoder = ["-threads", "\(threads)", "-noautorotate", "-skip_loop_filter", "all"]
        let arguments = FFmpeg.leading + FFmpeg.tolerant + FFmpeg.input(path, options: decoder)
        let what = ["-map", "0:\(facts.videoStream)", "-filter_threads", "1", "-vf", graph, "-vsync", "passthrough"]
        return ToolCommand(.ffmpeg, arguments + what + ["-f", "null", "-"], limits: limits)
    }
}

/// Reads the two lines that ffmpeg's `metadata=print` writes for every frame.
struct FrameScores {
    private var time: Double?

    /// The frame that is whole with this line.
    mutating func read(_ line: Substring) -> (time: Double, score: Double)? {
        if line.hasPrefix("frame:") {
            let mark = "pts_time:"
            time = line.split(separator: " ").last { $0.hasPrefix(mark) }.flatMap { Double($0.dropFirst(mark.count)) }
            return nil
        }
        guard let time, let mark = line.lastIndex(of: "="), let score = Double(line[line.index(after: mark)...]) else {
            return nil
        }
        self.time = nil
        return (time, score)
    }
}

/// Decides which frames begin a new shot.
///
/// A score is how much a frame differs from the one before, less what that one differed itself (0 to 100). A hard cut
/// is a peak: far above what its neighbourhood shows, so that a shaking camera does not cut and a cut between two dark
/// scenes does. A flash is two peaks within a few frames; the second one is no shot of its own.
package struct CutFinder {
    /// Never a cut below this. Compression noise stays under 3.
    package static let scoreMin = 5.0
    /// Always a peak from this on, wherever.
    package static let scoreSure = 14.0
    /// Between the two, how far a cut stands above the mean of its neighbourhood.
    package static let contrast = 5.0
    /// How many frames on either side make the neighbourhood.
    package static let neighbours = 12
    /// Shots shorter than this do not exist for framing: of two cuts that close, the first counts.
    package static let shotSecondsMin = 0.2

    private var window: [(time: Double, score: Double)] = []
    /// Index in `window` of the next frame to decide.
    private var next = 0
    private var cuts: [Double] = []

    package init() {}

    package mutating func append(time: Double, score: Double) {
        window.append((time, score))
        while next + Self.neighbours < window.count { decideNext() }
        // Keeps two neighbourhoods; cut in steps, so that a frame costs no copy.
        if next > 20 * Self.neighbours {
            window.removeFirst(next - Self.neighbours)
            next = Self.neighbours
        }
    }

    /// The source ended: the last frames are decided with the neighbours they have.
    package mutating func finish() -> [Double] {
        while next < window.count { decideNext() }
        return cuts
    }

    private mutating func decideNext() {
        defer { next += 1 }
        let (time, score) = window[next]
        guard next > 0, score >= Self.scoreMin, time > 0 else { return }
        let range = max(0, next - Self.neighbours)..<min(window.count, next + Self.neighbours + 1)
        // The neighbour's own peak (the frame after a cut, another cut) must not hide this one: leave out the two
        // largest.
        let others = range.filter { $0 != next }.map { window[$0].score }.sorted().dropLast(2)
        let mean = others.isEmpty ? 0 : others.reduce(0, +) / Double(others.count)
        guard score >= Self.scoreSure || score >= Self.contrast * max(mean, 1) else { return }
        // Even a sure one must stand out: confetti and strobes score high for seconds.
        guard score > Self.contrast / 2 * mean else { return }
        if let last = cuts.last, time - last < Self.shotSecondsMin { return }
        cuts.append(time)
    }
}
