import ClipModel
import Media
import Testing

struct CaptionFontTests {
    private let portrait = JobOptions.Aspect.portrait.pixels

    private func style(_ script: String) -> [Substring] {
        let line = script.split(separator: "\n").first { $0.hasPrefix("Style: Caption,") } ?? ""
        return line.split(separator: ",", omittingEmptySubsequences: false)
    }

    @Test func `what libass says tells which fonts are there`() {
        let fonts = CaptionFonts(
            said: """
                [Parsed_ass_0 @ 0x1] fontselect: (DejaVu Sans, 700, 0) -> /usr/x/DejaVuSans-Bold.ttf, 0, DejaVuSans-Bold
                [Parsed_ass_0 @ 0x1] fontselect: (Lato Black, 400, 0) -> /usr/x/Lato-Black.ttf, 0, Lato-Black
                [Parsed_ass_0 @ 0x1] fontselect: (Bebas Neue Bold, 400, 0) -> /usr/x/DejaVuSans.ttf, 0, DejaVuSans
                [Parsed_ass_0 @ 0x1] Glyph 0x6F22 not found, selecting one more font for (DejaVu Sans, 700, 0)
                [x @ 0x1] fontselect: failed to find any fallback with glyph 0x6F22 for font: (DejaVu Sans, 700, 0)
                """)
        #expect(fonts.families == ["DejaVu Sans", "Lato Black"])
        #expect(fonts.familiesMissing == ["Bebas Neue Bold", "Comfortaa"])
        #expect(fonts.missing == [.han])
        #expect("\(fonts)" == "DejaVu Sans, Lato Black, no han")
    }

    @Test func `a machine is asked what it has`() async throws {
        try await MediaSamples.with { samples in
            let script = try samples.write(Array(CaptionFonts.question.utf8), "fonts.ass")
            let fonts = try await CaptionFonts.find(samples.toolbox, asking: script)
            // cluster/test installs them.
            #expect(fonts.familiesMissing == [])
            #expect(fonts.missing == [])
        }
    }

    @Test(arguments: [
        (JobOptions.CaptionStyle.pop, "Lato Black"), (.headline, "Bebas Neue Bold"), (.neon, "Comfortaa"),
        (.classic, "DejaVu Sans"),
    ])
    func `a style has its own letters where they are there and have what is said`(
        style: JobOptions.CaptionStyle, family: String
    ) {
        let (spanish, arabic) = (CaptionSamples.track("Hola señor"), CaptionSamples.track(CaptionSamples.arabic))
        let none = CaptionFonts(said: "")
        #expect(self.style(spanish.ass(style: style, size: portrait))[1] == family)
        #expect(self.style(spanish.ass(style: style, size: portrait, fonts: none))[1] == "DejaVu Sans")
        #expect(self.style(arabic.ass(style: style, size: portrait))[1] == "DejaVu Sans")
    }

    @Test func `captions are not burned when a good part of them has no font`() {
        let fonts = CaptionFonts(
            said: "fontselect: failed to find any fallback with glyph 0x6F22 for font: (DejaVu Sans, 700, 0)")
        #expect(fonts.lacks(CaptionSamples.track(CaptionSamples.chinese)))
        #expect(!fonts.lacks(CaptionSamples.track("Esto se llama 漢 en japonés, y nada más se dice de ello.")))
        #expect(!CaptionFonts.all.lacks(CaptionSamples.track(CaptionSamples.chinese)))
    }
}
