import ClipModel
import Media
import Testing

@Suite struct FrameSamplerTests {
    @Test func `the command line is this`() {
        let sampler = FrameSampler(
            path: "/scratch/source", stream: "2", range: TimeRange(start: 61.25, end: 91.5), framesPerSecond: 5,
            size: PixelSize(width: 640, height: 360), threads: 2)
        let limits = ToolLimits(wallSeconds: 60, memoryBytes: 1 << 30)
        #expect(sampler.frameCount == 152)
        #expect(
            sampler.command(limits: limits).arguments == FFmpeg.leading + FFmpeg.restrictions + [
                "-threads", "2", "-ss", "61.250", "-t", "30.250", "-i", "file:/scratch/source",
                "-map", "0:2", "-an", "-sn", "-dn", "-filter_threads", "1",
                "-vf", "fps=fps=5.000:start_time=0:round=up,scale=640:360:flags=bilinear,format=bgr24",
                "-frames:v", "152", "-f", "rawvideo", "pipe:1",
            ])
    }

    @Test(arguments: [
        (PixelSize(width: 1920, height: 1080), PixelSize(width: 640, height: 360)),
        (PixelSize(width: 1080, height: 1920), PixelSize(width: 360, height: 640)),
        (PixelSize(width: 100, height: 100), PixelSize(width: 100, height: 100)),
        (PixelSize(width: 8192, height: 32), PixelSize(width: 640, height: 3)),
    ])
    func `a picture is shrunk to its longer edge and never grown`(display: PixelSize, size: PixelSize) {
        #expect(FrameSampler.size(of: display, edgeMax: 640) == size)
    }
}
