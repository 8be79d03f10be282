package import ClipModel

/// One decode of a rendered file, small: where it is black, where it stands still, and in which sampled pictures
/// there is a face.
package struct PictureScan: Hashable, Sendable {
    package struct Limits: Hashable, Sendable {
        /// A picture is black when 98 % of its pixels are darker than this share of white, for this long.
        package var blackLevel = 0.08
        package var blackSecondsMin = 0.1
        /// A picture stands still when it changes by less than this share of white on average, for this long.
        package var frozenChange = 0.001
        package var frozenSecondsMin = 2.0
        /// Longer edge of the pictures that are looked at: 360 x 640 of a portrait clip.
        package var edgeMax = 640
        package var facesPerSecond = 2.0
        /// Of what the filters print. A clip that flickers for three minutes prints half of it.
        package var reportBytesMax = 256 << 10

        package init() {}
    }

    /// A picture that was looked at, and the faces in it.
    package struct Sample: Hashable, Sendable {
        /// Seconds from the start of the clip.
        package var time: Double
        /// In pixels of the clip.
        package var faces: [FrameGeometry.Box]

        package init(time: Double, faces: [FrameGeometry.Box]) {
            self.time = time
            self.faces = faces
        }
    }

    package var black: [TimeRange] = []
    package var frozen: [TimeRange] = []
    /// Empty when faces were not asked for.
    package var samples: [Sample] = []

    package init(black: [TimeRange] = [], frozen: [TimeRange] = [], samples: [Sample] = []) {
        self.black = black
        self.frozen = frozen
        self.samples = samples
    }

    /// Without a model no faces are looked for.
    @concurrent
    static func run(
        path: String, size: PixelSize, durationSeconds: Double, faceModelPath: String?, threads: Int, toolbox: Toolbox,
        limits: Limits = Limits(), progress: @Sendable (Double) -> Void
    ) async throws(MediaError) -> PictureScan {
        let small = FrameSampler.size(of: size, edgeMax: limits.edgeMax)
        let command = command(
            path: path, small: small, looksForFaces: faceModelPath != nil, threads: threads, limits: limits,
            toolLimits: toolbox.configuration.passLimits(overSeconds: durationSeconds))
        guard let faceModelPath else {
            let output = try await toolbox.run(command).checked(otherwise: .clipRejected)
            return PictureScan(report: output.errorTail, durationSeconds: durationSeconds)
        }
        let detector = try FaceDetector(modelPath: faceModelPath)
        let (across, down) = (
            Double(size.width) / Double(small.width), Double(size.height) / Double(small.height)
        )
        var samples: [Sample] = []
        let output = try await toolbox.stream(
            command, blockBytes: small.width * small.height * 3
        ) { pixels throws(MediaError) in
            let faces = try toolbox.effort.measure { () throws(MediaError) in
                try detector.faces(in: pixels, size: small)
            }
            let time = Double(samples.count) / limits.facesPerSecond
            samples.append(
                Sample(
                    time: time,
                    faces: faces.map { face in
                        FrameGeometry.Box(
                            x: face.x * across, y: face.y * down, width: face.width * across,
                            height: face.height * down)
                    }))
            progress(min(1, time / max(1, durationSeconds)))
        }
        var scan = PictureScan(
            report: try output.checked(otherwise: .clipRejected).errorTail, durationSeconds: durationSeconds)
        scan.samples = samples
        return scan
    }

    package static func command(
        path: String, small: PixelSize, looksForFaces: Bool, threads: Int, limits: Limits, toolLimits: ToolLimits
    ) -> ToolCommand {
        var toolLimits = toolLimits
        toolLimits.errorBytesMax = limits.reportBytesMax
        let shrink = "[0:v:0]scale=\(small.width):\(small.height):flags=bilinear"
        let look = [
            "blackdetect=d=\(FilterText.number(limits.blackSecondsMin)):pix_th=\(FilterText.number(limits.blackLevel))",
            "freezedetect=n=\(FilterText.number(limits.frozenChange, places: 5))"
                + ":d=\(FilterText.number(limits.frozenSecondsMin))",
        ].joined(separator: ",")
        // Edges between blocks matter to none of those who look, and smoothing them is a fifth of the decoder's work.
        let opening = ["-threads", "\(threads)", "-skip_loop_filter", "all"]
        // The two detectors report in the log, at a level that other runs keep quiet.
        let leading =
            FFmpeg.leading + ["-loglevel", "info", "-nostats", "-filter_complex_threads", "\(threads)"]
            + FFmpeg.input(path, options: opening + ["-an"]) + ["-filter_complex"]
        guard looksForFaces else {
            return ToolCommand(
                .ffmpeg, leading + ["\(shrink),\(look)[look]", "-map", "[look]", "-f", "null", "-"],
                limits: toolLimits)
        }
        // `round=up`: the picture that is on the screen at n / rate, see `FrameSampler`.
        let sampling = "fps=\(FilterText.number(limits.facesPerSecond)):start_time=0:round=up,format=bgr24"
        return ToolCommand(
            .ffmpeg,
            leading + [
                "\(shrink),split[all][some];[all]\(look)[look];[some]\(sampling)[faces]",
                "-map", "[look]", "-f", "null", "-", "-map", "[faces]", "-f", "rawvideo", "pipe:1",
            ], limits: toolLimits)
    }

    // MARK: What the detectors print

    /// Reads the log lines of `blackdetect` and `freezedetect`. What freezes up to the end has no end line.
    package init(report: String, durationSeconds: Double) {
        var frozenSince: Double?
        for line in report.split(separator: "\n") {
            if let start = Self.number(in: line, after: "black_start:"),
                let end = Self.number(in: line, after: "black_end:"), start <= end
            {
                black.append(TimeRange(start: start, end: end))
            } else if let start = Self.number(in: line, after: "freeze_start: ") {
                frozenSince = start
            } else if let end = Self.number(in: line, after: "freeze_end: "), let start = frozenSince {
                frozen.append(TimeRange(start: start, end: max(start, end)))
                frozenSince = nil
            }
        }
        if let start = frozenSince { frozen.append(TimeRange(start: start, end: max(start, durationSeconds))) }
    }

    private static func number(in line: Substring, after mark: String) -> Double? {
        guard let range = line.firstRange(of: mark) else { return nil }
        return Double(line[range.upperBound...].prefix { !$0.isWhitespace })
    }
}
