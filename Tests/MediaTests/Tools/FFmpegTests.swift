import Media
import Testing

@Suite struct FFmpegTests {
    @Test func `progress rises from lines and ends at one`() {
        var progress = FFmpegProgress(expectedSeconds: 10)
        #expect(progress.read("frame=12") == nil)
        #expect(progress.read("out_time_us=N/A") == nil)
        #expect(progress.read("out_time_us=-40000") == nil)
        #expect(progress.read("out_time_us=2500000") == 0.25)
        #expect(progress.read("out_time_us=2000000") == nil)
        #expect(progress.fraction == 0.25)
        #expect(progress.read("out_time_us= 99000000") == 0.99)
        #expect(progress.read("progress=continue") == nil)
        #expect(progress.read("progress=end") == 1)
    }

    @Test(arguments: ["", "=", "out_time_us", "out_time_us=", "progress=", "out_time_us=1e400", "==", "\u{fffd}=1"])
    func `a line that makes no sense moves nothing`(line: String) {
        var progress = FFmpegProgress(expectedSeconds: 10)
        #expect(progress.read(line) == nil)
    }

    @Test func `without an expected length only the end is told`() {
        var progress = FFmpegProgress(expectedSeconds: 0)
        #expect(progress.read("out_time_us=2500000") == nil)
        #expect(progress.read("progress=end") == 1)
    }

    @Test(arguments: [
        (0.0, "0.000"), (1.0, "1.000"), (61.0405, "61.041"), (0.0004, "0.000"), (-0.25, "-0.250"),
        (14_399.9996, "14400.000"),
    ])
    func `seconds are plain decimals`(value: Double, text: String) { #expect(FFmpeg.seconds(value) == text) }

    @Test func `an input is one local file and no playlist can open it`() {
        let arguments = FFmpeg.input("/a/-b:c", options: ["-ss", "1.000"])
        #expect(arguments.suffix(4) == ["-ss", "1.000", "-i", "file:/a/-b:c"])
        #expect(arguments.starts(with: ["-protocol_whitelist", "file,pipe", "-format_whitelist"]))
        for format in ["hls", "concat", "dash", "sdp", "image2", "lavfi"] { #expect(!FFmpeg.formats.contains(format)) }
    }
}
