import ClipModel
import Foundation
import Glibc
import Media
import Synchronization
import TestSupport
import Testing

/// What attempts are told to have taken, against what the children themselves say. Processor time does not depend on
/// how busy the machine is, so the bounds are close.
@Suite(.timeLimit(.minutes(2))) struct EffortTests {
    /// A tool that works for about a third of a second (a slow machine: for seconds), prints what it took by its own
    /// account, and does what follows.
    private static func script(_ rest: String) -> String {
        """
        #!/bin/sh
        i=0
        while [ $i -lt 300000 ]; do i=$((i+1)); done
        times
        \(rest)
        """
    }

    /// What the kernel's ticks may hide of user and of system time, and what a shell takes to start, to print and to
    /// go, which is more where its work takes longer.
    private static func slackSeconds(over said: Double) -> Double { max(0.1, said / 4) }

    /// A toolbox whose ffmpeg is `script`, the meter it is on, and a command for it.
    private func with(
        _ script: String, clock: any Clock<Duration> = ContinuousClock(),
        _ body: (Toolbox, EffortMeter) async throws -> Void
    ) async throws {
        try await MediaSamples.with { samples in
            let path = samples.path("tool")
            try Script.write(script, to: path)
            let effort = EffortMeter()
            let toolbox = Toolbox(MediaConfiguration(ffmpegPath: path), clock: clock)
            try await body(toolbox.metered(by: effort), effort)
        }
    }

    private func command(cpuSeconds: Int? = nil) -> ToolCommand {
        ToolCommand(
            .ffmpeg, [], limits: ToolLimits(wallSeconds: 3600, cpuSeconds: cpuSeconds, memoryBytes: 1 << 30))
    }

    /// `0m0.310000s 0m0.000000s`: user and system time.
    private func told(_ line: some StringProtocol) -> Double? {
        let parts = line.split(separator: " ").compactMap { part -> Double? in
            let numbers = part.dropLast().split(separator: "m").compactMap { Double($0) }
            return numbers.count == 2 && part.last == "s" ? 60 * numbers[0] + numbers[1] : nil
        }
        return parts.count == 2 ? parts[0] + parts[1] : nil
    }

    @Test func `whatever goes on is a sign, and waiting for somebody with limits is no silence`() {
        let effort = EffortMeter()
        var stillness = Stillness(limitSeconds: 2, first: effort.signs)
        func isEnded() -> Bool { stillness.saw(effort.signs, afterSeconds: 2) }
        effort.beat()
        #expect(!isEnded())
        effort.add(Effort(bytesWritten: 1))
        #expect(!isEnded())
        effort.waitBegins()
        effort.waitBegins()
        effort.waitEnds()
        let answers = (0..<3).map { _ in isEnded() }
        #expect(answers == [false, false, false])
        effort.waitEnds()
        // Its end is one more.
        #expect(!isEnded())
        #expect(stillness.isAlive)
        #expect(isEnded())
        #expect(!stillness.isAlive)
    }

    @Test func `a child that ends by itself took what it says it took`() async throws {
        try await with(Self.script("")) { toolbox, effort in
            let output = try await toolbox.run(command()).checked()
            let said = try #require(
                String(decoding: output.standardOutput, as: UTF8.self).split(separator: "\n").first.flatMap(told))
            #expect(said > 0.05)
            #expect(effort.total.cpuSeconds >= said && effort.total.cpuSeconds < said + Self.slackSeconds(over: said))
            #expect(effort.total.bytesWritten == 0)
            // Two runs of one attempt are one sum.
            _ = try await toolbox.run(command()).checked()
            #expect(effort.total.cpuSeconds > 1.5 * said)
        }
    }

    @Test func `a child that fails is on the account too`() async throws {
        try await with(Self.script("exit 3")) { toolbox, effort in
            let said = Mutex<Double?>(nil)
            let output = try await toolbox.run(command()) { line in said.withLock { $0 = $0 ?? told(line) } }
            let took = try #require(said.withLock { $0 })
            #expect(output.ending == .exited(code: 3) && effort.total.cpuSeconds >= took)
        }
    }

    @Test func `a child that is killed at its limit of processor time took that much`() async throws {
        // The limit counts whole ticks of whoever runs at one, so how much is left of a second at the end depends on
        // how busy the machine is. What the tool said last does not.
        // It speaks often from the start on: a slow machine does in that second what another does in a tenth of it.
        let endless = "#!/bin/sh\nwhile :; do i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; times; done"
        try await with(endless) { toolbox, effort in
            let said = Mutex(0.0)
            await expect(.cpuLimit) {
                let output = try await toolbox.run(command(cpuSeconds: 1)) { line in
                    said.withLock { $0 = max($0, told(line) ?? 0) }
                }
                _ = try output.checked()
            }
            let took = said.withLock(\.self)
            #expect(took > 0.2)
            #expect(effort.total.cpuSeconds >= took)
            #expect(effort.total.cpuSeconds < took + Self.slackSeconds(over: took))
        }
    }

    @Test func `a child that the clock, its reader or its caller kills is on the account too`() async throws {
        let endless = Self.script("while :; do :; done")
        let clock = HeldClock()
        try await with(endless, clock: clock) { toolbox, effort in
            let said = Mutex<Double?>(nil)
            await expect(.wallLimit) {
                _ = try await toolbox.run(command()) { line in
                    said.withLock { $0 = $0 ?? told(line) }
                    clock.letGo()
                }
            }
            let took = try #require(said.withLock { $0 })
            #expect(effort.total.cpuSeconds >= took)
        }
        try await with(endless) { toolbox, effort in
            await expect(.visionFailed) {
                _ = try await toolbox.stream(command(), blockBytes: 1) { _ throws(MediaError) in
                    throw MediaError(.visionFailed)
                }
            }
            #expect(effort.total.cpuSeconds > 0.05)
        }
        try await with(endless) { toolbox, effort in
            let (started, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await expect(.cancelled) { _ = try await toolbox.run(command()) { _ in signal.yield() } }
                }
                for await _ in started { break }
                group.cancelAll()
            }
            #expect(effort.total.cpuSeconds > 0.05)
        }
    }

    @Test func `bytes read and memory are those of the tool`() async throws {
        try await MediaSamples.with { samples in
            let sound = try await samples.make("sound.wav", MediaSamples.source("sine=duration=60"))
            let size = Int64(try samples.bytes(sound).count)
            let effort = EffortMeter()
            let toolbox = samples.toolbox.metered(by: effort)
            let limits = ToolLimits(wallSeconds: 60, memoryBytes: 4 << 30)
            let reading = ["-nostdin", "-v", "error", "-i", "file:" + sound, "-f", "null", "-"]
            _ = try await toolbox.run(ToolCommand(.ffmpeg, reading, limits: limits)).checked()
            let read = try #require(effort.total.bytesRead)
            // Beside the file only its libraries, and what fonts and drivers are looked for.
            #expect(read >= size && read < size + 2_000_000)

            let picture = 4096 * 4096 * 3
            let drawing = ["-nostdin", "-v", "error", "-f", "lavfi", "-i", "color=s=4096x4096:r=1:d=3"]
            let command = ToolCommand(
                .ffmpeg, drawing + ["-pix_fmt", "bgr24", "-f", "rawvideo", "pipe:1"], limits: limits)
            _ = try await toolbox.stream(command, blockBytes: picture) { _ throws(MediaError) in }.checked()
            let peak = try #require(effort.total.memoryPeakBytes)
            #expect(peak > Int64(picture) && peak < 2 << 30)
        }
    }

    @Test func `work of a thread counts, and waiting does not`() throws {
        let effort = EffortMeter()
        _ = effort.measure { usleep(50_000) }
        #expect(effort.total.cpuSeconds < 0.02)
        let spun = effort.measure {
            let start = threadSeconds()
            while threadSeconds() - start < 0.1 {}
            return threadSeconds() - start
        }
        #expect(effort.total.cpuSeconds >= spun && effort.total.cpuSeconds < spun + 0.03)
        #expect(throws: MediaError(.visionFailed)) {
            try effort.measure { () throws(MediaError) in throw MediaError(.visionFailed) }
        }
    }

    @Test func `what is unknown of a part is unknown of the whole`() {
        var sum = Effort(cpuSeconds: 1, bytesRead: 5, bytesWritten: 2, memoryPeakBytes: 9)
        sum += Effort(cpuSeconds: 0.5, bytesRead: 1, bytesWritten: 1, memoryPeakBytes: 4)
        #expect(sum == Effort(cpuSeconds: 1.5, bytesRead: 6, bytesWritten: 3, memoryPeakBytes: 9))
        sum += Effort(bytesRead: nil)
        sum += Effort(bytesRead: 7)
        #expect(sum.bytesRead == nil && sum.memoryPeakBytes == 9)
    }

    private func threadSeconds() -> Double {
        var time = timespec()
        // Sound: the pointer is to a local that outlives the call.
        _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// Sleeps until it is let go.
private struct HeldClock: Clock {
    private let stream: AsyncStream<Void>
    private let input: AsyncStream<Void>.Continuation

    init() { (stream, input) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    var now: ContinuousClock.Instant { ContinuousClock().now }
    var minimumResolution: Duration { .zero }

    func letGo() { input.yield() }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        for await _ in stream { return }
        try Task.checkCancellation()
    }
}
