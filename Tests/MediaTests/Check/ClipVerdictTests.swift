import ClipModel
import Media
import Testing

@Suite struct ClipVerdictTests {
    private static let good = ClipMeasurements(
        streams: ClipStreams(
            durationSeconds: 30, videoCodec: "h264", videoProfile: "High", pixelFormat: "yuv420p", width: 1080,
            height: 1920, framesPerSecond: 30, frameCount: 900, audioCodec: "aac", audioSamplesPerSecond: 48_000,
            audioChannels: 2, otherStreams: 0),
        isIndexFirst: true, loudness: LoudnessReading(integratedLUFS: -14.1, truePeakDBTP: -1.2),
        picture: PictureScan(
            samples: (0..<60).map { PictureScan.Sample(time: Double($0) / 2, faces: [seen]) }),
        framing: framing, sourceSize: PixelSize(width: 1280, height: 720))

    /// Where the face of `framing` is in the clip.
    private static let seen = FrameGeometry.Box(x: 267, y: 267, width: 213, height: 267)

    private static let framing = Framing(
        segments: [.crop(0, 30, width: 405, height: 720, (0, 0))], faceInFrame: 1, reversalsPerSecond: 0,
        travelPixelsPerSecond: 0, subjectPixelsPerSecond: 5,
        faces: (0..<150).map {
            FaceSighting(time: Double($0) / 5, x: 100, y: 100, width: 80, height: 100, confidence: 0.9, track: 0)
        }, leads: [Framing.Lead(range: TimeRange(start: 0, end: 30), track: 0)])

    private func verdict(_ change: (inout ClipMeasurements) -> Void) -> ClipFigures {
        var measured = Self.good
        change(&measured)
        let expected = ClipVerdict.Expectation(size: .portrait, rate: FrameRate(30), frameCount: 900)
        return ClipVerdict(measured, expected: expected).figures
    }

    @Test func `a clip that is what was asked for has no flags`() {
        let figures = verdict { _ in }
        #expect(figures.flags == [])
        #expect(figures.faceInFrame == 1)
        #expect(figures.speakerInFrame == 1)
        #expect(figures.emptyFrames == 0)
        #expect(figures.layouts == ["crop": 1])
        #expect(figures.loudnessLUFS == -14.1)
    }

    struct Case: Sendable, CustomStringConvertible {
        var description: String
        var codes: [String]
        var change: @Sendable (inout ClipMeasurements) -> Void

        init(_ description: String, _ codes: [String], _ change: @escaping @Sendable (inout ClipMeasurements) -> Void) {
            self.description = description
            self.codes = codes
            self.change = change
        }
    }

