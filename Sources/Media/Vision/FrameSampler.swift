package import ClipModel

/// Small pictures of a stretch of a video at regular times, for looking at.
///
/// ffmpeg decodes that stretch only, turns and stretches the picture as a player would, and hands it on raw. One frame
/// is in memory at a time: the pipe holds ffmpeg back while a picture is looked at.
package struct FrameSampler: Hashable, Sendable {
    package var path: String
    /// Which stream of the file, as ffmpeg names them: its index, or `v:0` for the first with pictures.
    package var stream: String
    package var range: TimeRange
    package var framesPerSecond: Double
    /// What every picture measures.
    package var size: PixelSize
    /// Of the decoder.
    package var threads: Int

    package init(
        path: String, stream: String, range: TimeRange, framesPerSecond: Double, size: PixelSize, threads: Int
    ) {
        precondition(framesPerSecond > 0, "\(framesPerSecond) frames a second")
        precondition(size.width > 0 && size.height > 0, "a picture of \(size.width) x \(size.height)")
        precondition(threads > 0, "\(threads) threads")
        self.path = path
        self.stream = stream
        self.range = range
        self.framesPerSecond = framesPerSecond
        self.size = size
        self.threads = threads
    }

    /// The size at which a picture of `display` pixels is looked at: its longer edge shrunk to `edgeMax`, never grown.
    package static func size(of display: PixelSize, edgeMax: Int) -> PixelSize {
        let scale = min(1, Double(edgeMax) / Double(max(display.width, display.height)))
        return PixelSize(
            width: max(1, Int((Double(display.width) * scale).rounded())),
            height: max(1, Int((Double(display.height) * scale).rounded())))
    }

    package var stepSeconds: Double { 1 / framesPerSecond }

    /// How many pictures the stretch has, unless the file ends before.
    package var frameCount: Int { max(1, Int((range.duration * framesPerSecond).rounded(.up))) }

    package func command(limits: ToolLimits) -> ToolCommand {
        // `round=up` makes picture n the one that is on the screen at n / rate. The default takes it half a step later,
        // which after a cut is the wrong shot.
        let filters = [
            "fps=fps=\(FFmpeg.seconds(framesPerSecond)):start_time=0:round=up",
            "scale=\(size.width):\(size.height):flags=bilinear", "format=bgr24",
        ]
        let opening = [
            "-threads", "\(threads)", "-ss", FFmpeg.seconds(range.start), "-t", FFmpeg.seconds(range.duration),
        ]
        return ToolCommand(
            .ffmpeg,
            FFmpeg.leading + FFmpeg.input(path, options: opening) + [
                "-map", "0:\(stream)", "-an", "-sn", "-dn", "-filter_threads", "1", "-vf",
                filters.joined(separator: ","),
                "-frames:v", "\(frameCount)", "-f", "rawvideo", "pipe:1",
            ], limits: limits)
    }

    /// Hands `look` every picture in turn, as tightly packed BGR, with its time in seconds from the start of the range.
    package func frames(
        _ toolbox: Toolbox, look: (_ pixels: [UInt8], _ time: Double) async throws(MediaError) -> Void
    ) async throws(MediaError) {
        let limits = toolbox.configuration.passLimits(overSeconds: range.duration)
        var index = 0
        let output = try await toolbox.stream(
            command(limits: limits), blockBytes: size.width * size.height * 3
        ) { pixels throws(MediaError) in
            try await look(pixels, Double(index) * stepSeconds)
            index += 1
        }
        _ = try output.checked(otherwise: .visionFailed)
    }
}

extension FrameSampler {
    /// The faces of every `stride`th picture, in pixels of a picture of `display` size, strongest first. The pictures
    /// between them tell how the mouths move, where there are several: adjacent ones, because lips do not wait.
    ///
    /// - Parameter attentive: Of a picture without faces, tells what else draws the eye in it.
    package func faces(
        display: PixelSize, every stride: Int = 1, attentive: Bool, toolbox: Toolbox,
        progress: @Sendable (Double) -> Void
    ) async throws(MediaError) -> [FaceSample] {
        precondition(stride > 0, "every \(stride)th picture")
        let detector = try FaceDetector(modelPath: toolbox.configuration.faceModelPath)
        let horizontal = Double(display.width) / Double(size.width)
        let vertical = Double(display.height) / Double(size.height)
        var samples: [FaceSample] = []
        var mouths = MouthMeter(size: size)
        var attention = AttentionMeter(size: size)
        var looked = 0
        try await frames(toolbox) { pixels, time throws(MediaError) in
            defer { looked += 1 }
            for (face, motion) in toolbox.effort.measure({ mouths.motions(to: pixels) }) {
                samples[samples.count - 1].faces[face].mouth.append(motion)
            }
            guard looked % stride == 0 else { return }
            let faces = try toolbox.effort.measure { () throws(MediaError) in
                try detector.faces(in: pixels, size: size)
            }
            if stride > 1 { mouths.follow(faces, in: pixels) }
            var sample = FaceSample(
                time: time, faces: faces.map { $0.scaled(horizontally: horizontal, vertically: vertical) })
            if !faces.isEmpty {
                attention.forget()
            } else if attentive {
                sample.attention = toolbox.effort.measure { attention.attention(to: pixels) }
            }
            samples.append(sample)
            progress(min(1, Double(looked + 1) / Double(frameCount)))
        }
        return samples
    }
}

/// The faces seen at one time of a clip, in display pixels of its source.
package struct FaceSample: Hashable, Sendable {
    /// Seconds from the start of the clip.
    package var time: Double
    package var faces: [DetectedFace]
    /// Where the eye is drawn; nil where the first look found faces, or nobody looked.
    package var attention: Attention?

    package init(time: Double, faces: [DetectedFace], attention: Attention? = nil) {
        self.time = time
        self.faces = faces
        self.attention = attention
    }
}
