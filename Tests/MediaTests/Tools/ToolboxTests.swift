import ClipModel
import Foundation
import Media
import Synchronization
import Testing

/// Real children, small and short. Those that would run for ever are ended by what is tested.
@Suite(.serialized) struct ToolboxTests {
    private let toolbox = Toolbox(MediaConfiguration())

    /// A picture source without end, as fast as ffmpeg can.
    private static let endless = [
        "-nostdin", "-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=30",
    ]

    private func command(
        _ arguments: [String], tool: Tool = .ffmpeg, wallSeconds: Double = 30, memoryBytes: Int = 2 << 30,
        outputBytesMax: Int = 1 << 20, cpuSeconds: Int? = nil
    ) -> ToolCommand {
        ToolCommand(
            tool, arguments,
            limits: ToolLimits(
                wallSeconds: wallSeconds, cpuSeconds: cpuSeconds, memoryBytes: memoryBytes,
                outputBytesMax: outputBytesMax))
    }

    @Test func `standard output is kept and a success is a success`() async throws {
        let output = try await toolbox.run(command(["-version"]))
        #expect(output.succeeded)
        #expect(String(decoding: output.standardOutput, as: UTF8.self).hasPrefix("ffmpeg version"))
        #expect(output.errorTail == "")
    }

    @Test func `a tool that fails is a value whose check throws with the caller's code`() async throws {
        let output = try await toolbox.run(command(["-nostdin", "-i", "/nonexistent/file"]))
        #expect(!output.succeeded)
        #expect(output.errorTail.contains("No such file"))
        let error = #expect(throws: MediaError.self) { try output.checked(otherwise: .undecodable) }
        #expect(error?.code == .undecodable)
    }

    @Test func `lines come in order and whole`() async throws {
        let lines = Mutex<[String]>([])
        let graph = ["-frames:v", "40", "-vf", "metadata=print:file=-", "-f", "null", "-"]
        let arguments = Self.endless.dropLast(1) + ["testsrc2=size=64x64:rate=30,signalstats"] + graph
        let output = try await toolbox.run(command(Array(arguments))) { line in
            lines.withLock { $0.append(String(line)) }
        }
        #expect(output.succeeded)
        let frames = lines.withLock { $0.filter { $0.hasPrefix("frame:") } }
        #expect(frames.count == 40)
        #expect(frames.first?.hasPrefix("frame:0 ") == true && frames.last?.hasPrefix("frame:39 ") == true)
        #expect(lines.withLock { $0.allSatisfy { $0.hasPrefix("frame:") || $0.hasPrefix("lavfi.") } })
    }

