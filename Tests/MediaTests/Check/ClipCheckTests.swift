import ClipModel
import Foundation
import Media
import Testing

/// Files that no render makes, to see that the check would notice.
@Suite(.serialized) struct ClipCheckTests {
    private static let clip = TimeRange(start: 0, end: 4)

    /// A clip as it should be but for `options`, which come last and win.
    private func codes(_ options: [String], picture: String = "testsrc2") async throws -> [String] {
        try await MediaSamples.with { samples in
            let path = try await samples.make(
                "clip.mp4",
                MediaSamples.source("\(picture)=s=180x320:r=30:d=4")
                    + MediaSamples.source("aevalsrc='0.2*sin(2*PI*997*t)|0.2*sin(2*PI*997*t)':s=48000:d=4") + [
                        "-preset", "superfast", "-profile:v", "high", "-pix_fmt", "yuv420p", "-c:a", "aac",
                        "-movflags", "+faststart",
                    ] + options)
            return try await ClipCheck.run(
                path: path, facts: .source(180, 320), clip: Self.clip, size: .small, framing: .of([.fit(0, 4)]),
                faceModelPath: "", toolbox: samples.toolbox, threads: 2
            ).figures.flags.map(\.code)
        }
    }

    @Test func `a clip as it should be passes`() async throws {
        #expect(try await codes([]) == [])
    }

    @Test(arguments: [
        (["-movflags", "-faststart"], ["index_last"]),
        (["-af", "volume=-6dB"], ["loudness_out_of_range"]),
        (["-af", "volume=15dB"], ["loudness_out_of_range", "true_peak_high"]),
        (["-af", "volume=-40dB"], ["nearly_silent"]),
        (["-af", "volume=0"], ["silent"]),
        (["-vf", "drawbox=c=black:t=fill:enable='lt(t,1)'"], ["black_frames"]),
        (["-vf", "loop=loop=-1:size=1:start=20,trim=end_frame=120"], ["frozen_picture"]),
        (["-frames:v", "119"], ["wrong_length"]),
        (["-ar", "44100"], ["wrong_format"]),
        (["-profile:v", "baseline"], ["wrong_format"]),
        (["-s", "182x320"], ["wrong_format"]),
        (["-af", "asetpts=PTS+0.1/TB"], ["sound_offset"]),
    ])
    func `what is wrong with a file is noticed`(options: [String], codes: [String]) async throws {
        #expect(try await self.codes(options) == codes)
    }

    @Test(arguments: [["-an"], ["-vn"]])
    func `a file without a picture or without sound is no clip`(options: [String]) async throws {
        await expect(.clipRejected) { _ = try await codes(options) }
    }

    @Test func `a thumbnail is a JPEG of 540 pixels, sharp rather than black`() async throws {
        try await MediaSamples.with { samples in
            let path = try await samples.make(
                "clip.mp4",
                MediaSamples.source("testsrc2=s=180x320:r=30:d=6,drawbox=c=black:t=fill:enable='lt(t,4)'") + [
                    "-g", "30",
                ])
            let outputs = ["thumbnail.jpg", "thumbnail-1.jpg"].map(samples.path)
            let count = try await Thumbnail.run(
                clipPath: path, framing: .of([.fit(0, 6)]),
                geometry: FrameGeometry(
                    source: PixelSize(width: 180, height: 320), frame: PixelSize(width: 180, height: 320)),
                outputPaths: outputs, toolbox: samples.toolbox)
            #expect(count == 2)
            let bytes = try samples.bytes(outputs[0])
            #expect(try samples.bytes(outputs[1]) != bytes)
            #expect(Array(bytes.prefix(3)) == [0xFF, 0xD8, 0xFF])
            // The frame header says 8 bits, the height, the width.
            let header = try #require(bytes.indices.first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
            #expect(Array(bytes[(header + 4)..<(header + 9)]) == [8, 960 >> 8, 960 & 255, 540 >> 8, 540 & 255])
            // A black picture would be a few kilobytes.
            #expect(bytes.count > 20_000)
        }
    }

    @Test func `every candidate brings four pictures, from a clip that ends before them too`() async throws {
        try await MediaSamples.with { samples in
            let path = try await samples.make("short.mp4", MediaSamples.source("testsrc2=s=90x160:r=30:d=0.5"))
            let size = PixelSize(width: 90, height: 160)
            let command = Thumbnail.lookCommand(
                clipPath: path, times: [0.1, 0.4], size: size, seesBlinks: true,
                limits: samples.toolbox.configuration.passLimits(overSeconds: 1))
            var pictures: [[UInt8]] = []
            let output = try await samples.toolbox.stream(command, blockBytes: 90 * 160 * 3) {
                pixels throws(MediaError) in
                pictures.append(pixels)
            }
            #expect(output.succeeded)
            #expect(pictures.count == 8)
            // Both begin with the only keyframe; what comes 0.3 s later is another picture.
            #expect(pictures.first == pictures.dropFirst(4).first)
            #expect(pictures.first != pictures.dropFirst().first)
        }
    }
}
