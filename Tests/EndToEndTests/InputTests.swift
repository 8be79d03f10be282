import ClipModel
import Foundation
import HTTPClient
import Jobs
import Testing

/// What people send. Each input either becomes clips or ends with a code, a reason and a hint; none hangs, none leaves
/// a child behind, none takes a node down.
extension EndToEndTests {
    enum Expected: Sendable {
        /// At least one clip, with these notes among the job's.
        case clips(notes: [String])
        /// The upload or the job is refused with one of these codes.
        case refused([String])
    }

    struct Input: Sendable, CustomTestStringConvertible {
        let name: String
        let expected: Expected
        /// Writes the file.
        let make: @Sendable (_ path: String) async throws -> Void
        var testDescription: String { name }
    }

    static let speech = ["-i", Cluster.fixtures + "/jfk.wav"]

    /// A face and eleven seconds of speech, with the picture made by `filter` and encoded by `options`.
    static func talk(_ filter: String, _ options: [String] = []) -> @Sendable (String) async throws -> Void {
        { path in
            try await Shell.ffmpeg(
                ["-stream_loop", "-1", "-i", Cluster.fixtures + "/woman.mp4"] + speech + [
                    "-map", "0:v", "-map", "1:a", "-t", "11", "-vf", filter, "-c:v", "libx264", "-preset", "ultrafast",
                ] + options + [path])
        }
    }

    static let inputs: [Input] = [
        Input(name: "empty.mp4", expected: .refused(["empty_file"])) { path in
            try Data().write(to: URL(filePath: path))
        },
        Input(name: "text.mp4", expected: .refused(["not_a_video", "text_file", "unsupported_format"])) { path in
            try "Dear cluster, this is a letter.".write(toFile: path, atomically: true, encoding: .utf8)
        },
        Input(name: "truncated.mp4", expected: .refused(["truncated_file"])) { path in
            try await talk("scale=640:360")(path)
            let whole = try Data(contentsOf: URL(filePath: path))
            try whole.prefix(whole.count / 3).write(to: URL(filePath: path))
        },
        Input(name: "corrupt-middle.mp4", expected: .clips(notes: [])) { path in
            try await talk("scale=640:360", ["-movflags", "+faststart"])(path)
            var bytes = try Data(contentsOf: URL(filePath: path))
            let middle = bytes.count / 2
            for offset in 0..<min(20_000, bytes.count / 8) { bytes[middle + offset] = UInt8((offset &* 37) & 0xff) }
            try bytes.write(to: URL(filePath: path))
        },
        Input(name: "no-audio.mp4", expected: .clips(notes: ["no_speech"])) { path in
            try await Shell.ffmpeg(["-i", Cluster.fixtures + "/woman.mp4", "-an", "-c", "copy", path])
        },
        Input(name: "audio-only.mp3", expected: .refused(["no_video_stream", "audio_only"])) { path in
            try await Shell.ffmpeg(speech + [path])
        },
        Input(name: "three-seconds.mp4", expected: .clips(notes: ["video_shorter_than_clip"])) { path in
            try await talk("scale=640:360", ["-t", "3"])(path)
        },
        Input(name: "tiny.mp4", expected: .clips(notes: []), make: talk("scale=100:100,setsar=1")),
        Input(name: "4k.mp4", expected: .clips(notes: []), make: talk("scale=3840:2160", ["-t", "6"])),
        Input(
            name: "portrait.mp4", expected: .clips(notes: []),
            make: talk("crop=200:360:300:0,scale=720:1296,setsar=1")),
        Input(name: "narrow.mp4", expected: .clips(notes: []), make: talk("crop=120:360:330:0,setsar=1")),
        Input(name: "rotated.mp4", expected: .clips(notes: [])) { path in
            try await talk("scale=640:360,transpose=1")(path + ".up.mp4")
            try await Shell.ffmpeg(["-i", path + ".up.mp4", "-c", "copy", "-metadata:s:v:0", "rotate=90", path])
        },
        Input(
            name: "variable-rate.mp4", expected: .clips(notes: []),
            make: talk("scale=640:360,select='not(mod(n\\,3))+gt(mod(n\\,50)\\,25)'", ["-fps_mode", "vfr"])),
        Input(
            name: "odd-size.mkv", expected: .clips(notes: []),
            make: talk("scale=641:359,setsar=1", ["-pix_fmt", "yuv444p"])),
        Input(name: "two-tracks.mp4", expected: .clips(notes: [])) { path in
            try await Shell.ffmpeg(
                ["-stream_loop", "-1", "-i", Cluster.fixtures + "/woman.mp4", "-f", "lavfi", "-i", "sine=220:d=11"]
                    + speech + [
                        "-map", "0:v", "-map", "1:a", "-map", "2:a", "-t", "11", "-disposition:a:0", "0",
                        "-disposition:a:1",
                        "default", "-c:v", "libx264", "-preset", "ultrafast", path,
                    ])
        },
        Input(
            name: "hdr.mp4", expected: .clips(notes: []),
            make: talk(
                "scale=640:360,format=yuv420p10le",
                [
                    "-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc", "-pix_fmt",
                    "yuv420p10le",
                ]
            )),
        Input(name: "it's a \"clip\"; 🎬 $(x).mp4", expected: .clips(notes: []), make: talk("scale=640:360")),
        Input(name: "playlist.mp4", expected: .refused(["playlist_file"])) { path in
            try "#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n".write(toFile: path, atomically: true, encoding: .utf8)
        },
    ]

