import ClipModel
import Media
import TestSupport
import Testing

/// A changed command line changes what every clip looks and sounds like, so none changes unseen.
@Suite struct RenderCommandTests {
    private let limits = ToolLimits(wallSeconds: 1, memoryBytes: 1)

    static let plans: [String: RenderPlan] = [
        "still-window": plan(.source(), [.crop(0, 30, width: 405, height: 720, (0, 437))]),
        "moving-window": plan(
            .source(),
            [
                .crop(0, 12.5, width: 405, height: 720, (0, 100), (3, 100), (5, 260)),
                .crop(12.5, 30, width: 405, height: 720, (12.5, 700)),
            ], assPath: "/scratch/captions.ass"),
        "moving-window-of-4k": plan(
            .source(3840, 2160, rate: 59.94),
            [.crop(0, 30, width: 1215, height: 2160, (0, 0), (30, 2625))]),
        "whole-picture": plan(.source(640, 480, matrix: "smpte170m"), [.fit(0, 30)]),
        "mixed": plan(
            .source(1920, 1080, rate: 25),
            [
                .crop(0, 10, width: 607.5, height: 1080, (0, 656)), .fit(10, 20),
                .crop(20, 30, width: 607.5, height: 1080, (20, 0), (30, 300)),
            ], assPath: "/scratch/it's [a], 'test': 100%\\.ass", fonts: "/usr/share/fonts"),
        "turned-and-not-square": plan(
            .source(1080, 1920, coded: PixelSize(width: 1440, height: 1080), rotation: 90),
            [.crop(0, 30, width: 1080, height: 1080, (0, 0))], size: PixelSize(width: 1080, height: 1080)),
        "hdr": plan(
            .source(3840, 2160, isHDR: true, matrix: "bt2020nc"),
            [.crop(0, 15, width: 1215, height: 2160, (0, 1000)), .fit(15, 30)]),
        "layouts": plan(
            .source(1920, 1080, rate: 25),
            [
                Framing.Segment(
                    range: TimeRange(start: 0, end: 10), layout: .padded(still(400, 0, 960, 1080))),
                Framing.Segment(
                    range: TimeRange(start: 10, end: 20),
                    layout: .split(upper: still(36, 219, 729, 648), lower: still(1136, 240, 720, 640))),
                Framing.Segment(
                    range: TimeRange(start: 20, end: 30),
                    layout: .inset(screen: still(0, 0, 1920, 1080), face: still(1651, 863, 260, 208))),
            ]),
        "hundred-pixels": plan(.source(100, 100, matrix: nil), [.crop(0, 30, width: 56.25, height: 100, (0, 21.9))]),
    ]

    private static func still(_ x: Double, _ y: Double, _ width: Double, _ height: Double) -> CropPath {
        CropPath(width: width, height: height, keyframes: [.init(time: 0, x: x, y: y)])
    }

    private static func plan(
        _ facts: VideoFacts, _ segments: [Framing.Segment], size: PixelSize = .portrait, assPath: String? = nil,
        fonts: String? = nil
    ) -> RenderPlan {
        RenderPlan(
            sourcePath: "/blobs/source", facts: facts, clip: TimeRange(start: 61.25, end: 91.25),
            framing: .of(segments), size: size, assPath: assPath, fontsDirectory: fonts, threads: 2,
            outputPath: "/scratch/clip.mp4")
    }

    @Test(arguments: plans.keys.sorted())
    func `the picture's command line is the kept one`(name: String) throws {
        let command = try #require(Self.plans[name]).pictureCommand(soundPath: "/scratch/sound.mp4", limits: limits)
        try expectKept(command, "command-render-\(name)")
    }

    @Test func `the sound's command lines are the kept ones`() throws {
        let sound = SoundPlan(try #require(Self.plans["still-window"]), limits: limits)
        try expectKept(sound.bedCommand, "command-sound-bed")
        try expectKept(sound.trialCommand(SoundGain(gainDB: 12.345, ceilingDBTP: -1.5)), "command-sound-trial")
        try expectKept(sound.encodeCommand(SoundGain(gainDB: -3)), "command-sound-encode")
    }

    @Test func `noise is taken out by the floor that was measured, where there is one`() throws {
        func curves(_ quiet: Float, _ loud: Float) -> SoundCurves {
            SoundCurves(
                durationSeconds: 120, energyDBFS: (0..<1200).map { $0 % 4 == 0 ? quiet : loud }, loudnessLUFS: [],
                integratedLUFS: nil, silences: [])
        }
        let clip = TimeRange(start: 61.25, end: 91.25)
        #expect(NoiseReduction(curves(-46, -20), clip: clip)?.floor == -46)
        #expect(NoiseReduction(curves(-75, -20), clip: clip) == nil, "not heard")
        #expect(NoiseReduction(curves(-100, -20), clip: clip) == nil, "digital silence has no noise")
        #expect(NoiseReduction(curves(-25, -18), clip: clip) == nil, "music")
        var plan = try #require(Self.plans["still-window"])
        plan.noise = NoiseReduction(curves(-46, -20), clip: clip)
        let filters = SoundPlan(plan, limits: limits).bedCommand.arguments.first { $0.contains("afade") }
        let noise = "=stereo,highpass=f=70,apad=pad_len=1200,afftdn=nr=15:nf=-37,atrim=start_sample=1200,"
        #expect(filters?.contains(noise) == true)
        #expect(filters?.contains("aformat=sample_fmts=flt") == true)
    }

    @Test func `a source without sound gets silence of the same length`() throws {
        var plan = try #require(Self.plans["still-window"])
        plan.facts.audioStream = nil
        try expectKept(SoundPlan(plan, limits: limits).bedCommand, "command-sound-none")
    }

    @Test func `a window that moves at every frame of three minutes still fits into an argument`() throws {
        let keyframes = (0...5400).map { frame in
            CropPath.Keyframe(time: Double(frame) / 30, x: Double(frame * 7919 % 870), y: 0)
        }
        let path = CropPath(width: 405, height: 720, keyframes: keyframes)
        let whole = TimeRange(start: 0, end: 180)
        let plan = RenderPlan(
            sourcePath: "/blobs/source", facts: .source(), clip: whole,
            framing: .of([Framing.Segment(range: whole, layout: .crop(path))]), size: .portrait, threads: 1,
            outputPath: "/scratch/clip.mp4")
        let longest = plan.pictureCommand(soundPath: "/s", limits: limits).arguments.map(\.utf8.count).max()
        #expect(try #require(longest) < 128 << 10)
    }

    private func expectKept(_ command: ToolCommand, _ name: String) throws {
        let text = Golden.text(ofCommand: command.executable.rawValue, command.arguments)
        let mismatch = try Golden.mismatch(text, name: name)
        #expect(mismatch == nil)
    }
}
