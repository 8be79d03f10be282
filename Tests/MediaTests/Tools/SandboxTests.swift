import ClipModel
import Foundation
import Glibc
import Media
import TestSupport
import Testing

/// Real tools on hostile command lines and files, each as they were before any filter of formats or protocols: what is
/// tested is the last wall.
@Suite(.serialized) struct SandboxTests {
    /// Kinds and users that can be tried here. In a container without user namespaces only limits are left.
    private static let user: UInt32? = geteuid() == 0 ? 65534 : nil
    private static let bwrap = Sandbox(.bwrap)

    private func toolbox(_ sandbox: Sandbox) -> Toolbox { Toolbox(MediaConfiguration(sandbox: sandbox)) }

    private func ffmpeg(_ arguments: [String], seconds: Double = 60, memoryBytes: Int = 2 << 30) -> ToolCommand {
        ToolCommand(
            .ffmpeg, ["-nostdin", "-v", "error", "-y"] + arguments,
            limits: ToolLimits(wallSeconds: seconds, memoryBytes: memoryBytes))
    }

    /// A video of another client, in a folder beside ours; and ours.
    private func withNeighbour(_ body: (MediaSamples, String) async throws -> Void) async throws {
        try await MediaSamples.with { neighbour in
            let secret = try await neighbour.video("secret.mp4", seconds: 1, size: "64x64")
            try await MediaSamples.with { ours in try await body(ours, secret) }
        }
    }

    @Test func `the tightest that works is chosen, and it does what tools do`() async throws {
        try await MediaSamples.with { samples in
            let choice = try await Sandbox.choose(
                .auto, for: MediaConfiguration(), in: samples.directory.path, user: Self.user)
            // cluster/test installs what it takes.
            #expect(choice.sandbox.kind == .bwrap, "\(choice.objections)")
            let video = try await samples.video(seconds: 2)
            let facts = try await Probe.run(path: video, toolbox: toolbox(choice.sandbox))
            #expect(facts.videoCodec == "h264" && facts.audioStream != nil)
        }
    }

