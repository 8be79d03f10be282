import Media
import Synchronization
import Testing

@Suite(.serialized) struct ShotDetectionTests {
    /// Scenes of different kinds and lengths, one after the other; the cuts are the sums of the lengths.
    private static let scenes: [(filter: String, seconds: Double)] = [
        ("testsrc2=size=320x180:rate=25", 2), ("mandelbrot=size=320x180:rate=25", 1.6),
        ("smptebars=size=320x180:rate=25", 1), ("mandelbrot=size=320x180:rate=25:start_scale=0.1", 2),
        ("color=c=0x202020:size=320x180:rate=25", 1.2), ("color=c=0x505050:size=320x180:rate=25", 0.8),
        ("yuvtestsrc=size=320x180:rate=25", 2), ("testsrc=size=320x180:rate=25", 1.4),
        ("cellauto=size=320x180:rate=25:seed=5", 2), ("rgbtestsrc=size=320x180:rate=25", 1),
    ]

    @Test(arguments: [["-g", "250"], ["-g", "50", "-b:v", "120k"]])
    func `known cuts are found to the frame`(options: [String]) async throws {
        try await MediaSamples.with { samples in
            let inputs = Self.scenes.flatMap { MediaSamples.source("\($0.filter),trim=duration=\($0.seconds)") }
            let labels = Self.scenes.indices.map { "[\($0)]format=yuv420p,setsar=1,setpts=PTS-STARTPTS[v\($0)];" }
            let joined = Self.scenes.indices.map { "[v\($0)]" }.joined()
            let graph = labels.joined() + "\(joined)concat=n=\(Self.scenes.count)"
            let path = try await samples.make("cuts.mp4", inputs + ["-filter_complex", graph] + options)
            let facts = try await Probe.run(path: path, toolbox: samples.toolbox)
            let fractions = Mutex<[Double]>([])
            let found = try await ShotDetection.run(
                path: path, facts: facts, threads: 1, toolbox: samples.toolbox
            ) { fraction in fractions.withLock { $0.append(fraction) } }
            var time = 0.0
            let expected = Self.scenes.dropLast().map { scene in
                time += scene.seconds
                return time
            }
            let hits = expected.count { cut in found.contains { abs($0 - cut) < 0.045 } }
            #expect(hits == expected.count, "found \(found), expected \(expected)")
            #expect(found.count == expected.count, "found \(found), expected \(expected)")
            let told = fractions.withLock { $0 }
            #expect(told.count > 5 && told == told.sorted())
        }
    }

    @Test func `dissolves and fades are found beside cuts`() async throws {
        try await MediaSamples.with { samples in
            let scenes = ["testsrc2", "smptebars", "rgbtestsrc", "yuvtestsrc", "testsrc"].flatMap {
                MediaSamples.source("\($0)=size=320x180:rate=25:duration=3")
            }
            let labels = (0..<5).map { "[\($0)]format=yuv420p,setsar=1,settb=1/25[s\($0)];" }.joined()
            // Of 1 s around 2.5 s, of 0.6 s around 4.7 s, through black around 6.9 s; a cut at 9.4 s.
            let graph =
                "[s0][s1]xfade=duration=1:offset=2[a];[a][s2]xfade=duration=0.6:offset=4.4[b];"
                + "[b][s3]xfade=transition=fadeblack:duration=1:offset=6.4[c];[c][s4]concat=n=2"
            let path = try await samples.make("soft.mp4", scenes + ["-filter_complex", labels + graph])
            let facts = try await Probe.run(path: path, toolbox: samples.toolbox)
            let found = try await ShotDetection.run(
                path: path, facts: facts, threads: 1, toolbox: samples.toolbox, progress: { _ in })
            let expected = [2.5, 4.7, 6.9, 9.4]
            #expect(found.count == expected.count, "found \(found)")
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 0.3 }, "found \(found)")
        }
    }

    @Test func `frames at uneven times are told at theirs`() async throws {
        try await MediaSamples.with { samples in
            let scenes = ["testsrc2", "smptebars"].flatMap {
                MediaSamples.source("\($0)=size=320x180:rate=25:duration=2")
            }
            // Every third frame is missing.
            let graph = "[0][1]concat=n=2,select='mod(n,3)'"
            let path = try await samples.make("uneven.mkv", scenes + ["-filter_complex", graph, "-vsync", "vfr"])
            let facts = try await Probe.run(path: path, toolbox: samples.toolbox)
            let found = try await ShotDetection.run(
                path: path, facts: facts, threads: 1, toolbox: samples.toolbox, progress: { _ in })
            #expect(found.count == 1 && abs(found[0] - 2) < 0.045, "found \(found)")
        }
    }

    @Test func `a picture without cuts has none`() async throws {
        try await MediaSamples.with { samples in
            let moving = MediaSamples.source("testsrc2=size=320x180:rate=30:duration=6")
            let path = try await samples.make("moving.mp4", moving + ["-vf", "hue=H=t/3:b=sin(t)/2"])
            let facts = try await Probe.run(path: path, toolbox: samples.toolbox)
            let found = try await ShotDetection.run(
                path: path, facts: facts, threads: 2, toolbox: samples.toolbox, progress: { _ in })
            #expect(found.isEmpty)
        }
    }
}