    @Test func `blocks are whole frames and the reader sets the pace`() async throws {
        var blocks = 0
        let arguments = Self.endless + ["-frames:v", "30", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"]
        let output = try await toolbox.stream(command(arguments), blockBytes: 320 * 240) { block throws(MediaError) in
            #expect(block.count == 320 * 240)
            blocks += 1
            await Task.yield()
        }
        #expect(output.succeeded && blocks == 30)
    }

    @Test func `an unfinished last block is an error`() async throws {
        let arguments = Self.endless + ["-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"]
        await expect(.unexpectedOutput) {
            _ = try await toolbox.stream(command(arguments), blockBytes: 50_000) { _ throws(MediaError) in }
        }
    }

    @Test func `a reader that gives up ends the tool and its own error comes back`() async throws {
        let arguments = Self.endless + ["-vf", "lutyuv=y=9", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"]
        await expect(.visionFailed) {
            _ = try await toolbox.stream(command(arguments), blockBytes: 320 * 240) { _ throws(MediaError) in
                throw MediaError(.visionFailed)
            }
        }
        #expect(try noToolIsLeft(with: "lutyuv=y=9"))
    }

    @Test func `output over the limit ends the tool`() async throws {
        let arguments = Self.endless + ["-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"]
        await expect(.outputLimit) { _ = try await toolbox.run(command(arguments, outputBytesMax: 100_000)) }
    }

    @Test func `a line over the limit ends the tool`() async throws {
        let arguments = Self.endless + ["-pix_fmt", "gray", "-vf", "lutyuv=y=7", "-f", "rawvideo", "pipe:1"]
        await expect(.outputLimit) {
            _ = try await toolbox.run(command(arguments, outputBytesMax: 10_000)) { _ in }
        }
    }

    @Test func `the wall limit kills the tool`() async throws {
        let arguments = Self.endless + ["-metadata", "title=wall", "-f", "null", "-"]
        let toolbox = Toolbox(MediaConfiguration(), clock: HurriedClock())
        await expect(.wallLimit) { _ = try await toolbox.run(command(arguments, wallSeconds: 3600)) }
        #expect(try noToolIsLeft(with: "title=wall"))
    }

    private func limits(wallSeconds: Double = 30, silenceSeconds: Double) -> ToolLimits {
        ToolLimits(wallSeconds: wallSeconds, silenceSeconds: silenceSeconds, memoryBytes: 2 << 30)
    }

    @Test func `a tool that stands still is killed`() async throws {
        let pipe = FileManager.default.temporaryDirectory.path + "/silent-\(UUID())"
        // Sound: the path outlives the call.
        let isMade = unsafe mkfifo(pipe, 0o600) == 0
        try #require(isMade)
        defer { try? FileManager.default.removeItem(atPath: pipe) }
        // Nobody writes into it, so ffmpeg waits for ever while it opens it.
        let input = ["-nostdin", "-f", "rawvideo", "-i", "file:" + pipe]
        let arguments = input + ["-metadata", "title=silent", "-f", "null", "-"]
        await expect(.silenceLimit) {
            _ = try await toolbox.run(ToolCommand(.ffmpeg, arguments, limits: limits(silenceSeconds: 1)))
        }
        #expect(try noToolIsLeft(with: "title=silent"))
    }

    @Test func `a tool that computes without a word is not killed for it, nor one whose reader is slow`() async throws {
        // Until the limit of all.
        await expect(.wallLimit) {
            let arguments = Self.endless + ["-f", "null", "-"]
            _ = try await toolbox.run(
                ToolCommand(.ffmpeg, arguments, limits: limits(wallSeconds: 6, silenceSeconds: 4)))
        }
        let arguments = Self.endless + ["-frames:v", "200", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"]
        var blocks = 0
        let command = ToolCommand(.ffmpeg, arguments, limits: limits(silenceSeconds: 1))
        let output = try await toolbox.stream(command, blockBytes: 320 * 240) { _ throws(MediaError) in
            blocks += 1
            guard blocks == 2 else { return }
            do { try await ContinuousClock().sleep(for: .seconds(2)) } catch { throw MediaError(.cancelled) }
        }
        #expect(output.succeeded && blocks == 200)
    }

    @Test(.timeLimit(.minutes(2)))
    func `an attempt gives signs of life for as long as its tool computes`() async throws {
        let effort = EffortMeter()
        let metered = toolbox.metered(by: effort)
        let arguments = Self.endless + ["-f", "null", "-"]
        let command = ToolCommand(.ffmpeg, arguments, limits: limits(wallSeconds: 600, silenceSeconds: 1))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await expect(.cancelled) { _ = try await metered.run(command) } }
            // What the tool takes is counted when it has ended, so these are of the looks at it.
            for _ in 0..<2 {
                let before = effort.signs
                while effort.signs == before, !Task.isCancelled {
                    // Ends early only with the test's own limit.
                    try? await ContinuousClock().sleep(for: .milliseconds(50))
                }
            }
            #expect(effort.total == Effort())
            group.cancelAll()
        }
    }

    @Test func `cancelling the caller kills the tool at once`() async throws {
        let arguments = Self.endless + ["-metadata", "title=cancelled", "-progress", "pipe:1", "-f", "null", "-"]
        let (started, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let clock = ContinuousClock()
        try await withThrowingTaskGroup(of: ContinuousClock.Instant.self) { group in
            group.addTask {
                await expect(.cancelled) {
                    _ = try await toolbox.run(command(arguments, wallSeconds: 120)) { _ in signal.yield() }
                }
                return clock.now
            }
            for await _ in started { break }
            // Those before it have its words among theirs.
            #expect(try runningTools(with: "title=cancelled") > 0)
            let cancelledAt = clock.now
            group.cancelAll()
            let ended = try await group.next()
            // Not by its own limit. A second is the rule; the others are for a machine that is slow, and busy with
            // other tests.
            #expect(try #require(ended) - cancelledAt < .seconds(5))
        }
        #expect(try noToolIsLeft(with: "title=cancelled"))
    }

    @Test func `a cancelled caller starts nothing`() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask { await expect(.cancelled) { _ = try await toolbox.run(command(["-version"])) } }
        }
    }

    @Test func `too little memory is told from a failure`() async throws {
        let big = ["-nostdin", "-f", "lavfi", "-i", "color=size=4096x4096", "-c:v", "libx264", "-f", "null", "-"]
        let output = try await toolbox.run(command(big, memoryBytes: 600 << 20))
        let error = #expect(throws: MediaError.self) { try output.checked() }
        #expect(error?.code == .memoryLimit)
    }

    @Test func `too much processor time is told from a failure`() async throws {
        let output = try await toolbox.run(
            command(Self.endless + ["-f", "null", "-"], wallSeconds: 300, cpuSeconds: 1))
        let error = #expect(throws: MediaError.self) { try output.checked() }
        #expect(error?.code == .cpuLimit)
    }

    @Test func `a missing tool names the package that holds it`() async throws {
        let toolbox = Toolbox(MediaConfiguration(ffmpegPath: "/nonexistent/ffmpeg", ffprobePath: "no-such-prober"))
        for tool in Tool.allCases {
            let error = await expect(.toolMissing) { _ = try await toolbox.run(command(["-version"], tool: tool)) }
            #expect(error?.detail.contains("apt-get install ffmpeg") == true)
            #expect(error?.failure.hint.contains("apt-get install ffmpeg") == true)
            #expect(error?.failure.class == .resource)
        }
    }

    @Test func `the end of standard error is kept, however much there is`() async throws {
        var loud = command(Self.endless + ["-frames:v", "300", "-vf", "showinfo=checksum=0", "-f", "null", "-"])
        loud.arguments[3] = "info"
        loud.limits.errorBytesMax = 2000
        let output = try await toolbox.run(loud)
        #expect(output.succeeded)
        #expect(output.errorTail.utf8.count <= 2000 && output.errorTail.contains("frame="))
    }

    @Test func `twenty tools at once neither mix nor hang`() async throws {
        try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let arguments = ["-v", "error", "-f", "lavfi", "-i", "color=c=black:s=\(32 + 2 * number)x32:d=0.1"]
                    let shown = ["-show_entries", "stream=width", "-of", "csv=p=0"]
                    let output = try await toolbox.run(command(arguments + shown, tool: .ffprobe))
                    #expect(output.standardOutput == Array("\(32 + 2 * number)\n".utf8))
                    return output.errorTail
                }
            }
            for try await errors in group { #expect(errors == "") }
        }
    }
}

/// A clock on which every wait is over at once.
private struct HurriedClock: Clock {
    var now: ContinuousClock.Instant { ContinuousClock().now }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws { await Task.yield() }
}
