import ClipModel
import Foundation
import Media
import Testing

/// The real model: `TIJERA_FACE_MODEL` names YuNet, `TIJERA_FIXTURES` a directory with `astronaut.png`.
private let faceModel = ProcessInfo.processInfo.environment["TIJERA_FACE_MODEL"]
private let fixtures = ProcessInfo.processInfo.environment["TIJERA_FIXTURES"]

@Suite struct FaceDetectorTests {
    @Test func `a model that is not there is an error that names no path`() {
        let error = #expect(throws: MediaError.self) { _ = try FaceDetector(modelPath: "/nowhere/face.onnx") }
        #expect(error?.code == .faceModelMissing)
        #expect(error?.detail.contains("nowhere") == false)
    }

    @Test func `a file that is no network is refused`() {
        let error = #expect(throws: MediaError.self) { _ = try FaceDetector(modelPath: "/etc/passwd") }
        #expect(error?.code == .faceModelMissing)
    }

    @Test(.enabled(if: faceModel != nil, "set TIJERA_FACE_MODEL"))
    func `pictures of any size are accepted, and a grey one shows no face`() throws {
        let detector = try FaceDetector(modelPath: faceModel!)
        // One row of the network's widest cells made it report faces out of nothing: 641 x 3.
        for size in [(1, 1), (3, 700), (33, 31), (640, 360), (641, 3), (640, 33)].map(PixelSize.init) {
            let grey = [UInt8](repeating: 128, count: size.width * size.height * 3)
            #expect(try detector.faces(in: grey, size: size).isEmpty)
        }
    }

    @Test(.enabled(if: faceModel != nil, "set TIJERA_FACE_MODEL"))
    func `a picture larger than the detector accepts is refused, not crashed on`() throws {
        let detector = try FaceDetector(modelPath: faceModel!)
        let size = PixelSize(width: 5000, height: 2)
        #expect(throws: MediaError.self) {
            try detector.faces(in: [UInt8](repeating: 0, count: 5000 * 2 * 3), size: size)
        }
    }
}

/// A photograph moves over a plain picture, so the place of the face is known for every time.
@Suite(.enabled(if: faceModel != nil && fixtures != nil, "set TIJERA_FACE_MODEL and TIJERA_FIXTURES"))
struct ReframerTests {
    private let toolbox = Toolbox(MediaConfiguration(faceModelPath: faceModel ?? ""))
    private let portrait = PixelSize(width: 1080, height: 1920)

    /// The face of the photograph, which is 512 pixels wide and high: its middle, seen by eye.
    private let faceInPhotograph = (x: 222.0, y: 112.0)

    /// A film of 1280 x 720 in which the photograph's left edge is at `x`, an ffmpeg expression in `t`.
    private func withFilm(
        x: String, seconds: Double, stored: [String] = [], onItsSide: Bool = false,
        _ body: (String) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "reframe-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let (film, lying) = (directory.appending(path: "film.mp4").path(), directory.appending(path: "a.mp4").path())
        let scene =
            "[0:v]format=yuv420p[b];[1:v]scale=512:512[f];[b][f]overlay=x='\(x)':y=150:shortest=1"
            + (onItsSide ? ",transpose=clock" : "")
        let command = ToolCommand(
            .ffmpeg,
            FFmpeg.leading + [
                "-f", "lavfi", "-i", "color=c=0x335544:s=1280x720:r=25:d=\(seconds)", "-loop", "1", "-framerate", "25",
                "-i", "\(fixtures ?? "")/astronaut.png", "-filter_complex", scene, "-t", "\(seconds)", "-c:v",
                "libx264",
                "-preset", "ultrafast", "-pix_fmt", "yuv420p",
            ] + stored + [onItsSide ? lying : film], limits: toolbox.configuration.passLimits(overSeconds: seconds))
        _ = try await toolbox.run(command).checked()
        if onItsSide {
            // The mark is written by the muxer; an encoder's output loses it.
            let turn = FFmpeg.leading + FFmpeg.input(lying) + ["-c", "copy", "-metadata:s:v:0", "rotate=90", film]
            _ = try await toolbox.run(ToolCommand(.ffmpeg, turn, limits: command.limits)).checked()
        }
        try await body(film)
    }

