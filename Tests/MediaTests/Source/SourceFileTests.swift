import ClipModel
import Foundation
import Media
import Synchronization
import Testing

/// Sniffer and prober on real files, as bad as they come.
@Suite(.serialized) struct SourceFileTests {
    private static let quickVP8 = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"]

    @Test(
        arguments: [
            (SniffedFormat.mp4, "v.mp4", []), (.quickTime, "v.mov", []), (.matroska, "v.mkv", []), (.avi, "v.avi", []),
            (.mpegTransportStream, "v.ts", []), (.flv, "v.flv", ["-ar", "44100"]),
            (.webM, "v.webm", quickVP8 + ["-c:a", "libopus"]),
            (.mpegProgramStream, "v.mpg", ["-c:v", "mpeg2video", "-c:a", "mp2"]),
            (.ogg, "v.ogv", ["-c:v", "libtheora", "-c:a", "libvorbis"]),
            (.asf, "v.wmv", ["-c:v", "wmv2", "-c:a", "wmav2"]),
            (.mp4, "fragmented.mp4", ["-movflags", "frag_keyframe+empty_moov"]),
        ] as [(SniffedFormat, String, [String])])
    func `every container that is promised is recognised and probed`(
        format: SniffedFormat, name: String, options: [String]
    ) async throws {
        try await MediaSamples.with { samples in
            let codec = options.contains("-c:v") ? [] : ["-c:v", "libx264"]
            let path = try await samples.video(name, seconds: 2, options: codec + options)
            #expect(try Sniffer.inspect(path) == format)
            let facts = try await Probe.run(path: path, toolbox: samples.toolbox)
            #expect(facts.displaySize == PixelSize(width: 320, height: 240))
            #expect(abs(facts.durationSeconds - 2) < 0.2)
            #expect(facts.audioStream != nil && abs(facts.framesPerSecond - 25) < 0.5)
        }
    }

    @Test func `a recording without a written length is measured`() async throws {
        try await MediaSamples.with { samples in
            let path = try await samples.video(
                "live.webm", seconds: 4, options: Self.quickVP8 + ["-live", "1"])
            let facts = try await Probe.run(path: path, toolbox: samples.toolbox)
            #expect(abs(facts.durationSeconds - 4) < 0.1)
        }
    }

    @Test(arguments: [0.3, 0.7, 0.98])
    func `a cut mp4 is refused whether its index is at the end or at the beginning`(share: Double) async throws {
        try await MediaSamples.with { samples in
            for options in [[], ["-movflags", "+faststart"]] as [[String]] {
                let whole = try samples.bytes(try await samples.video(options: options))
                let path = try samples.write(Array(whole.prefix(Int(Double(whole.count) * share))), "cut.mp4")
                let error = #expect(throws: MediaError.self) { try Sniffer.inspect(path) }
                #expect(error?.code == .truncatedFile)
            }
        }
    }

    @Test func `a cut recording in fragments goes on as far as it came`() async throws {
        try await MediaSamples.with { samples in
            let options = ["-movflags", "frag_keyframe+empty_moov", "-g", "25"]
            let whole = try samples.bytes(try await samples.video(seconds: 6, options: options))
            let path = try samples.write(Array(whole.prefix(whole.count / 2)), "cut.mp4")
            #expect(try Sniffer.inspect(path) == .mp4)
            let facts = try await Probe.run(path: path, toolbox: samples.toolbox)
            #expect((1.5...5).contains(facts.durationSeconds))
        }
    }

    @Test func `a video with a damaged middle goes on`() async throws {
        try await MediaSamples.with { samples in
            var bytes = try samples.bytes(try await samples.video(seconds: 6, options: ["-movflags", "+faststart"]))
            for index in (bytes.count * 4 / 10)..<(bytes.count * 6 / 10) { bytes[index] = 0xA5 }
            let path = try samples.write(bytes, "damaged.mp4")
            #expect(try Sniffer.inspect(path) == .mp4)
            let facts = try await Probe.run(path: path, toolbox: samples.toolbox)
            let cuts = try await ShotDetection.run(
                path: path, facts: facts, threads: 1, toolbox: samples.toolbox, progress: { _ in })
            #expect(cuts.allSatisfy { $0 < 6 })
            let track = try await SoundAnalysis.run(
                path: path, facts: facts, pcmPath: samples.path("sound.wav"), threads: 1, toolbox: samples.toolbox,
                progress: { _ in })
            #expect(abs(Double(track.curves.energyDBFS.count) - 60) <= 1)
        }
    }

    @Test func `a video of which nothing decodes is refused`() async throws {
        try await MediaSamples.with { samples in
            let whole = try samples.bytes(
                try await samples.video(options: ["-movflags", "+faststart", "-c:a", "pcm_s16le", "-f", "mov"]))
            let media = try #require(whole.firstRange(of: Array("mdat".utf8)))
            var bytes = whole
            for index in (media.upperBound + 8)..<bytes.count {
                bytes[index] = UInt8(truncatingIfNeeded: index &* 7 | 1)
            }
            let path = try samples.write(bytes, "noise.mp4")
            await expect(.undecodable) { _ = try await Probe.run(path: path, toolbox: samples.toolbox) }
        }
    }

