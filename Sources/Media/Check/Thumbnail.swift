package import ClipModel

/// Takes the pictures that may stand for a clip: sharp, well lit, with a face where there is one, and with open eyes.
package struct Thumbnail {
    package struct Limits: Hashable, Sendable {
        /// Pictures to choose from.
        package var candidatesMax = 8
        /// Longer edge of the pictures that candidates are compared at: 360 x 640 of a portrait clip.
        package var lookEdgeMax = 640
        /// Of the finished picture, in pixels; its height follows.
        package var width = 540
        /// ffmpeg's scale of 2 (best) to 31.
        package var quality = 3

        package init() {}
    }

    /// Pictures of each candidate where there are faces, its own included, and how far they are apart. A blink takes up
    /// to 0.4 s: of the three that follow two are beyond it.
    private static let picturesEach = 4
    private static let stepsPerSecond = (count: 10, seconds: 3)

    /// Writes a JPEG to each of `outputPaths`, the best first; fewer where the clip has fewer to choose from. Returns
    /// how many.
    @concurrent
    package static func run(
        clipPath: String, framing: Framing, geometry: FrameGeometry, outputPaths: [String], toolbox: Toolbox,
        limits: Limits = Limits()
    ) async throws(MediaError) -> Int {
        let candidates = ThumbnailCandidate.candidates(framing, geometry: geometry, countMax: limits.candidatesMax)
        let toolLimits = toolbox.configuration.passLimits(overSeconds: 0)
        let hasFaces = !framing.faces.isEmpty
        let size = FrameSampler.size(of: geometry.frame, edgeMax: limits.lookEdgeMax)
        let command = lookCommand(
            clipPath: clipPath, times: candidates.map(\.time), size: size, seesBlinks: hasFaces, limits: toolLimits)
        var looks = FrameLooks(size: size, picturesEach: hasFaces ? picturesEach : 1)
        let detector = hasFaces ? try FaceDetector(modelPath: toolbox.configuration.faceModelPath) : nil
        let output = try await toolbox.stream(command, blockBytes: size.width * size.height * 3) {
            pixels throws(MediaError) in
            try toolbox.effort.measure { () throws(MediaError) in
                looks.add(pixels, faces: try detector?.faces(in: pixels, size: size) ?? [])
            }
        }
        _ = try output.checked(otherwise: .renderFailed)
        let chosen = ThumbnailCandidate.ranked(candidates, looks.finished(), count: outputPaths.count)
        for (candidate, path) in zip(chosen, outputPaths) {
            let command = pictureCommand(
                clipPath: clipPath, time: candidate.time, outputPath: path, limits: toolLimits, of: limits)
            _ = try await toolbox.run(command).checked(otherwise: .renderFailed)
        }
        return chosen.count
    }

    /// All candidates in one run, each by a seek of its own to the keyframe before it. The exact frame would cost sixty
    /// decoded ones, and a keyframe is the best-preserved picture of its two seconds.
    ///
    /// - Parameter seesBlinks: The pictures of the second that follows come along; of a clip that ends before, the last
    ///   one again. They are looked at only, so frames that no other one needs are left out.
    package static func lookCommand(
        clipPath: String, times: [Double], size: PixelSize, seesBlinks: Bool, limits: ToolLimits
    ) -> ToolCommand {
        let inputs = times.flatMap { time in
            FFmpeg.input(clipPath, options: (seesBlinks ? ["-skip_frame", "noref"] : []) + opening(at: time))
        }
        let shrink = "scale=\(size.width):\(size.height):flags=bilinear,format=bgr24,setsar=1"
        let seconds = Double((picturesEach - 1) * stepsPerSecond.seconds) / Double(stepsPerSecond.count)
        // `round=up`: the picture that is on the screen at that time, see `FrameSampler`; the first is the keyframe.
        let following = [
            "setpts=PTS-STARTPTS", "trim=end=\(FFmpeg.seconds(seconds + 0.01))",
            "fps=fps=\(stepsPerSecond.count)/\(stepsPerSecond.seconds):start_time=0:round=up", shrink,
            "tpad=stop=\(picturesEach - 1):stop_mode=clone", "trim=end_frame=\(picturesEach)",
        ].joined(separator: ",")
        let alone = "trim=end_frame=1,\(shrink)"
        let each = times.indices.map { "[\($0):v:0]\(seesBlinks ? following : alone)[c\($0)]" }
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
