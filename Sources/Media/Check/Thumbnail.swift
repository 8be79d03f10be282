import ClipModel

/// Takes the pictures that may stand for a clip: sharp, well lit, with a face where there is one.
package struct Thumbnail {
    package struct Limits: Hashable, Sendable {
        /// Pictures to choose from.
        package var candidatesMax = 8
        /// Of the finished picture, in pixels; its height follows.
        package var width = 540
        /// ffmpeg's scale of 2 (best) to 31.
        package var quality = 3

        package init() {}
    }

    /// What candidates are compared at. Stretched, whatever the clip's shape: they are compared with one another only.
    private static let lookSize = PixelSize(width: 180, height: 320)

    /// Writes a JPEG to each of `outputPaths`, the best first; fewer where the clip has fewer to choose from. Returns
    /// how many.
    @concurrent
    package static func run(
        clipPath: String, framing: Framing, outputPaths: [String], toolbox: Toolbox, limits: Limits = Limits()
    ) async throws(MediaError) -> Int {
        let candidates = ThumbnailCandidate.candidates(framing, countMax: limits.candidatesMax)
        let toolLimits = toolbox.configuration.passLimits(overSeconds: 0)
        let size = lookSize
        var looks: [FrameLook] = []
        let output = try await toolbox.stream(
            lookCommand(clipPath: clipPath, times: candidates.map(\.time), limits: toolLimits),
            blockBytes: size.width * size.height
        ) { pixels throws(MediaError) in
            looks.append(
                toolbox.effort.measure { FrameLook(luma: pixels, width: size.width, height: size.height) })
        }
        _ = try output.checked(otherwise: .renderFailed)
        let chosen = ThumbnailCandidate.ranked(candidates, looks, count: outputPaths.count)
        for (candidate, path) in zip(chosen, outputPaths) {
            let command = pictureCommand(
                clipPath: clipPath, time: candidate.time, outputPath: path, limits: toolLimits, of: limits)
            _ = try await toolbox.run(command).checked(otherwise: .renderFailed)
        }
        return chosen.count
    }

    /// All candidates in one run, each by a seek of its own to the keyframe before it. The exact frame would cost sixty
    /// decoded ones, and a keyframe is the best-preserved picture of its two seconds.
    package static func lookCommand(clipPath: String, times: [Double], limits: ToolLimits) -> ToolCommand {
        let inputs = times.flatMap { time in
            FFmpeg.input(clipPath, options: opening(at: time))
        }
        let shrink = "trim=end_frame=1,scale=\(lookSize.width):\(lookSize.height):flags=bilinear,format=gray,setsar=1"
        let each = times.indices.map { "[\($0):v:0]\(shrink)[c\($0)]" }
        let join = times.indices.map { "[c\($0)]" }.joined() + "concat=n=\(times.count):v=1:a=0[looks]"
        return ToolCommand(
            .ffmpeg,
            FFmpeg.leading + inputs + [
                "-filter_complex", (each + [join]).joined(separator: ";"), "-map", "[looks]",
                "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1",
            ], limits: limits)
    }

    private static func opening(at time: Double) -> [String] {
        ["-threads", "1", "-an", "-noaccurate_seek", "-ss", FFmpeg.seconds(time)]
    }

    package static func pictureCommand(
        clipPath: String, time: Double, outputPath: String, limits: ToolLimits, of picture: Limits
    ) -> ToolCommand {
        // JPEG is BT.601 in full range by its own standard, whatever the clip is.
        let scale =
            "scale=\(picture.width):-2:flags=bicubic:in_color_matrix=bt709:out_color_matrix=bt601:out_range=pc"
        return ToolCommand(
            .ffmpeg,
            FFmpeg.leading + FFmpeg.input(clipPath, options: opening(at: time)) + [
                "-frames:v", "1", "-vf", "\(scale),format=yuvj420p", "-c:v", "mjpeg", "-q:v", "\(picture.quality)",
            ] + FFmpeg.withoutMetadata + ["-fflags", "+bitexact", "-f", "mjpeg", "file:" + outputPath],
            limits: limits)
    }
}