    static let cases = [
        Case("loud", ["loudness_out_of_range"]) { $0.loudness.integratedLUFS = -12.9 },
        Case("quiet", ["loudness_out_of_range"]) { $0.loudness.integratedLUFS = -15.1 },
        Case("at the edge", []) { $0.loudness.integratedLUFS = -15 },
        Case("nearly silent", ["nearly_silent"]) { $0.loudness.integratedLUFS = -42 },
        Case("silent", ["silent"]) { $0.loudness = LoudnessReading() },
        Case("peaks", ["true_peak_high"]) { $0.loudness.truePeakDBTP = -0.2 },
        Case("baseline profile", ["wrong_format"]) { $0.streams.videoProfile = "Constrained Baseline" },
        Case("another size", ["wrong_format"]) { $0.streams.width = 1078 },
        Case("another rate", ["wrong_format"]) { $0.streams.framesPerSecond = 29.97 },
        Case("mono", ["wrong_format"]) { $0.streams.audioChannels = 1 },
        Case("a third stream", ["wrong_format"]) { $0.streams.otherStreams = 1 },
        Case("a frame short", ["wrong_length"]) { $0.streams.frameCount = 899 },
        Case("index last", ["index_last"]) { $0.isIndexFirst = false },
        Case("a dark second", ["black_frames"]) { $0.picture.black = [TimeRange(start: 5, end: 6)] },
        Case("a blink", []) { $0.picture.black = [TimeRange(start: 5, end: 5.2)] },
        Case("a dark start", ["black_frames"]) { $0.picture.black = [TimeRange(start: 0, end: 0.2)] },
        Case("a slide", []) { $0.picture.frozen = [TimeRange(start: 5, end: 15)] },
        Case("a still", ["frozen_picture"]) { $0.picture.frozen = [TimeRange(start: 5, end: 22)] },
        Case("restless", ["restless_camera"]) { $0.framing.reversalsPerSecond = 0.11 },
        Case("turned twice in thirty seconds", []) { $0.framing.reversalsPerSecond = 0.0667 },
        Case("on its way before a speaker who stands", ["hasty_camera"]) { $0.framing.travelPixelsPerSecond = 41 },
        Case("on its way with a speaker who sways", []) { measured in
            measured.framing.travelPixelsPerSecond = 59
            measured.framing.subjectPixelsPerSecond = 45
        },
        Case("as fast as a walker", []) { measured in
            measured.framing.travelPixelsPerSecond = 200
            measured.framing.subjectPixelsPerSecond = 190
        },
        Case("captions on the chin", []) { $0.captionsOverFaces = 0.3 },
        Case("captions on the face", ["captions_over_faces"]) { $0.captionsOverFaces = 0.31 },
        Case("lips before the sound", ["sound_offset"]) { $0.streams.soundOffsetSeconds = 0.05 },
        Case("another face than the speaker's", ["speaker_lost"]) { measured in
            measured.framing.segments = [.crop(0, 30, width: 405, height: 720, (0, 600))]
        },
        Case("nobody", ["face_lost", "speaker_lost", "empty_frames"]) { measured in
            measured.framing.segments = [.crop(0, 30, width: 405, height: 720, (0, 600))]
            for index in 0..<20 { measured.picture.samples[index].faces = [] }
        },
        Case("nobody for a moment", []) { measured in
            measured.framing.segments = [
                .crop(0, 0.4, width: 405, height: 720, (0, 600)), .crop(0.4, 30, width: 405, height: 720, (0.4, 0)),
            ]
            measured.picture.samples[0].faces = []
        },
        Case("a profile that no detector sees", []) { measured in
            for index in 0..<10 { measured.picture.samples[index].faces = [] }
        },
        Case("face gone", ["face_lost"]) { measured in
            for index in 0..<20 { measured.picture.samples[index].faces = [] }
        },
        Case("no face in the source", []) { measured in
            measured.framing.faces = []
            for index in measured.picture.samples.indices { measured.picture.samples[index].faces = [] }
        },
        Case("a face for a moment", []) { measured in
            measured.framing.faces.removeAll { $0.time > 1 }
            for index in measured.picture.samples.indices { measured.picture.samples[index].faces = [] }
        },
    ]

    @Test(arguments: cases)
    func `what is out of bounds has a stable code`(outOfBounds: Case) {
        #expect(verdict(outOfBounds.change).flags.map(\.code) == outOfBounds.codes)
    }

    @Test func `silence has no loudness`() {
        let figures = verdict { $0.loudness = LoudnessReading() }
        #expect(figures.loudnessLUFS == nil)
        #expect(figures.truePeakDBTP == nil)
    }
}

@Suite struct PictureScanTests {
    @Test func `the report of the detectors is read`() {
        let report = """
            Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/x':
            [blackdetect @ 0x55d0] black_start:0 black_end:0.4 black_duration:0.4
            [freezedetect @ 0x55d1] lavfi.freezedetect.freeze_start: 3.2
            [freezedetect @ 0x55d1] lavfi.freezedetect.freeze_duration: 2.5
            [freezedetect @ 0x55d1] lavfi.freezedetect.freeze_end: 5.7
            [blackdetect @ 0x55d0] black_start:9 black_end:9.5 black_duration:0.5
            [freezedetect @ 0x55d1] lavfi.freezedetect.freeze_start: 27
            """
        let scan = PictureScan(report: report, durationSeconds: 30)
        #expect(scan.black == [TimeRange(start: 0, end: 0.4), TimeRange(start: 9, end: 9.5)])
        #expect(scan.frozen == [TimeRange(start: 3.2, end: 5.7), TimeRange(start: 27, end: 30)])
    }

    @Test(arguments: ["", "black_start:x black_end:2", "freeze_end: 4", "black_start:5 black_end:3"])
    func `a report without sense is an empty one`(report: String) {
        #expect(PictureScan(report: report, durationSeconds: 30) == PictureScan())
    }
}
