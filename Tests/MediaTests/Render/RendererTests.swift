import ClipModel
import Foundation
import Media
import Testing

/// Real runs on small pictures, so that they take a second or two each.
@Suite(.serialized) struct RendererTests {
    // MARK: In step

    @Test func `picture and sound stay in step, and the length is exact`() async throws {
        try await MediaSamples.with { samples in
            // A white frame and a beep at every full second.
            let picture = MediaSamples.source(
                "color=black:s=320x180:r=25:d=8,drawbox=c=white:t=fill:enable='lt(mod(t,1),0.04)'")
            let sound = MediaSamples.source("aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t,1),0.04)':s=44100:d=8")
            let source = try await samples.make("source.mp4", picture + sound + ["-c:a", "aac"])
            let clip = try await samples.render(source, TimeRange(start: 2.6, end: 5.6), [.fit(0, 3)])
            let brightness = try await clip.frames(width: 1, height: 1).map { $0[0] }
            #expect(brightness.count == 75)
            let flashes = brightness.indices.filter { brightness[$0] > 100 }
            #expect(flashes == [10, 35, 60])
            let beeps = try await clip.onsets()
            #expect(beeps.count == 3)
            for (flash, beep) in zip(flashes, beeps) { #expect(abs(Double(flash) / 25 - beep) < 0.005) }
        }
    }

    @Test func `where the source ends early, picture and sound are held to the full length`() async throws {
        try await MediaSamples.with { samples in
            let source = try await samples.video(seconds: 4)
            let clip = try await samples.render(source, TimeRange(start: 2, end: 6), [.fit(0, 4)])
            #expect(clip.figures.durationSeconds == 4)
            #expect(clip.figures.flags.map(\.code) == [])
        }
    }

    // MARK: Framing

    @Test func `the window jumps with the cut, in the very frame`() async throws {
        try await MediaSamples.with { samples in
            // White on the left for 1.48 s, then on the right; the rest is black.
            let source = try await samples.make(
                "source.mp4",
                MediaSamples.source(
                    "color=black:s=320x180:r=25:d=4,drawbox=w=160:c=white:t=fill:enable='lt(t,1.479)',"
                        + "drawbox=x=160:w=160:c=white:t=fill:enable='gte(t,1.479)'"))
            let cut = 1.48 - 0.1
            let shots: [[Framing.Segment]] = [
                [
                    .crop(0, cut, width: 101.25, height: 180, (0, 10)),
                    .crop(cut, 3, width: 101.25, height: 180, (cut, 200), (3, 210)),
                ],
                [
                    .crop(0, cut, width: 101.25, height: 180, (0, 10), (cut, 50)),
                    .crop(cut, 3, width: 90, height: 160, (cut, 200)),
                ],
            ]
            for segments in shots {
                let clip = try await samples.render(source, TimeRange(start: 0.1, end: 3.1), segments)
                let darkest = try await clip.frames(width: 9, height: 16).map { $0.min() ?? 0 }
                #expect(darkest.count == 75)
                #expect(darkest.allSatisfy { $0 > 200 }, "frames \(darkest.indices.filter { darkest[$0] <= 200 })")
            }
        }
    }

    @Test func `a window and the whole picture take turns`() async throws {
        try await MediaSamples.with { samples in
            let source = try await samples.make(
                "source.mp4",
                MediaSamples.source("color=black:s=320x180:r=30:d=4,drawbox=x=0:w=102:c=white:t=fill"))
            let clip = try await samples.render(
                source, TimeRange(start: 0, end: 3),
                [
                    .crop(0, 1, width: 101.25, height: 180, (0, 0)), .fit(1, 2),
                    .crop(2, 3, width: 101.25, height: 180, (2, 0)),
                ])
            let means = try await clip.frames(width: 1, height: 1).map { $0[0] }
            #expect(means.count == 90)
            #expect(means[0..<30].allSatisfy { $0 > 220 })
            #expect(means[30..<60].allSatisfy { $0 < 150 })
            #expect(means[60..<90].allSatisfy { $0 > 220 })
        }
    }

    /// A layout and the colours that its frame must show: left to right in rows from top to bottom, as red, green and
    /// blue.
    static let layouts: [String: (Framing.Segment.Layout, [[String]])] = {
        func path(_ x: Double, _ y: Double, _ width: Double, _ height: Double, to end: Double? = nil) -> CropPath {
            var keyframes = [CropPath.Keyframe(time: 0, x: x, y: y)]
            if let end { keyframes.append(.init(time: 2, x: end, y: y)) }
            return CropPath(width: width, height: height, keyframes: keyframes)
        }
        return [
            "padded": (.padded(path(0, 0, 160, 180)), [["?"], ["red"], ["red"], ["red"], ["?"]]),
            "split": (
                .split(upper: path(10, 30, 90, 80), lower: path(200, 30, 90, 80)),
                [["red"], ["red"], ["blue"], ["blue"]]
            ),
            "split that moves": (
                .split(upper: path(10, 30, 90, 80, to: 40), lower: path(180, 30, 90, 80, to: 210)),
                [["red"], ["red"], ["blue"], ["blue"]]
            ),
            "inset": (
                .inset(screen: path(0, 0, 320, 180), face: path(230, 100, 75, 60)),
                [["?", "?"], ["red", "blue"], ["?", "?"], ["blue", "blue"], ["blue", "blue"], ["?", "?"]]
            ),
        ]
    }()

    @Test(arguments: layouts.keys.sorted(), [30, 25])
    func `windows stand where their layout puts them`(name: String, rate: Int) async throws {
        let (layout, rows) = try #require(Self.layouts[name])
        try await MediaSamples.with { samples in
            // Red on the left, blue on the right.
            let source = try await samples.make(
                "source.mp4",
                MediaSamples.source("color=red:s=320x180:r=\(rate):d=3,drawbox=x=160:w=160:c=blue:t=fill"))
            let clip = try await samples.render(
                source, TimeRange(start: 0, end: 2),
                [Framing.Segment(range: TimeRange(start: 0, end: 2), layout: layout)])
            #expect(!clip.figures.flags.contains { $0.code.hasPrefix("wrong") })
            for frame in try await clip.colours(columns: rows[0].count, rows: rows.count) {
                for (found, expected) in zip(frame, rows.joined()) where expected != "?" { #expect(found == expected) }
            }
        }
    }

    @Test func `layouts follow one another in one clip`() async throws {
        try await MediaSamples.with { samples in
            let source = try await samples.make(
                "source.mp4",
                MediaSamples.source("color=red:s=320x180:r=30:d=4,drawbox=x=160:w=160:c=blue:t=fill"))
            let segments = zip([0.0, 1, 2, 3], ["split", "padded", "inset", "split that moves"]).compactMap {
                start, name in
                Self.layouts[name].map {
                    Framing.Segment(range: TimeRange(start: start, end: start + 1), layout: $0.0)
                }
            }
            let clip = try await samples.render(source, TimeRange(start: 0, end: 4), segments)
            let frames = try await clip.colours(columns: 1, rows: 4)
            #expect(frames.count == 120)
            #expect(frames[0..<30].allSatisfy { $0 == ["red", "red", "blue", "blue"] })
            #expect(frames[30..<60].allSatisfy { $0[1] == "red" && $0[2] == "red" })
            #expect(frames[60..<90].allSatisfy { $0[2] == "blue" })
            #expect(frames[90..<120].allSatisfy { $0 == ["red", "red", "blue", "blue"] })
        }
    }

    /// Pixels that are not square, turned pictures and small ones must not be stretched: a white square of the source
    /// stays a square.
    @Test(arguments: ["square pixels", "wide pixels", "turned", "tall", "tiny"])
    func `a square stays a square`(kind: String) async throws {
        let box = { (size: String, box: String) in "color=black:s=\(size):r=30:d=2,drawbox=\(box):c=white:t=fill" }
        let (source, window): (String, (Double, Double, Double)) =
            switch kind {
            case "wide pixels": (box("160x180", "x=60:y=60:w=30:h=60") + ",setsar=2/1", (101.25, 180, 99))
            case "turned": (box("320x180", "x=100:y=60:w=60:h=60"), (180, 320, 0))
            case "tall": (box("180x320", "x=60:y=100:w=60:h=60"), (180, 320, 0))
            case "tiny": (box("100x100", "x=40:y=30:w=30:h=30"), (56.25, 100, 27))
            default: (box("320x180", "x=120:y=60:w=60:h=60"), (101.25, 180, 99))
            }
        try await MediaSamples.with { samples in
            var path = try await samples.make("source.mp4", MediaSamples.source(source))
            if kind == "turned" {
                path = try await samples.make(
                    "turned.mp4", ["-i", path, "-c", "copy", "-metadata:s:v:0", "rotate=90"])
            }
            let clip = try await samples.render(
                path, TimeRange(start: 0, end: 2),
                [.crop(0, 2, width: window.0, height: window.1, (0, window.2))])
            let frame = try #require(try await clip.frames(width: 180, height: 320).first)
            let white = frame.indices.filter { frame[$0] > 128 }
            let columns = Set(white.map { $0 % 180 }), rows = Set(white.map { $0 / 180 })
            #expect(columns.count > 20)
            #expect(abs(columns.count - rows.count) <= 3, "\(columns.count) x \(rows.count)")
        }
    }

    // MARK: Odd sources

    static let oddSources: [String: [String]] = [
        "sixty frames a second": ["-r", "60"],
        "a variable rate": ["-vf", "select='not(mod(n,3))+lt(mod(n,7),2)'", "-fps_mode", "vfr"],
        "odd sides": ["-vf", "scale=321:179", "-pix_fmt", "yuv444p"],
        "ten bits and PQ": [
            "-vf", "format=yuv420p10le", "-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace",
            "bt2020nc",
        ],
        "telephone sound": ["-ar", "8000", "-ac", "1", "-af", "volume=0.05"],
        "six channels": ["-ac", "6"],
        "no sound": ["-an"],
        "sound that clips": ["-af", "volume=30dB"],
        "full range": ["-vf", "scale=out_range=pc", "-pix_fmt", "yuvj420p", "-c:v", "mjpeg"],
        "interlaced": ["-vf", "tinterlace=4", "-flags", "+ildct+ilme", "-r", "25"],
        "sound that ended before": ["-af", "atrim=end=0.3"],
        "sound that begins late": ["-af", "asetpts=PTS+1.5/TB"],
    ]

    @Test(arguments: oddSources.keys.sorted())
    func `an odd source makes a clip like any other`(kind: String) async throws {
        try await MediaSamples.with { samples in
            let options = try #require(Self.oddSources[kind])
            let source = try await samples.video("source.mkv", seconds: 5, options: options)
            let clip = try await samples.render(source, TimeRange(start: 0.5, end: 4.5), [.fit(0, 4)])
            #expect(
                clip.figures.flags.map(\.code)
                    == (["no sound", "sound that ended before"].contains(kind) ? ["silent"] : []))
            #expect(abs(clip.figures.durationSeconds - 4) < 0.02)
        }
    }

    @Test func `a stream that changes its size on the way keeps its place`() async throws {
        try await MediaSamples.with { samples in
            let first = try await samples.video("first.ts", seconds: 2, size: "320x180")
            let second = try await samples.video("second.ts", seconds: 2, size: "640x360")
            let joined = try await samples.make(
                "joined.ts", ["-i", "concat:\(first)|\(second)", "-c", "copy"])
            let clip = try await samples.render(joined, TimeRange(start: 0, end: 4), [.fit(0, 4)])
            #expect(clip.figures.flags.map(\.code) == [])
        }
    }

    /// Its window has an odd side, which the tone-mapping filters refuse unless they are helped.
    @Test func `a window of an HDR source is brought to the clip's colours`() async throws {
        try await MediaSamples.with { samples in
            let source = try await samples.video(
                "source.mkv", size: "320x180",
                options: [
                    "-vf", "format=yuv420p10le", "-color_primaries", "bt2020", "-color_trc", "arib-std-b67",
                    "-colorspace", "bt2020nc",
                ])
            let window = Framing.Segment.crop(0, 2, width: 101.25, height: 180, (0, 20), (2, 90))
            let clip = try await samples.render(
                source, TimeRange(start: 0.5, end: 2.5), [window], size: PixelSize(width: 270, height: 480))
            #expect(clip.figures.flags.map(\.code) == [])
        }
    }

    // MARK: Captions and cleaning up

    @Test func `captions are burned in from a path with every awkward character`() async throws {
        try await MediaSamples.with { samples in
            let ass = """
                [Script Info]
                ScriptType: v4.00+
                PlayResX: 180
                PlayResY: 320
                [V4+ Styles]
                Format: Name, Fontname, Fontsize, PrimaryColour, Bold, BorderStyle, Outline, Alignment, MarginV
                Style: Default,DejaVu Sans,60,&H00FFFFFF,1,1,0,5,0
                [Events]
                Format: Layer, Start, End, Style, Text
                Dialogue: 0,0:00:01.00,0:00:02.00,Default,WORD
                """
            let path = try samples.write(Array(ass.utf8), "it's [a], 100%: \\test;.ass")
            let source = try await samples.make("source.mp4", MediaSamples.source("color=black:s=320x180:r=30:d=3"))
            let clip = try await samples.render(source, TimeRange(start: 0, end: 3), [.fit(0, 3)], assPath: path)
            let brightest = try await clip.frames(width: 60, height: 100).map { $0.max() ?? 0 }
            let captioned = brightest.indices.filter { brightest[$0] > 150 }
            #expect(captioned == Array(30..<60))
        }
    }

    @Test func `a range without a picture fails and leaves nothing behind`() async throws {
        try await MediaSamples.with { samples in
            let source = try await samples.video(seconds: 2)
            let before = try samples.files()
            await expect(.renderFailed) {
                _ = try await samples.render(source, TimeRange(start: 50, end: 54), [.fit(0, 4)])
            }
            #expect(try samples.files() == before)
        }
    }

    @Test func `a cancelled run ends at once and leaves nothing behind`() async throws {
        try await MediaSamples.with { samples in
            let source = try await samples.video(seconds: 20)
            let before = try samples.files()
            let facts = try await Probe.run(path: source, toolbox: samples.toolbox)
            let plan = RenderPlan(
                sourcePath: source, facts: facts, clip: TimeRange(start: 0, end: 20), framing: .of([.fit(0, 20)]),
                size: .portrait, threads: 1, outputPath: samples.path("clip.mp4"))
            let (progress, report) = AsyncStream.makeStream(of: Double.self, bufferingPolicy: .bufferingNewest(1))
            await expect(.cancelled) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await Renderer.run(plan, toolbox: samples.toolbox) { report.yield($0) }
                    }
                    // The picture is being made when it goes past what the sound counts for.
                    for await fraction in progress where fraction > 0.11 { break }
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }
            #expect(try samples.files() == before)
            #expect(try noToolIsLeft(with: "file:" + plan.outputPath))
        }
    }

    @Test func `the clip says nothing of its source`() async throws {
        try await MediaSamples.with { samples in
            let source = try await samples.video(
                options: ["-metadata", "title=secret", "-metadata", "location=+40.4-003.7/"])
            let clip = try await samples.render(source, TimeRange(start: 0, end: 3), [.fit(0, 3)])
            let text = String(decoding: try samples.bytes(clip.path), as: UTF8.self)
            #expect(!text.contains("secret"))
            #expect(!text.contains("Lavf"))
        }
    }
}