    private func facts(_ display: PixelSize, rotation: Int = 0, seconds: Double) -> VideoFacts {
        VideoFacts(
            durationSeconds: seconds, displaySize: display, codedSize: PixelSize(width: 1280, height: 720),
            rotationDegrees: rotation, framesPerSecond: 25, videoCodec: "h264", videoStream: 0, audioStream: nil,
            audioCodec: nil, audioChannels: 0, isHDR: false, container: "mp4")
    }

    @Test func `a still face is found and framed, at the time and place where it is`() async throws {
        // The cut is at 4 s of the film, 3 s of the clip.
        try await withFilm(x: "if(lt(t,4),60,700)", seconds: 7) { film in
            let framing = try await Reframer.run(
                path: film, facts: facts(PixelSize(width: 1280, height: 720), seconds: 7),
                clip: TimeRange(start: 1, end: 6), cuts: [4], aspect: portrait, smartCrop: true, threads: 1,
                toolbox: toolbox)
            #expect(framing.segments.map(\.range) == [TimeRange(start: 0, end: 3), TimeRange(start: 3, end: 5)])
            #expect(framing.faceInFrame == 1)
            #expect(framing.travelPixelsPerSecond == 0)
            #expect(framing.faces.count == 25)
            for face in framing.faces {
                let left = face.time < 3 ? 60.0 : 700.0
                #expect(abs(face.x + face.width / 2 - left - faceInPhotograph.x) < 20, "at \(face.time)")
                #expect(abs(face.y + face.height / 2 - 150 - faceInPhotograph.y) < 25, "at \(face.time)")
            }
        }
    }

    @Test func `where no face is, the window stands on what is to be seen`() async throws {
        try await MediaSamples.with { samples in
            let film = try await samples.make(
                "card.mp4",
                MediaSamples.source("color=c=0x335544:s=1280x720:r=25:d=3")
                    + MediaSamples.source("testsrc=s=240x240:r=25:d=3") + [
                        "-filter_complex", "[0:v][1:v]overlay=x=100:y=240:shortest=1", "-preset", "ultrafast",
                        "-pix_fmt", "yuv420p",
                    ])
            let framing = try await Reframer.run(
                path: film, facts: facts(PixelSize(width: 1280, height: 720), seconds: 3),
                clip: TimeRange(start: 0, end: 3), cuts: [], aspect: portrait, smartCrop: true, threads: 1,
                toolbox: toolbox)
            #expect(framing.segments.count == 1 && framing.faces.isEmpty)
            let corner = try #require(framing.corner(at: 1))
            #expect(corner.x <= 100 && corner.x + 405 >= 340)

            // Who only looks for faces is told of nothing else.
            let display = PixelSize(width: 1280, height: 720)
            let sampler = FrameSampler(
                path: film, stream: "v:0", range: TimeRange(start: 0, end: 3), framesPerSecond: 5,
                size: PixelSize(width: 640, height: 360), threads: 1)
            for attentive in [true, false] {
                let seen = try await sampler.faces(display: display, attentive: attentive, toolbox: toolbox) { _ in }
                #expect(seen.count == 15)
                #expect(seen.allSatisfy { $0.faces.isEmpty && ($0.attention != nil) == attentive })
            }
        }
    }

    @Test func `a walking face stays in the window`() async throws {
        try await withFilm(x: "80*t-150", seconds: 12) { film in
            let framing = try await Reframer.run(
                path: film, facts: facts(PixelSize(width: 1280, height: 720), seconds: 12),
                clip: TimeRange(start: 0, end: 12), cuts: [], aspect: portrait, smartCrop: true, threads: 1,
                toolbox: toolbox)
            #expect((framing.faceInFrame ?? 0) >= 0.98)
            #expect(framing.reversalsPerSecond == 0)
            #expect(framing.crops[0].path.keyframes.count <= 48)
        }
    }

    @Test func `pixels that are not square are seen as displayed`() async throws {
        // Displayed twice as wide as stored.
        let squeezed = ["-bsf:v", "h264_metadata=sample_aspect_ratio=2/1"]
        try await withFilm(x: "300", seconds: 3, stored: squeezed) { film in
            let framing = try await Reframer.run(
                path: film, facts: facts(PixelSize(width: 2560, height: 720), seconds: 3),
                clip: TimeRange(start: 0, end: 3), cuts: [], aspect: portrait, smartCrop: true, threads: 1,
                toolbox: toolbox)
            let face = try #require(framing.faces.first)
            #expect(abs(face.x + face.width / 2 - 2 * (300 + faceInPhotograph.x)) < 50)
        }
    }