    @Test func `sound alone, a cover picture and text are refused`() async throws {
        try await MediaSamples.with { samples in
            let tone = MediaSamples.source("sine=duration=3")
            let cover = MediaSamples.source("color=size=64x64:duration=0.04") + ["-c:v", "png", "-frames:v", "1"]
            let withCover = try await samples.make(
                "cover.m4a", tone + cover + ["-disposition:v", "attached_pic", "-f", "mp4"])
            await expect(.noVideoStream) { _ = try await Probe.run(path: withCover, toolbox: samples.toolbox) }
            for name in ["s.m4a", "s.mp3", "s.wav", "s.flac", "s.aac", "s.ogg", "s.opus"] {
                let path = try await samples.make(name, tone)
                let error = #expect(throws: MediaError.self) { try Sniffer.inspect(path) }
                #expect(error?.code == .noVideoStream)
            }
            let text = try samples.write(Array("no video at all".utf8), "text.mp4")
            await expect(.undecodable) { _ = try await Probe.run(path: text, toolbox: samples.toolbox) }
        }
    }

    @Test func `a playlist is not followed even when the sniffer is passed by`() async throws {
        try await MediaSamples.with { samples in
            let video = try await samples.video()
            for (name, text) in [
                ("a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile:\(video)\n#EXT-X-ENDLIST\n"),
                ("a.txt", "ffconcat version 1.0\nfile '\(video)'\n"),
            ] {
                let path = try samples.write(Array(text.utf8), name)
                let error = #expect(throws: MediaError.self) { try Sniffer.inspect(path) }
                #expect(error?.code == .playlistFile)
                await expect(.undecodable) { _ = try await Probe.run(path: path, toolbox: samples.toolbox) }
            }
        }
    }

    @Test func `odd sizes, a changing frame rate, rotation, two tracks and HDR are told`() async throws {
        try await MediaSamples.with { samples in
            let odd = try await samples.video(
                "odd.mkv", options: ["-vf", "format=yuv444p,scale=321:243,setsar=1", "-c:v", "libx264"])
            #expect(
                try await Probe.run(path: odd, toolbox: samples.toolbox).displaySize
                    == PixelSize(width: 321, height: 243))
            let uneven = try await samples.video(
                "uneven.mp4", seconds: 4, options: ["-vf", "select='not(mod(n,3))+not(mod(n,4))'", "-vsync", "vfr"])
            let turned = try await samples.make(
                "turned.mp4", ["-i", uneven, "-c", "copy", "-metadata:s:v", "rotate=90"])
            let facts = try await Probe.run(path: turned, toolbox: samples.toolbox)
            #expect(facts.displaySize == PixelSize(width: 240, height: 320) && facts.rotationDegrees % 180 == 90)
            #expect((10...16).contains(facts.framesPerSecond))
            let tracks = ["-map", "0:v", "-map", "1:a", "-map", "1:a", "-disposition:a:0", "0", "-disposition:a:1"]
            let two = try await samples.video("two.mkv", options: tracks + ["default"])
            #expect(try await Probe.run(path: two, toolbox: samples.toolbox).audioStream == 2)
            let transfer = ["-color_trc", "smpte2084", "-colorspace", "bt2020nc", "-color_primaries", "bt2020"]
            let hdr = try await samples.video("hdr.mp4", options: transfer)
            #expect(try await Probe.run(path: hdr, toolbox: samples.toolbox).isHDR)
        }
    }

    @Test func `sound that starts late in a transport stream is heard`() async throws {
        try await MediaSamples.with { samples in
            let picture = MediaSamples.source("testsrc2=size=320x240:rate=25:duration=16")
            let sound = ["-itsoffset", "12"] + MediaSamples.source("sine=duration=4")
            let path = try await samples.make("late.ts", picture + sound + ["-preset", "ultrafast", "-b:v", "200k"])
            let facts = try await Probe.run(path: path, toolbox: samples.toolbox)
            #expect(facts.audioStream != nil && facts.audioChannels == 1)
            #expect(abs(facts.durationSeconds - 16) < 0.2)
        }
    }

    @Test func `a track that nothing can decode counts as no sound`() async throws {
        try await MediaSamples.with { samples in
            let whole = try samples.bytes(try await samples.video("v.mkv", options: ["-c:a", "ac3"]))
            let name = try #require(whole.firstRange(of: Array("A_AC3".utf8)))
            var bytes = whole
            bytes.replaceSubrange(name, with: Array("A_XXX".utf8))
            let path = try samples.write(bytes, "unknown.mkv")
            let facts = try await Probe.run(path: path, toolbox: samples.toolbox)
            #expect(facts.audioStream == nil && facts.videoCodec == "h264")
        }
    }

    @Test func `a name with anything in it is only a name`() async throws {
        try await MediaSamples.with { samples in
            let plain = try await samples.video()
            for name in ["-i 'a\".mp4", "a\nb.mp4", "😀%d.mp4", "http:x.mp4", "pipe:0"] {
                try FileManager.default.copyItem(atPath: plain, toPath: samples.path(name))
                #expect(try await Probe.run(path: samples.path(name), toolbox: samples.toolbox).durationSeconds == 3)
            }
        }
    }
}
