import ClipModel
import Media
import Testing

/// What is opened and what is not, on files that ffmpeg makes.
@Suite struct ContentTests {
    private static let opened: [(name: String, options: [String])] = [
        ("a.mp4", ["-c:v", "libx264", "-c:a", "aac"]), ("b.mp4", ["-c:v", "libx265", "-c:a", "ac3"]),
        ("c.mkv", ["-c:v", "libsvtav1", "-preset", "12", "-c:a", "libopus"]),
        ("d.webm", ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libvorbis"]),
        ("e.webm", ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"]),
        ("f.avi", ["-c:v", "mpeg4", "-c:a", "mp3"]),
        ("g.avi", ["-c:v", "msmpeg4", "-c:a", "pcm_s16le"]), ("h.mpg", ["-c:v", "mpeg2video", "-c:a", "mp2"]),
        ("i.mov", ["-c:v", "mjpeg", "-c:a", "pcm_u8"]), ("j.mov", ["-c:v", "prores_ks", "-c:a", "pcm_s24le"]),
        ("k.mkv", ["-c:v", "ffv1", "-c:a", "flac"]), ("l.ogv", ["-c:v", "libtheora", "-c:a", "libvorbis"]),
        ("m.wmv", ["-c:v", "wmv2", "-c:a", "wmav2"]), ("n.flv", ["-ar", "44100", "-c:v", "flv", "-c:a", "mp3"]),
        ("o.ts", ["-c:v", "libx264", "-c:a", "eac3"]), ("p.mov", ["-c:v", "qtrle", "-c:a", "alac"]),
        ("q.avi", ["-c:v", "huffyuv", "-c:a", "adpcm_ms"]),
    ]

    @Test(arguments: opened.indices)
    func `what cameras, editors and broadcasters make is opened`(index: Int) async throws {
        let (name, options) = Self.opened[index]
        try await MediaSamples.with { samples in
            let path = try await samples.video(name, seconds: 2, size: "176x144", options: options)
            let format = try Sniffer.inspect(path)
            #expect(format.refusal == nil && DeclaredType.agrees(name, with: format), "\(format)")
            let facts = try await Probe.run(path: path, toolbox: samples.toolbox)
            #expect(facts.displaySize == PixelSize(width: 176, height: 144) && facts.audioStream != nil, "\(facts)")
        }
    }

    @Test(arguments: ["snow", "asv1", "zmbv", "cljr"])
    func `a decoder that is not on the list is not opened, and that is said`(codec: String) async throws {
        try await MediaSamples.with { samples in
            let path = try await samples.video(
                "old.avi", seconds: 1, size: "176x144", options: ["-c:v", codec, "-strict", "-2"])
            #expect(try Sniffer.inspect(path) == .avi)
            await expect(.codecRefused) { _ = try await Probe.run(path: path, toolbox: samples.toolbox) }
        }
    }

    @Test func `more tracks than the limit are refused, and subtitles are no reason to refuse`() async throws {
        try await MediaSamples.with { samples in
            let video = try await samples.video(seconds: 1, size: "176x144")
            let cues = try samples.write(Array("1\n00:00:00,000 --> 00:00:01,000\nhello\n".utf8), "cues.srt")
            let titled = try await samples.make(
                "titled.mkv", ["-i", "file:" + video, "-i", "file:" + cues, "-map", "0", "-map", "1", "-c", "copy"])
            #expect(try await Probe.run(path: titled, toolbox: samples.toolbox).audioStream != nil)
            let many = try await samples.make(
                "many.mkv",
                ["-i", "file:" + video] + (0..<65).flatMap { _ in ["-map", "0:v"] } + ["-c", "copy"])
            await expect(.tooManyStreams) { _ = try await Probe.run(path: many, toolbox: samples.toolbox) }
        }
    }

    @Test func `names are held against what the file is`() {
        #expect(DeclaredType.agrees("talk.mp4", with: .quickTime) && DeclaredType.agrees("TALK.MKV", with: .webM))
        #expect(!DeclaredType.agrees("talk.mp4", with: .matroska) && !DeclaredType.agrees("talk.jpg", with: .mp4))
        #expect(DeclaredType.agrees("talk", with: .avi) && DeclaredType.agrees("talk.final.v2", with: .avi))
    }
}