    @Test func `a wish that cannot be had says why and what to do`() async throws {
        let nowhere = "/proc/1/nowhere"
        await #expect {
            _ = try await Sandbox.choose(.bwrap, for: MediaConfiguration(), in: nowhere, user: nil)
        } throws: { error in
            let failure = error as? Failure
            return failure?.code == "sandbox_unusable" && failure?.hint.contains("bubblewrap") == true
        }
    }

    /// Ways to make ffmpeg read another file, each with what it is told and a file that is written first.
    private static func tricks(_ secret: String) -> [(name: String, file: String, options: [String])] {
        let open = ["-protocol_whitelist", "file,crypto,data,concat,subfile,http,tcp"]
        return [
            ("list.txt", "ffconcat version 1.0\nfile '\(secret)'\n", open + ["-safe", "0", "-f", "concat"]),
            (
                "list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://\(secret)\n#EXT-X-ENDLIST\n",
                open + ["-allowed_extensions", "ALL", "-f", "hls"]
            ),
        ]
    }

    @Test(arguments: 0..<2)
    func `a playlist reads nothing of others, in a view of its own`(index: Int) async throws {
        try await withNeighbour { ours, secret in
            let trick = Self.tricks(secret)[index]
            let list = try ours.write(Array(trick.file.utf8), trick.name)
            let command = ffmpeg(trick.options + ["-i", "file:" + list, "-f", "null", "-"])
            // Without the view it does: the trick is a real one.
            #expect(try await toolbox(Sandbox(.rlimits)).run(command).succeeded)
            let output = try await toolbox(Self.bwrap).run(command)
            #expect(!output.succeeded, "\(output)")
            // And the product does not get so far.
            await expect(.undecodable) { _ = try await Probe.run(path: list, toolbox: toolbox(Sandbox(.rlimits))) }
        }
    }

    @Test func `protocols and filters read nothing of others`() async throws {
        try await withNeighbour { ours, secret in
            let cues = secret.replacing("secret.mp4", with: "cues.srt")
            try "1\n00:00:00,000 --> 00:00:01,000\nsecret\n".write(toFile: cues, atomically: true, encoding: .utf8)
            let plain = try await ours.video("plain.mp4", seconds: 1, size: "64x64")
            let ways: [[String]] = [
                ["-i", secret, "-f", "null", "-"], ["-i", "subfile,,start,0,end,0,,:" + secret, "-f", "null", "-"],
                ["-i", "concat:" + secret, "-f", "null", "-"],
                ["-f", "lavfi", "-i", "movie=\(secret)", "-f", "null", "-"],
                ["-i", "file:" + plain, "-vf", "subtitles=\(cues)", "-f", "null", "-"],
                ["-f", "image2", "-pattern_type", "none", "-i", secret, "-f", "null", "-"],
                ["-f", "data", "-i", "/etc/passwd", "-map", "0", "-c", "copy", "-f", "data", "pipe:1"],
            ]
            for way in ways {
                let output = try await toolbox(Self.bwrap).run(ffmpeg(way))
                #expect(!output.succeeded && output.standardOutput.isEmpty, "\(way)")
            }
            let passwd = try await toolbox(Sandbox(.rlimits)).run(ffmpeg(try #require(ways.last)))
            #expect(passwd.standardOutput.starts(with: Array("root:".utf8)), "without a view it is read")
        }
    }

    @Test func `nothing is written but what was asked for`() async throws {
        try await withNeighbour { ours, secret in
            let elsewhere = secret.replacing("secret.mp4", with: "planted.wav")
            let silence = ["-f", "lavfi", "-i", "anullsrc=r=8000", "-t", "0.1", "-f", "wav"]
            let planted = try await toolbox(Self.bwrap).run(ffmpeg(silence + [elsewhere]))
            #expect(!planted.succeeded && !FileManager.default.fileExists(atPath: elsewhere))
            // Its input cannot be changed either, though it lies in the folder that is written to.
            let input = try await ours.video("input.mp4", seconds: 1, size: "64x64")
            let before = try ours.bytes(input)
            let own = ours.path("out.wav")
            let both = ["-i", "file:" + input] + ["-f", "wav", input, "-f", "wav", "file:" + own]
            #expect(try await !toolbox(Self.bwrap).run(ffmpeg(both)).succeeded)
            #expect(try ours.bytes(input) == before)
            #expect(
                try await toolbox(Self.bwrap).run(ffmpeg(["-i", "file:" + input, "-f", "wav", "file:" + own])).succeeded
            )
        }
    }

    @Test func `no tool reaches the network`() async throws {
        let listener = try Listener()
        let command = ffmpeg(["-rw_timeout", "1000000", "-i", "tcp://127.0.0.1:\(listener.port)", "-f", "null", "-"])
        #expect(try await !toolbox(Self.bwrap).run(command).succeeded)
        #expect(!listener.wasCalled)
        _ = try await toolbox(Sandbox(.rlimits)).run(command)
        #expect(listener.wasCalled, "without a view it does")
    }

    @Test func `a tool that never ends is ended, with all that stands before it`() async throws {
        let endless = ["-f", "lavfi", "-i", "testsrc2", "-metadata", "title=sandboxed", "-f", "null", "-"]
        let toolbox = Toolbox(MediaConfiguration(sandbox: Self.bwrap))
        await expect(.wallLimit) { _ = try await toolbox.run(ffmpeg(endless, seconds: 1)) }
        #expect(try noToolIsLeft(with: "title=sandboxed"))
    }

    /// What is looked at is the tool, two processes down and with a number of its own in there. Both halves are needed:
    /// of one that could not be found nothing would be said, and it would be left alone as well.
    @Test func `it is seen through the sandbox that a tool computes without a word`() async throws {
        try await MediaSamples.with { samples in
            var busy = ffmpeg(["-f", "lavfi", "-i", "testsrc2", "-f", "null", "-"], seconds: 6)
            busy.limits.silenceSeconds = 3
            await expect(.wallLimit) { _ = try await toolbox(Self.bwrap).run(busy) }

            let pipe = samples.path("pipe")
            // Sound: the path outlives the call.
            let isMade = unsafe mkfifo(pipe, 0o600) == 0
            try #require(isMade)
            // Nobody writes into it, so the tool waits for ever while it opens it.
            var still = ffmpeg(["-f", "rawvideo", "-i", "file:" + pipe, "-f", "null", "-"])
            still.limits.silenceSeconds = 3
            await expect(.silenceLimit) { _ = try await toolbox(Self.bwrap).run(still) }
        }
    }

    @Test(arguments: [bwrap, Sandbox(.bwrap, user: user), Sandbox(.rlimits)])
    func `a node that dies while it starts a tool leaves nothing behind`(sandbox: Sandbox) throws {
        // Longer than the test. What is left is found by its title.
        let title = "title=orphan-\(sandbox.kind)-\(sandbox.user ?? 0)"
        let endless = [
            "-f", "lavfi", "-i", "testsrc2=s=64x64", "-vf", "realtime", "-metadata", title, "-f", "null", "-",
        ]
        // Larger than any process has; the shell that plays the node puts its own number there.
        let nobody = Int32.max
        let arguments = sandbox.arguments(
            for: ffmpeg(endless), tool: "/usr/bin/ffmpeg",
            programs: Sandbox.Programs(
                person: "/usr/bin/setpriv", limiter: "/usr/bin/prlimit", shell: "/bin/sh", bwrap: "/usr/bin/bwrap"),
            extra: [], node: nobody)
        func node(dies end: String) throws -> Child {
            let script = """
                for argument; do shift; [ "$argument" = \(nobody) ] && argument=$$; set -- "$@" "$argument"; done
                setsid "$@" & \(end)
                """
            return try Child(
                "/bin/sh", ["-c", script, "node", "/usr/bin/setpriv"] + arguments, output: .nothing, errors: .nothing)
        }
        // A node that lives long enough does start the tool, and it is found: else nothing would ever be left.
        let living = try node(dies: "wait")
        var looks = 0
        while try runningTools("/usr/bin/ffmpeg", with: title) == 0, looks < 2000 { looks += 1 }
        #expect(try runningTools("/usr/bin/ffmpeg", with: title) > 0)
        _ = kill(living.identifier, SIGKILL)
        #expect(living.wait() == -SIGKILL)
        for step in 0..<30 {
            let delay = "0.0\(step < 5 ? "0" : "")\(step * 2)"
            #expect(try node(dies: "sleep \(delay); kill -KILL $$").wait() == -SIGKILL)
        }
        #expect(try noToolIsLeft(with: title))
    }

    @Test func `memory, processor time and size of files are bounded inside`() async throws {
        try await MediaSamples.with { samples in
            let huge = ["-f", "lavfi", "-i", "color=s=4096x4096", "-c:v", "libx264", "-f", "null", "-"]
            await expect(.memoryLimit) {
                _ = try await toolbox(Self.bwrap).run(ffmpeg(huge, memoryBytes: 600 << 20)).checked()
            }
            var busy = ffmpeg(["-f", "lavfi", "-i", "testsrc2=s=1280x720", "-f", "null", "-"])
            busy.limits.cpuSeconds = 1
            await expect(.cpuLimit) { _ = try await toolbox(Self.bwrap).run(busy).checked() }
            var large = ffmpeg([
                "-f", "lavfi", "-i", "anullsrc", "-t", "600", "-f", "wav", "file:" + samples.path("l.wav"),
            ])
            large.limits.fileBytesMax = 1 << 20
            let output = try await toolbox(Self.bwrap).run(large)
            #expect(!output.succeeded)
            let written = try samples.bytes(samples.path("l.wav")).count
            #expect(written <= 1 << 20)
        }
    }

    @Test func `a video that claims a huge picture is refused before it is decoded`() async throws {
        try await MediaSamples.with { samples in
            let path = try await samples.make(
                "huge.mkv",
                ["-f", "lavfi", "-i", "color=s=8000x6000:d=1:r=1", "-c:v", "mjpeg", "-threads", "1"])
            await expect(.pictureTooLarge) { _ = try await Probe.run(path: path, toolbox: toolbox(Self.bwrap)) }
        }
    }

    @Test func `what a tool takes in its sandbox is on the account`() async throws {
        let effort = EffortMeter()
        let work = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:d=4", "-progress", "pipe:1", "-f", "null", "-"]
        let output = try await toolbox(Self.bwrap).metered(by: effort).run(ffmpeg(work))
        #expect(output.succeeded)
        #expect(effort.total.cpuSeconds > 0.05, "\(effort.total)")
        #expect(effort.total.bytesRead ?? 0 > 10_000, "\(effort.total)")
    }

    @Test(.enabled(if: geteuid() == 0)) func `where the node is root a tool is somebody else`() async throws {
        try await MediaSamples.with { samples in
            let folder = samples.directory.path
            // The string lives for the length of the call.
            let code = unsafe chmod(folder, 0o770)
            #expect(code == 0)
            for kind in [Sandbox.Kind.rlimits, .bwrap] {
                let own = folder + "/\(kind.rawValue).wav"
                let silence = ["-f", "lavfi", "-i", "anullsrc=r=8000", "-t", "0.1", "-f", "wav", "file:" + own]
                let output = try await toolbox(Sandbox(kind, user: 65534)).run(ffmpeg(silence))
                #expect(output.succeeded, "\(output.errorTail)")
                let owner = try FileManager.default.attributesOfItem(atPath: own)[.ownerAccountID] as? Int
                #expect(owner == 65534)
            }
        }
    }

    /// Listens on the loopback and tells whether anybody came.
    private final class Listener {
        private let descriptor: Int32
        let port: Int

        init() throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            // Sound: the pointers are to a local that outlives the calls.
            let code = unsafe withUnsafeMutablePointer(to: &address) { [descriptor] pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    guard unsafe bind(descriptor, generic, length) == 0, listen(descriptor, 4) == 0 else {
                        return Int32(-1)
                    }
                    return unsafe getsockname(descriptor, generic, &length)
                }
            }
            try #require(code == 0)
            port = Int(UInt16(bigEndian: address.sin_port))
        }

        deinit { close(descriptor) }

        var wasCalled: Bool {
            let accepted = accept(descriptor, nil, nil)
            if accepted >= 0 { close(accepted) }
            return accepted >= 0
        }
    }
}
