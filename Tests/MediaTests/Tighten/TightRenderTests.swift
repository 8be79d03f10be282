import ClipModel
import Media
import Testing

/// Real runs: what was cut out is gone from picture and sound alike, to the frame.
@Suite(.serialized) struct TightRenderTests {
    /// Of each rate: frames from one event to the next, and how many are kept on either side of one.
    @Test(arguments: [(FrameRate(25), 25, 8), (FrameRate(30000, 1001), 30, 9)])
    func `picture and sound are in step behind forty joints`(rate: FrameRate, apart: Int, around: Int) async throws {
        let events = 1...41
        let period = rate.seconds(of: apart)
        try await MediaSamples.with { samples in
            // A white frame and a beep, every second or so.
            let seconds = period * Double(events.upperBound + 3)
            let picture = MediaSamples.source(
                "color=black:s=320x180:r=\(rate):d=\(seconds),drawbox=c=white:t=fill:enable='not(mod(n,\(apart)))'")
            let sound = MediaSamples.source(
                "aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t,\(period)),0.04)':s=44100:d=\(seconds)")
            let source = try await samples.make("source.mp4", picture + sound + ["-c:a", "aac"])
            let kept = KeptSpans(
                events.map { event in
                    let frame = apart * event
                    return TimeRange(
                        start: rate.seconds(of: frame - around), end: rate.seconds(of: frame + around))
                })
            let clip = try await samples.render(
                source, TimeRange(start: 0, end: seconds - period), [.fit(0, kept.seconds)], kept: kept)

            let brightness = try await clip.frames(width: 1, height: 1).map { $0[0] }
            #expect(brightness.count == 2 * around * events.count)
            let flashes = brightness.indices.filter { brightness[$0] > 100 }
            #expect(flashes == events.map { 2 * around * ($0 - 1) + around })
            let beeps = try await clip.onsets()
            #expect(beeps.count == events.count)
            for (flash, beep) in zip(flashes, beeps) { #expect(abs(rate.seconds(of: flash) - beep) < 0.005) }
            let flags = clip.figures.flags.map(\.code)
            #expect(!flags.contains { ["wrong_format", "wrong_length", "sound_offset"].contains($0) }, "\(flags)")
            #expect(abs(clip.figures.durationSeconds - kept.seconds) < 0.001)
        }
    }

    /// Red and silent, but for a second of blue with a tone, which is cut out: in the middle, or at a border.
    @Test(arguments: [1.0, 0, 2])
    func `what was cut out is neither seen nor heard`(start: Double) async throws {
        try await MediaSamples.with { samples in
            let (from, to) = (start, start + 1)
            let picture = MediaSamples.source(
                "color=red:s=320x180:r=25:d=4,drawbox=c=blue:t=fill:enable='between(t,\(from - 0.01),\(to - 0.03))'")
            let sound = MediaSamples.source(
                "aevalsrc='0.5*sin(2*PI*440*t)*between(t,\(from + 0.02),\(to - 0.02))':s=48000:d=4")
            let source = try await samples.make("source.mkv", picture + sound + ["-c:a", "pcm_s16le"])
            let spans = [TimeRange(start: 0, end: from), TimeRange(start: to, end: 3)].filter { $0.duration > 0 }
            let clip = try await samples.render(
                source, TimeRange(start: 0, end: 3), [.fit(0, 2)], kept: KeptSpans(spans))
            let colours = try await clip.colours(columns: 1, rows: 1)
            #expect(colours.count == 50)
            #expect(colours.allSatisfy { $0 == ["red"] })
            #expect(clip.figures.flags.map(\.code).contains("silent"))
        }
    }

    @Test func `the window is where it was, though the picture's cut was cut out`() async throws {
        try await MediaSamples.with { samples in
            // White on the left for 1.48 s, then on the right; the rest is black.
            let source = try await samples.make(
                "source.mp4",
                MediaSamples.source(
                    "color=black:s=320x180:r=25:d=4,drawbox=w=160:c=white:t=fill:enable='lt(t,1.479)',"
                        + "drawbox=x=160:w=160:c=white:t=fill:enable='gte(t,1.479)'"))
            let framing = Framing.of([
                .crop(0, 1.48, width: 101.25, height: 180, (0, 10), (1.48, 50)),
                .crop(1.48, 3, width: 101.25, height: 180, (1.48, 200), (3, 210)),
            ])
            let kept = KeptSpans([
                TimeRange(start: 0, end: 0.6), TimeRange(start: 0.8, end: 1.2), TimeRange(start: 1.8, end: 3),
            ])
            let clip = try await samples.render(
                source, TimeRange(start: 0, end: 3), framing.tightened(by: kept).segments, kept: kept)
            let darkest = try await clip.frames(width: 9, height: 16).map { $0.min() ?? 0 }
            #expect(darkest.count == 55)
            #expect(darkest.allSatisfy { $0 > 200 }, "frames \(darkest.indices.filter { darkest[$0] <= 200 })")
        }
    }

    // MARK: Command lines

    @Test func `picture and sound are cut at the same frames, and what is read stays as long`() throws {
        let limits = ToolLimits(wallSeconds: 1, memoryBytes: 1)
        var plan = RenderPlan(
            sourcePath: "/blobs/source", facts: .source(), clip: TimeRange(start: 61.25, end: 91.25),
            framing: .of([.fit(0, 30)]), size: .portrait, threads: 2, outputPath: "/scratch/clip.mp4")
        let whole = plan.pictureCommand(soundPath: "/s", limits: limits).arguments
        plan.kept = KeptSpans([TimeRange(start: 0, end: 10), TimeRange(start: 10 + 20.0 / 30, end: 30)])
        #expect(plan.frameCount == 880)
        let picture = plan.pictureCommand(soundPath: "/s", limits: limits).arguments
        #expect(zip(whole, picture).count { $0 != $1 } == 1, "the graph and nothing else")
        let cut = "trim=end_frame=900,select='between(n,0,299)+between(n,320,899)',settb=1/30,setpts=N,"
        #expect(picture.contains { $0.contains(cut) })

        let sound = SoundPlan(plan, limits: limits).bedCommand.arguments
        let joint =
            "atrim=end_sample=1440000,asplit=2[k0][k1];"
            + "[k0]atrim=start_sample=0:end_sample=480000,asetpts=PTS-STARTPTS,afade=t=out:ss=479520:ns=480[k0o];"
            + "[k1]atrim=start_sample=512000:end_sample=1440000,asetpts=PTS-STARTPTS,afade=t=in:ns=480[k1o];"
            + "[k0o][k1o]concat=n=2:v=0:a=1,afade=t=in:d=0.010,afade=t=out:st=29.323:d=0.010,"
        #expect(sound.contains { $0.contains(joint) })
        #expect(sound.contains("30.000"), "seconds that are read")

        plan.kept = KeptSpans([TimeRange(start: 1, end: 30)])
        let border = SoundPlan(plan, limits: limits).bedCommand.arguments
        let start =
            "atrim=end_sample=1440000,atrim=start_sample=48000:end_sample=1440000,asetpts=PTS-STARTPTS,afade=t=in"
        #expect(border.contains { $0.contains(start) })
    }

    @Test func `no sample is lost to rounding, however many joints there are`() throws {
        let rate = FrameRate(30000, 1001)
        var plan = RenderPlan(
            sourcePath: "/blobs/source", facts: .source(rate: 29.97), clip: TimeRange(start: 0, end: 100),
            framing: .of([.fit(0, 100)]), size: .portrait, threads: 2, outputPath: "/scratch/clip.mp4")
        // 150 stretches of 13 frames.
        let frames = (0..<150).map { (20 * $0 - $0 % 3 + 3)..<(20 * $0 - $0 % 3 + 16) }
        plan.kept = KeptSpans(
            frames.map { TimeRange(start: rate.seconds(of: $0.lowerBound), end: rate.seconds(of: $0.upperBound)) })
        #expect(plan.frameRate == rate && plan.frameCount == 1950)
        let sound = SoundPlan(plan, limits: ToolLimits(wallSeconds: 1, memoryBytes: 1)).bedCommand.arguments
        let graph = try #require(sound.first { $0.contains("concat") })
        #expect(graph.utf8.count < 32 << 10)
        let cuts = graph.split(separator: "start_sample=").dropFirst()
        #expect(cuts.count == 150)
        var samples = 0, isOff = false
        for (cut, kept) in zip(cuts, frames) {
            // `4805:end_sample=25626,...`
            let numbers = cut.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
            let (start, end) = (numbers[0], numbers[1])
            samples += end - start
            isOff = isOff || abs(start - rate.samples(of: kept.lowerBound, perSecond: 48_000)) > 1
        }
        #expect(samples == rate.samples(of: 1950, perSecond: 48_000))
        #expect(!isOff)
    }
}
