import ClipModel
import Foundation
import Media
import TestSupport
import Testing

/// Draws scripts with ffmpeg and looks at the pixels: what libass makes of a script is not written in the script.
struct CaptionRenderTests {
    /// Where anything was drawn over black, over all frames.
    private struct Ink {
        var left = Int.max
        var top = Int.max
        var right = -1
        var bottom = -1
    }

    /// Two frames per second of `script` over black, in grey.
    private func ink(_ script: String, _ size: PixelSize, seconds: Double) throws -> Ink {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("captions-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try Data(script.utf8).write(to: directory.appendingPathComponent("c.ass"))
        try Child.run(
            "ffmpeg",
            [
                "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                "color=c=black:s=\(size.width)x\(size.height):r=2:d=\(seconds)", "-vf", "ass=c.ass", "-pix_fmt", "gray",
                "-f", "rawvideo", "frames.raw",
            ], directory: directory.path)
        let frames = [UInt8](try Data(contentsOf: directory.appendingPathComponent("frames.raw")))
        var ink = Ink()
        for (place, value) in frames.enumerated() where value > 60 {
            let x = place % size.width, y = place / size.width % size.height
            ink.left = min(ink.left, x)
            ink.right = max(ink.right, x)
            ink.top = min(ink.top, y)
            ink.bottom = max(ink.bottom, y)
        }
        return ink
    }

    @Test(arguments: JobOptions.Aspect.allCases)
    func `letters stay inside the safe box, tails of letters aside`(aspect: JobOptions.Aspect) throws {
        let size = aspect.pixels
        let text = "WWWWWWWW MMMMMMMM, otorrinolaringólogo electroencefalografista. Jugó rápido, comprándolo así."
        let track = CaptionSamples.track(text)
        let script = track.ass(style: .plain, size: size, watermark: "@un canal con nombre largo")
        let ink = try ink(script, size, seconds: 5)
        // Anti-aliasing may colour one pixel more.
        #expect(ink.left >= size.width / 10 - 1, "\(ink)")
        #expect(ink.right <= size.width * 9 / 10 + 1, "\(ink)")
        #expect(ink.top >= size.height / 5 - 1, "\(ink)")
        // The baseline is the edge; the tails of p and g hang a fifth of the letters' size below it.
        #expect(ink.bottom <= size.height * 4 / 5 + Int(0.2 * 84), "\(ink)")
        #expect(ink.bottom >= size.height * 4 / 5 - 3, "\(ink)")
    }

    @Test(arguments: JobOptions.CaptionStyle.allCases)
    func `every style keeps to the safe box, glow and patch included`(style: JobOptions.CaptionStyle) async throws {
        // As a node does: a style without its font is drawn, and measured, in another.
        let fonts = try await MediaSamples.with { samples in
            try await CaptionFonts.find(
                samples.toolbox, asking: try samples.write(Array(CaptionFonts.question.utf8), "fonts.ass"))
        }
        let size = JobOptions.Aspect.portrait.pixels
        let track = CaptionSamples.track("Nunca MMMMM WWWWW dejes 3.5 millones, ágil jugó así.")
        let ink = try ink(track.ass(style: style, size: size, fonts: fonts), size, seconds: 4)
        #expect(ink.left >= size.width / 10 - 2 && ink.right <= size.width * 9 / 10 + 2, "\(ink)")
        // Tails and what is drawn around them hang below the edge.
        #expect(ink.bottom <= size.height * 4 / 5 + 52, "\(ink)")
        #expect(ink.right - ink.left > size.width / 3, "\(ink)")
    }

    @Test func `words with markup of their own are drawn as they are`() throws {
        let size = JobOptions.Aspect.portrait.pixels
        let words = [Word(text: "{\\an7\\pos(0,0)}X\\N\\h", start: 0, end: 2, probability: 1)]
        let track = CaptionTrack(words: words, clip: TimeRange(start: 0, end: 2))
        let ink = try ink(track.ass(style: .plain, size: size), size, seconds: 1)
        #expect(ink.top > size.height / 2 && ink.left >= size.width / 10 - 1, "\(ink)")
        // Drawn as one line of letters, not obeyed: markup would leave one small X in the corner.
        #expect(ink.right - ink.left > size.width / 3, "\(ink)")
    }
}
