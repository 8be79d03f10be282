import ClipModel
import Media

extension VideoFacts {
    /// A source for render tests, 30 frames a second with stereo sound unless told otherwise.
    static func source(
        _ width: Int = 1280, _ height: Int = 720, coded: PixelSize? = nil, rotation: Int = 0, rate: Double = 30,
        audio: Int? = 1, isHDR: Bool = false, matrix: String? = "bt709"
    ) -> VideoFacts {
        let display = PixelSize(width: width, height: height)
        return VideoFacts(
            durationSeconds: 600, displaySize: display, codedSize: coded ?? display, rotationDegrees: rotation,
            framesPerSecond: rate, videoCodec: "h264", videoStream: 0, audioStream: audio, audioCodec: "aac",
            audioChannels: 2, isHDR: isHDR, container: "mov,mp4", colorMatrix: matrix)
    }
}

extension Framing {
    static func of(_ segments: [Segment], faces: [FaceSighting] = []) -> Framing {
        Framing(
            segments: segments, faceInFrame: faces.isEmpty ? nil : 1, reversalsPerSecond: 0, travelPixelsPerSecond: 0,
            faces: faces)
    }
}

extension Framing.Segment {
    static func fit(_ start: Double, _ end: Double) -> Self {
        Self(range: TimeRange(start: start, end: end), layout: .fit)
    }

    /// A window whose corner passes `(time, x)` at height 0.
    static func crop(
        _ start: Double, _ end: Double, width: Double, height: Double, _ points: (Double, Double)...
    ) -> Self {
        let keyframes = points.map { CropPath.Keyframe(time: $0.0, x: $0.1, y: 0) }
        return Self(
            range: TimeRange(start: start, end: end),
            layout: .crop(CropPath(width: width, height: height, keyframes: keyframes)))
    }
}

extension PixelSize {
    static let portrait = PixelSize(width: 1080, height: 1920)
    /// Keeps real runs short.
    static let small = PixelSize(width: 180, height: 320)
}
