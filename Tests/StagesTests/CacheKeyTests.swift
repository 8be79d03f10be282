import ClipModel
import Media
import Stages
import Testing

@Suite struct CacheKeyTests {
    private static let versions = ToolVersions(ffmpeg: "5.1", speechModel: "s", faceModel: "f")
    private static let own = StageName.allCases.filter { $0 != .publish }

    /// One change, and the stages that it concerns by itself. Those after them follow through their inputs.
    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let concerns: Set<StageName>
        let apply: @Sendable (inout JobOptions) -> Void

        init(_ text: String, _ concerns: Set<StageName>, _ apply: @escaping @Sendable (inout JobOptions) -> Void) {
            testDescription = text
            self.concerns = concerns
            self.apply = apply
        }
    }

    private static let changes = [
        Change("language", [.transcribe]) { $0.language = "es" },
        Change("clipCount", [.highlights]) { $0.clipCount = 7 },
        Change("durationPreset", [.highlights]) { $0.durationPreset = .long },
        Change("minSeconds", [.highlights]) { $0.minSeconds = 20 },
        Change("maxSeconds", [.highlights]) { $0.maxSeconds = 31 },
        Change("keywords", [.highlights, .thumbnail]) { $0.keywords = ["corazón"] },
        Change("aspect", [.reframe]) { $0.aspect = .square },
        Change("smartCrop", [.reframe]) { $0.smartCrop = false },
        Change("speakerColors", [.reframe, .render]) { $0.speakerColors = true },
        Change("speakerColors where nobody looks for faces", [.reframe]) {
            ($0.smartCrop, $0.speakerColors) = (false, true)
        },
        Change("punchIns", [.reframe]) { $0.punchIns = true },
        Change("denoise", [.render]) { $0.denoise = true },
        Change("tighten", [.render]) { $0.tighten = true },
        Change("subtitles", [.render]) { $0.subtitles = .burned },
        Change("no subtitles", [.render]) { $0.subtitles = .off },
        Change("captionStyle of captions that are not burned", []) { $0.captionStyle = .boxed },
        Change("watermark", [.render]) { $0.watermark = "Tijera" },
    ]

    @Test(arguments: changes) func `an option touches its own stages and no others`(change: Change) throws {
        var options = JobOptions()
        change.apply(&options)
        for name in Self.own {
            let (before, after) = (try key(name), try key(name, options: options))
            #expect((before != after) == change.concerns.contains(name), "\(name)")
        }
    }

    @Test func `the style of burned captions touches the rendering`() throws {
        var (plain, boxed) = (JobOptions(), JobOptions())
        (plain.subtitles, boxed.subtitles) = (.burned, .burned)
        (plain.captionStyle, boxed.captionStyle) = (.plain, .boxed)
        #expect(try key(.render, options: plain) != key(.render, options: boxed))
    }

    @Test func `colours of speakers leave the keys of clips without them as they were`() throws {
        let key = StageKey(.render)
        let plain = try #require(try RenderStage.ingredients(SampleJob().inputs(key), Self.versions))
        #expect(plain["speakerColors"] == nil)
        let framed = try #require(
            try ReframeStage.ingredients(SampleJob().inputs(StageKey(.reframe)), Self.versions))
        #expect(framed["speakers"] == nil)
        var (silent, told) = (JobOptions(), JobOptions())
        (silent.subtitles, told.subtitles, told.speakerColors) = (.off, .off, true)
        for name in [StageName.reframe, .render] {
            #expect(try self.key(name, options: silent) == self.key(name, options: told), "\(name)")
        }
    }

    @Test func `fonts touch burned captions, and keywords those in which they stand out`() throws {
        var (classic, pop) = (JobOptions(), JobOptions())
        (classic.subtitles, pop.subtitles) = (.burned, .burned)
        pop.captionStyle = .pop
        let fewer = ToolVersions(
            ffmpeg: "5.1", speechModel: "s", faceModel: "f", captionFonts: CaptionFonts(said: ""))
        #expect(try key(.render) == key(.render, versions: fewer))
        #expect(try key(.render, options: classic) != key(.render, options: classic, versions: fewer))
        for (options, stands) in [(classic, false), (pop, true)] {
            var keyed = options
            keyed.keywords = ["corazón"]
            #expect(try (key(.render, options: options) != key(.render, options: keyed)) == stands)
        }
    }

    @Test func `keywords of the same letters are told apart, and written as ever`() throws {
        var (one, other) = (JobOptions(), JobOptions())
        (one.keywords, other.keywords) = (["aé", "c"], ["a", "éc"])
        #expect(try key(.highlights, options: one) != key(.highlights, options: other))
        // Results of older releases are found under this.
        let inputs = SampleJob(options: one).inputs(StageKey(.highlights))
        #expect(try HighlightsStage.ingredients(inputs, Self.versions)?["keywords"] == "3:aé1:c")
    }

    @Test func `what punch-ins stand on touches the framing that has them`() throws {
        var punched = JobOptions()
        punched.punchIns = true
        var keyed = punched
        keyed.keywords = ["corazón"]
        #expect(try key(.reframe, options: punched) != key(.reframe, options: keyed))
        let with = try ReframeStage.ingredients(
            SampleJob(options: punched).inputs(StageKey(.reframe)), Self.versions)
        #expect(with?["punchIns"] == "key of \(StageKey(.transcript))")
        let without = try #require(
            try ReframeStage.ingredients(SampleJob().inputs(StageKey(.reframe)), Self.versions))
        #expect(without["punchIns"] == nil && without["keywords"] == nil)
        // Without faces nobody is come closer to.
        var (centred, asked) = (JobOptions(), punched)
        (centred.smartCrop, asked.smartCrop) = (false, false)
        #expect(try key(.reframe, options: centred) == key(.reframe, options: asked))
    }

    @Test func `captions are not in the way when there are none`() throws {
        var options = JobOptions()
        options.subtitles = .off
        let key = StageKey(.render)
        let ingredients = try #require(
            try RenderStage.ingredients(SampleJob(options: options).inputs(key), Self.versions))
        #expect(ingredients["transcript"] == nil)
    }

    @Test func `how short a clip may get touches those that are tightened, and no others`() throws {
        var (whole, tight) = (JobOptions(), JobOptions())
        tight.tighten = true
        let ingredients = try #require(
            try RenderStage.ingredients(SampleJob(options: whole).inputs(StageKey(.render)), Self.versions))
        #expect(ingredients["tighten"] == nil)
        let before = (try key(.render, options: whole), try key(.render, options: tight))
        (whole.minSeconds, tight.minSeconds) = (20, 20)
        #expect(try key(.render, options: whole) == before.0)
        #expect(try key(.render, options: tight) != before.1)
    }

    @Test func `other bytes mean another key for the first stage, and so for all`() throws {
        #expect(try key(.scan) != key(.scan, sha256: "ab"))
    }

    @Test(arguments: [StageName.probe, .audio, .shots, .reframe, .render, .check, .thumbnail])
    func `another ffmpeg touches the stages that use it`(name: StageName) throws {
        #expect(try key(name) != key(name, versions: ToolVersions(ffmpeg: "6", speechModel: "s", faceModel: "f")))
    }

    @Test func `another speech model means another transcription and nothing else`() throws {
        try expect(ToolVersions(ffmpeg: "5.1", speechModel: "t", faceModel: "f"), concerns: [.transcribe])
    }

    @Test func `another face model means other paths, other checks and other covers`() throws {
        try expect(
            ToolVersions(ffmpeg: "5.1", speechModel: "s", faceModel: "g"),
            concerns: [.reframe, .render, .check, .thumbnail])
    }

    private func expect(_ versions: ToolVersions, concerns: Set<StageName>) throws {
        for name in Self.own {
            #expect((try key(name) != key(name, versions: versions)) == concerns.contains(name), "\(name)")
        }
    }

    @Test func `every chunk and every clip has a key of its own`() throws {
        let sample = SampleJob()
        for name in [StageName.transcribe, .reframe, .render] {
            let keys = try [0, 1].map { try name.step.cacheKey(sample.inputs(StageKey(name, $0)), Self.versions) }
            #expect(keys[0] != keys[1], "\(name)")
        }
    }

    @Test func `a transcript that came along does without the model`() throws {
        let sample = SampleJob(sidecar: SampleJob.sidecar)
        let inputs = sample.inputs(StageKey(.transcribe))
        let ingredients = try #require(try TranscribeStage.ingredients(inputs, Self.versions))
        #expect(ingredients["model"] == nil)
        #expect(ingredients["sidecar"] == "srt bb")
    }

    @Test func `a manifest is never shared`() throws {
        #expect(try key(.publish) == nil)
    }

    @Test func `fields cannot be confused with each other`() {
        var (one, other) = (CacheIngredients(), CacheIngredients())
        (one["a"], one["b"]) = ("x", "yz")
        (other["a"], other["b"]) = ("xy", "z")
        #expect(one.key(of: .scan, version: 1) != other.key(of: .scan, version: 1))
        #expect(one.key(of: .scan, version: 1) != one.key(of: .scan, version: 2))
        #expect(one.key(of: .scan, version: 1) != one.key(of: .probe, version: 1))
        #expect(one.key(of: .scan, version: 1).count == 64)
    }

    private func key(
        _ name: StageName, options: JobOptions = JobOptions(), sha256: String = "aa", versions: ToolVersions = versions
    ) throws -> String? {
        try name.step.cacheKey(SampleJob(options: options, sha256: sha256).inputs(StageKey(name)), versions)
    }
}