    @Test(arguments: inputs)
    func `every input ends well or with a reason`(input: Input) async throws {
        let folder = try Scratch.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/" + input.name
        try await input.make(path)
        let answer = try await client.send(upload: path, name: "../../" + input.name)
        switch input.expected {
        case .refused(let codes):
            let code = try await refusal(of: answer)
            #expect(codes.contains(code), "refused with \(code)")
        case .clips(let notes):
            let job = try await client.end(of: client.submit(uploadID(answer)))
            try #require(job.status == .ready, "\(String(describing: job.error))")
            #expect(!job.clips.isEmpty)
            #expect(job.clips.allSatisfy { $0.state == .ready }, "\(job.clips.compactMap(\.error))")
            for note in notes { #expect(job.notes.contains { $0.code == note }, "notes are \(job.notes)") }
            #expect(!job.clips.contains { $0.figures?.flags.contains { $0.code == "wrong_format" } ?? true })
        }
        for node in cluster.nodes { #expect(kill(node.pid, 0) == 0, "\(node.name) died") }
    }

    /// Two hours, and a sixth of them in the usual run.
    static let silentSeconds = Cluster.environment("TIJERA_LONG").isEmpty ? 1200 : 7200

    @Test func `a long still picture without a word ends in time`() async throws {
        let path = cluster.folder + "/silence.mp4"
        try await Shell.ffmpeg([
            "-f", "lavfi", "-i", "color=navy:s=320x180:r=2", "-f", "lavfi", "-i", "anoisesrc=a=0.001:r=8000", "-t",
            "\(Self.silentSeconds)", "-c:v", "libx264", "-preset", "ultrafast", "-g", "200", "-c:a", "aac", "-b:a",
            "16k", path,
        ])
        let job = try await client.end(of: client.submit(client.upload(path), options: ["clipCount": 3]))
        #expect(job.status == .ready, "\(String(describing: job.error))")
        #expect(!job.clips.isEmpty)
        #expect(job.notes.contains { $0.code == "no_speech" }, "\(job.notes)")
    }

    private func uploadID(_ answer: HTTPResponse) throws -> UploadID {
        struct Answer: Decodable { let uploadId: UploadID }
        try #require(answer.status == 201, "\(answer.status) \(answer.text)")
        return try JSONDecoder().decode(Answer.self, from: Data(answer.body)).uploadId
    }

    /// The code of the refusal, at the door or in the job, which must come with a reason and a hint.
    private func refusal(of answer: HTTPResponse) async throws -> String {
        if answer.status != 201 {
            #expect((400..<500).contains(answer.status), "\(answer.status) \(answer.text)")
            let problem = try JSONDecoder().decode(Client.Problem.self, from: Data(answer.body))
            #expect(!problem.detail.isEmpty && problem.hint?.isEmpty == false, "\(answer.text)")
            return problem.code
        }
        let job = try await client.end(of: client.submit(uploadID(answer)))
        #expect(job.status == .error)
        let error = try #require(job.error)
        #expect(!error.reason.isEmpty && !error.hint.isEmpty)
        return error.code
    }
}