    @Test func `a film that is stored on its side is seen upright`() async throws {
        try await withFilm(x: "300", seconds: 3, onItsSide: true) { film in
            let framing = try await Reframer.run(
                path: film, facts: facts(PixelSize(width: 1280, height: 720), rotation: 90, seconds: 3),
                clip: TimeRange(start: 0, end: 3), cuts: [], aspect: portrait, smartCrop: true, threads: 1,
                toolbox: toolbox)
            let face = try #require(framing.faces.first)
            #expect(abs(face.x + face.width / 2 - 300 - faceInPhotograph.x) < 25)
            #expect(abs(face.y + face.height / 2 - 150 - faceInPhotograph.y) < 25)
        }
    }

    /// The photograph twice: the left one opens and shuts its mouth for 4 s, then the right one, which sways all along.
    @Test func `the one whose mouth moves leads, and not the one whose head does`() async throws {
        try await MediaSamples.with { samples in
            let mouth = "drawbox=x=204:y=136:w=36:h=16:color=0x301010:t=fill:enable='lt(mod(t,0.28),0.14)*"
            let graph = [
                "[1:v]scale=512:512,split[a][b]", "[a]\(mouth)lt(t,4)'[left]", "[b]\(mouth)gte(t,4)'[right]",
                "[0:v][left]overlay=x=60:y=150[one]",
                "[one][right]overlay=x='690+12*sin(5*t)':y='150+6*sin(7*t)':shortest=1",
            ].joined(separator: ";")
            let film = try await samples.make(
                "two.mp4",
                MediaSamples.source("color=c=0x335544:s=1280x720:r=25:d=8") + [
                    "-loop", "1", "-framerate", "25", "-i", "\(fixtures ?? "")/astronaut.png", "-filter_complex", graph,
                    "-t", "8", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
                ])
            let display = PixelSize(width: 1280, height: 720)
            let sampler = FrameSampler(
                path: film, stream: "v:0", range: TimeRange(start: 0, end: 8), framesPerSecond: 15,
                size: PixelSize(width: 640, height: 360), threads: 1)
            let seen = try await sampler.faces(display: display, every: 3, attentive: true, toolbox: toolbox) { _ in }
            #expect(seen.count == 40)
            var tracker = FaceTracker(stepSeconds: 0.2)
            for sample in seen { tracker.observed(sample.faces) }
            let speech = SpeechEvidence(
                levels: [Double](repeating: -20, count: 80), stepSeconds: 0.1, silences: [])
            let cast = ShotCast(
                tracks: tracker.finish(), samples: 0..<40, stepSeconds: 0.2, source: display, speech: speech)
            #expect(cast.members.count == 2)
            for (sample, lead) in cast.leads.enumerated() where abs(Double(sample) * 0.2 - 4) > 0.4 {
                let face = try #require(lead.flatMap { cast.members[$0].places[sample] }).face
                #expect((face.middleX < 640) == (sample < 20), "at sample \(sample)")
            }
            #expect(cast.turns.count == 2)
        }
    }

    @Test func `a cancelled look ends soon, with the code for it`() async throws {
        try await withFilm(x: "300", seconds: 20) { film in
            let (toolbox, portrait) = (toolbox, portrait)
            let facts = facts(PixelSize(width: 1280, height: 720), seconds: 20)
            let began = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingOldest(1))
            let error = await withTaskGroup(of: MediaError?.self) { group in
                group.addTask {
                    do throws(MediaError) {
                        _ = try await Reframer.run(
                            path: film, facts: facts, clip: TimeRange(start: 0, end: 20), cuts: [], aspect: portrait,
                            smartCrop: true, threads: 1, toolbox: toolbox
                        ) { _ in began.continuation.yield() }
                        return nil
                    } catch {
                        return error
                    }
                }
                for await _ in began.stream { break }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(error?.code == .cancelled)
        }
    }
}
