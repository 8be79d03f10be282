import ClipModel
import Media
import Testing

struct CaptionGoldenTests {
    @Test(arguments: JobOptions.CaptionStyle.allCases)
    func `the script of each style is as it was`(style: JobOptions.CaptionStyle) throws {
        let script = CaptionSamples.track(CaptionSamples.spanish).ass(
            style: style, size: JobOptions.Aspect.portrait.pixels, watermark: "@canal {1}")
        try expectGolden(script, "spanish-\(style.rawValue).ass")
    }

    @Test(arguments: JobOptions.Aspect.allCases)
    func `the script of each aspect is as it was`(aspect: JobOptions.Aspect) throws {
        let script = CaptionSamples.track(CaptionSamples.spanish).ass(style: .plain, size: aspect.pixels)
        try expectGolden(script, "aspect-\(aspect.pixels.width)x\(aspect.pixels.height).ass")
    }

    @Test(arguments: [
        ("spanish", CaptionSamples.spanish), ("marks", CaptionSamples.marks), ("arabic", CaptionSamples.arabic),
        ("chinese", CaptionSamples.chinese),
    ])
    func `subtitle files and scripts of difficult text are as they were`(name: String, text: String) throws {
        let track = CaptionSamples.track(text)
        try expectGolden(track.srt(), "\(name).srt")
        try expectGolden(track.vtt(), "\(name).vtt")
        try expectGolden(track.ass(style: .classic, size: JobOptions.Aspect.portrait.pixels), "\(name).ass")
    }
}
