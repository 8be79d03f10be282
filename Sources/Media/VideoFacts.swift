package import ClipModel

/// What ffprobe says of a source, after the rules of `Probe` accepted it.
package struct VideoFacts: Hashable, Sendable, Codable {
    package var durationSeconds: Double
    /// As displayed: rotation and sample aspect ratio are applied already.
    package var displaySize: PixelSize
    /// As stored, before rotation.
    package var codedSize: PixelSize
    package var rotationDegrees: Int
    /// Average; a variable frame rate is normal.
    package var framesPerSecond: Double
    package var videoCodec: String
    /// Index of the video stream in the file (an attached picture does not count).
    package var videoStream: Int
    /// Index of the default audio stream in the file; nil when there is nothing to hear.
    package var audioStream: Int?
    package var audioCodec: String?
    package var audioChannels: Int
    /// The transfer is PQ or HLG: must be tone-mapped for an SDR clip.
    package var isHDR: Bool
    package var container: String
    /// The YCbCr matrix as ffprobe names it (`bt709`, `smpte170m`, ...); nil when the file does not say.
    package var colorMatrix: String?

    package init(
        durationSeconds: Double, displaySize: PixelSize, codedSize: PixelSize, rotationDegrees: Int,
        framesPerSecond: Double, videoCodec: String, videoStream: Int, audioStream: Int?, audioCodec: String?,
        audioChannels: Int, isHDR: Bool, container: String,
        colorMatrix: String? = nil
    ) {
        self.durationSeconds = durationSeconds
        self.displaySize = displaySize
        self.codedSize = codedSize
        self.rotationDegrees = rotationDegrees
        self.framesPerSecond = framesPerSecond
        self.videoCodec = videoCodec
        self.videoStream = videoStream
        self.audioStream = audioStream
        self.audioCodec = audioCodec
        self.audioChannels = audioChannels
        self.isHDR = isHDR
        self.container = container
        self.colorMatrix = colorMatrix
    }
}