/// A clip that a test made, and what was measured on it.
struct RenderedClip {
    let path: String
    let figures: ClipFigures
    fileprivate let toolbox: Toolbox

    /// Every frame in grey, shrunk to `width` x `height`.
    func frames(width: Int, height: Int) async throws -> [[UInt8]] {
        let bytes = try await raw(["-vf", "scale=\(width):\(height):flags=area,format=gray", "-f", "rawvideo"])
        return stride(from: 0, to: bytes.count, by: width * height).map { Array(bytes[$0..<($0 + width * height)]) }
    }

    /// Every frame as cells of `red` or `blue`, whichever is stronger in the cell's middle.
    func colours(columns: Int, rows: Int) async throws -> [[String]] {
        let (width, height) = (columns * 8, rows * 8)
        let bytes = try await raw(["-vf", "scale=\(width):\(height):flags=area,format=rgb24", "-f", "rawvideo"])
        return stride(from: 0, to: bytes.count, by: width * height * 3).map { frame in
            (0..<(rows * columns)).map { cell in
                let (row, column) = (cell / columns * 8 + 4, cell % columns * 8 + 4)
                let pixel = frame + 3 * (row * width + column)
                return bytes[pixel] > bytes[pixel + 2] ? "red" : "blue"
            }
        }
    }

