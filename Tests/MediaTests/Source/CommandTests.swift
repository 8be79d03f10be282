import ClipModel
import Media
import TestSupport
import Testing

/// A changed command line changes what every video becomes, so none changes unseen.
@Suite struct SourceCommandTests {
    private let limits = ToolLimits(wallSeconds: 1, memoryBytes: 1)

    @Test(arguments: ["probe", "measure", "decode", "listen", "sound", "shots"])
    func `the command line is the kept one`(name: String) throws {
        let command = command(name)
        let text = Golden.text(ofCommand: command.executable.rawValue, command.arguments)
        let mismatch = try Golden.mismatch(text, name: "command-source-\(name)")
        #expect(mismatch == nil)
    }

    private func command(_ name: String) -> ToolCommand {
        let (path, facts) = ("/blobs/source", VideoFacts.sample)
        return switch name {
        case "probe": Probe.command(path: path, limits: limits)
        case "measure": Probe.measuringCommand(path: path, limits: limits)
        case "decode": Probe.decodingCommand(path: path, stream: 0, start: 61, frames: 8, limits: limits)
        case "listen": Probe.decodingCommand(path: path, stream: 1, start: 0, limits: limits)
        case "sound":
            SoundAnalysis.command(
                path: path, stream: 1, seconds: 122.04, pcmPath: "/scratch/sound.wav", threads: 2, limits: limits)
        default: ShotDetection.command(path: path, facts: facts, threads: 2, limits: limits)
        }
    }
}

extension VideoFacts {
    /// A plain 720p video of two minutes.
    static var sample: VideoFacts {
        VideoFacts(
            durationSeconds: 122.04, displaySize: PixelSize(width: 1280, height: 720),
            codedSize: PixelSize(width: 1280, height: 720), rotationDegrees: 0, framesPerSecond: 30, videoCodec: "h264",
            videoStream: 0, audioStream: 1, audioCodec: "aac", audioChannels: 2, isHDR: false, container: "mov,mp4")
    }
}
