import ClipModel
import Media
import TestSupport
import Testing

@Suite struct CheckCommandTests {
    private let limits = ToolLimits(wallSeconds: 1, memoryBytes: 1)
    private let clip = "/blobs/clip.mp4"

    @Test(
        arguments: [
            "streams", "picture", "picture-and-faces", "thumbnail-looks", "thumbnail-looks-without-faces", "thumbnail",
        ])
    func `the command line is the kept one`(name: String) throws {
        let command = command(name)
        let text = Golden.text(ofCommand: command.executable.rawValue, command.arguments)
        let mismatch = try Golden.mismatch(text, name: "command-check-\(name)")
        #expect(mismatch == nil)
    }

    private func command(_ name: String) -> ToolCommand {
        switch name {
        case "streams": ClipStreams.command(path: clip, limits: limits)
        case "thumbnail-looks", "thumbnail-looks-without-faces":
            Thumbnail.lookCommand(
                clipPath: clip, times: [1.5, 10, 29.25], size: PixelSize(width: 360, height: 640),
                seesBlinks: name == "thumbnail-looks", limits: limits)
        case "thumbnail":
            Thumbnail.pictureCommand(
                clipPath: clip, time: 10, outputPath: "/scratch/thumbnail.jpg", limits: limits, of: Thumbnail.Limits())
        default:
            PictureScan.command(
                path: clip, small: PixelSize(width: 360, height: 640), looksForFaces: name == "picture-and-faces",
                threads: 2, limits: PictureScan.Limits(), toolLimits: limits)
        }
    }
}