    /// When, in seconds, sound begins after at least half a second of silence.
    func onsets() async throws -> [Double] {
        let bytes = try await raw(["-vn", "-ac", "1", "-ar", "48000", "-f", "s16le"])
        var (onsets, last): ([Double], Int) = ([], -48_000)
        for index in 0..<(bytes.count / 2) {
            let sample = Int16(truncatingIfNeeded: Int(bytes[2 * index]) | Int(bytes[2 * index + 1]) << 8)
            guard abs(Int(sample)) > 4000 else { continue }
            if index - last > 24_000 { onsets.append(Double(index) / 48_000) }
            last = index
        }
        return onsets
    }

    private func raw(_ arguments: [String]) async throws -> [UInt8] {
        let limits = ToolLimits(wallSeconds: 60, memoryBytes: 4 << 30, outputBytesMax: 64 << 20)
        let command = ToolCommand(
            .ffmpeg, ["-nostdin", "-v", "error", "-i", path] + arguments + ["pipe:1"], limits: limits)
        return try await toolbox.run(command).checked().standardOutput
    }
}

extension MediaSamples {
    /// Probes, renders and checks, as the stages of a job do.
    func render(
        _ source: String, _ range: TimeRange, _ segments: [Framing.Segment], size: PixelSize = .small,
        assPath: String? = nil, kept: KeptSpans? = nil
    ) async throws -> RenderedClip {
        let facts = try await Probe.run(path: source, toolbox: toolbox)
        let (output, framing) = (path("clip.mp4"), Framing.of(segments))
        var plan = RenderPlan(
            sourcePath: source, facts: facts, clip: range, framing: framing, size: size, assPath: assPath, threads: 2,
            outputPath: output)
        plan.kept = kept
        try await Renderer.run(plan, toolbox: toolbox)
        let verdict = try await ClipCheck.run(
            path: output, facts: facts, clip: kept?.tightened(clip: range) ?? range, size: size, framing: framing,
            faceModelPath: "", toolbox: toolbox, threads: 2)
        return RenderedClip(path: output, figures: verdict.figures, toolbox: toolbox)
    }

    func files() throws -> Set<String> { Set(try FileManager.default.contentsOfDirectory(atPath: directory.path)) }
}
