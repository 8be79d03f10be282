import ClipModel
import Foundation
import Subprocess
import SystemPackage

/// Starts the tools, with limits, and never leaves one behind.
///
/// A child runs as `sh, setpriv ... -- prlimit ... -- tool`, with `bwrap` between them where the sandbox has a view of
/// its own (`Sandbox`). The shell ends all of them when this process dies, in whatever way. (The kernel's signal is
/// bound to the thread that forked; Subprocess forks on one thread that lives as long as the process.) They have their
/// own process group, which is killed as a whole when the calling task is cancelled, a limit is passed or the reader of
/// its output gives up: by SIGKILL at once, because nothing that a tool wrote is used unless it ended by itself, and a
/// leader that is asked politely may leave children behind. Its standard input is empty, its environment minimal, both
/// its outputs are drained all the time.
package struct Toolbox: Sendable {
    package let configuration: MediaConfiguration
    private let clock: any Clock<Duration>
    /// Where it is added up what children, and those who read them, take.
    let effort: EffortMeter

    package init(
        _ configuration: MediaConfiguration, clock: any Clock<Duration> = ContinuousClock(),
        effort: EffortMeter = EffortMeter()
    ) {
        self.configuration = configuration
        self.clock = clock
        self.effort = effort
    }

    /// The same tools, on the account of one attempt.
    package func metered(by effort: EffortMeter) -> Toolbox { Toolbox(configuration, clock: clock, effort: effort) }

    private var sandbox: Sandbox { configuration.sandbox }

    /// Runs `command` and keeps what it prints on standard output, up to its limit.
    package func run(_ command: ToolCommand) async throws(MediaError) -> ToolOutput {
        let limit = command.limits.outputBytesMax
        var captured: [UInt8] = []
        var output = try await start(command) { bytes throws(MediaError) in
            captured.append(contentsOf: bytes)
            guard captured.count <= limit else {
                throw MediaError(.outputLimit, "\(command.executable) printed more than \(limit) bytes")
            }
        }
        output.standardOutput = captured
        return output
    }

    /// Runs `command` and hands every line of its standard output to `line` as it comes.
    package func run(
        _ command: ToolCommand, line: @Sendable (Substring) -> Void
    ) async throws(MediaError) -> ToolOutput {
        var lines = LineSplitter(lineBytesMax: command.limits.outputBytesMax)
        let output = try await start(command) { bytes throws(MediaError) in
            try effort.measure { () throws(MediaError) in try lines.append(bytes, line: line) }
        }
        effort.measure { lines.finish(line: line) }
        return output
    }

    /// Runs `command` and hands its standard output on in blocks of exactly `blockBytes`.
    ///
    /// Nothing is read ahead while `block` works: the pipe fills and the tool waits. An unfinished last block of a tool
    /// that succeeded is an error, since then the caller's idea of a frame and the tool's differ.
    package func stream(
        _ command: ToolCommand, blockBytes: Int, block: ([UInt8]) async throws(MediaError) -> Void
    ) async throws(MediaError) -> ToolOutput {
        var gatherer = BlockGatherer(blockBytes: blockBytes)
        let output = try await start(command) { bytes throws(MediaError) in
            var position = 0
            while position < bytes.count {
                guard let full = gatherer.take(bytes, from: &position) else { continue }
                try await block(full)
            }
        }
        if output.succeeded, gatherer.pendingBytes > 0 {
            throw MediaError(.unexpectedOutput, "\(gatherer.pendingBytes) bytes after the last block of \(blockBytes)")
        }
        return output
    }

    // MARK: The one way in which a child is run

    /// What the tasks beside the reader of standard output come back with.
    private enum Watch: Sendable {
        case standardErrorEnded(tail: String)
        case wallLimitPassed
        case fellSilent
        case notNeeded
    }

    /// Runs `command` and hands its standard output to `read` as it comes.
    private func start(
        _ command: ToolCommand, read: ([UInt8]) async throws(MediaError) -> Void
    ) async throws(MediaError) -> ToolOutput {
        let setup = try subprocessConfiguration(command)
        guard !Task.isCancelled else { throw MediaError(.cancelled) }
        do {
            let result = try await Subprocess.run(setup, input: .none, output: .sequence, error: .sequence) { child in
                // It is reaped only after this, so whatever ended it is on the account.
                var memory = MemoryWatch(of: child.processIdentifier.value, behind: sandbox.processesBefore)
                defer { account(for: child.processIdentifier.value, memory) }
                let (first, depth) = (child.processIdentifier.value, sandbox.processesBefore)
                let signs = SignsOfLife(
                    of: { ProcessReading.descendant(of: first, depth: depth) }, for: effort)
                do {
                    return try await withThrowingTaskGroup(of: Watch.self) { group in
                        let (errors, limits, clock) = (child.standardError, command.limits, clock)
                        group.addTask { await .standardErrorEnded(tail: Self.tail(of: errors, limits.errorBytesMax)) }
                        group.addTask {
                            do { try await clock.sleep(for: .seconds(limits.wallSeconds)) } catch { return .notNeeded }
                            kill(child)
                            return .wallLimitPassed
                        }
                        if let limit = limits.silenceSeconds {
                            group.addTask {
                                guard await signs.fellSilent(forSeconds: limit, clock: clock) else { return .notNeeded }
                                kill(child)
                                return .fellSilent
                            }
                        }
                        for try await buffer in child.standardOutput {
                            memory.look()
                            signs.readerBegins()
                            try await read(Self.bytes(buffer))
                            signs.readerIsDone()
                        }
                        // A cancelled reader sees an early end, not an error.
                        try Task.checkCancellation()
                        return try await Self.settle(&group, command: command)
                    }
                } catch {
                    // Subprocess would do so next; but what it works until then would be on nobody's account.
                    kill(child)
                    throw error
                }
            }
            try Task.checkCancellation()
            let ending = ending(result.terminationStatus, command.limits)
            return ToolOutput(ending: ending, errorTail: result.closureResult)
        } catch {
            throw Self.mediaError(error, command: command)
        }
    }

    /// Waits for standard error to end, which a tool does not close before it exits; then the clock may stop.
    private static func settle(
        _ group: inout ThrowingTaskGroup<Watch, any Error>, command: ToolCommand
    ) async throws -> String {
        var errorTail = ""
        var (isLate, wasSilent) = (false, false)
        while let watch = try await group.next() {
            switch watch {
            case .standardErrorEnded(let tail):
                errorTail = tail
                group.cancelAll()
            case .wallLimitPassed: isLate = true
            case .fellSilent: wasSilent = true
            case .notNeeded: break
            }
        }
        guard !wasSilent else {
            let seconds = command.limits.silenceSeconds ?? 0
            throw MediaError(.silenceLimit, "\(command.executable) stood still for \(seconds) s: \(errorTail)")
        }
        guard !isLate else {
            let seconds = command.limits.wallSeconds
            throw MediaError(.wallLimit, "\(command.executable) ran for more than \(seconds) s: \(errorTail)")
        }
        return errorTail
    }

    /// Kills a tool with all that stands before it. What it took goes on the account first: nobody who could wait for
    /// it is left then.
    private func kill(_ child: Execution<NoInput, SequenceOutput, SequenceOutput>) {
        let tool = ProcessReading.descendant(of: child.processIdentifier.value, depth: sandbox.processesBefore)
        if let spent = tool.flatMap({ ProcessReading(of: $0) })?.effort() { effort.add(spent) }
        // Fails only when the group is gone already, which is what it is for.
        try? child.send(signal: .kill, toProcessGroup: true)
    }

    private func account(for process: pid_t, _ memory: MemoryWatch) {
        guard var spent = ProcessReading(of: process)?.effort() else { return }
        spent.memoryPeakBytes = [spent.memoryPeakBytes, memory.peakBytes].compactMap(\.self).max()
        effort.add(spent)
    }

    private func subprocessConfiguration(_ command: ToolCommand) throws(MediaError) -> Subprocess.Configuration {
        let name = command.executable == .ffmpeg ? configuration.ffmpegPath : configuration.ffprobePath
        let tool = try ToolPath.resolve(name, package: command.executable.package)
        let person = try ToolPath.resolve("setpriv", package: "util-linux")
        var programs = Sandbox.Programs(
            person: person, limiter: try ToolPath.resolve("prlimit", package: "util-linux"),
            shell: try ToolPath.resolve("sh", package: "dash"))
        if sandbox.kind == .bwrap { programs.bwrap = try ToolPath.resolve("bwrap", package: "bubblewrap") }
        let arguments = sandbox.arguments(
            for: command, tool: tool, programs: programs, extra: configuration.fontsDirectory.map { [$0] } ?? [],
            node: getpid())
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(500))
        ]
        return Subprocess.Configuration(
            executable: .path(FilePath(person)), arguments: Arguments(arguments), environment: Self.environment,
            workingDirectory: command.workingDirectory.map { FilePath($0) }, platformOptions: options)
    }

    /// Nothing of the node's own environment, which may hold secrets, but the home directory: fontconfig keeps the
    /// cache there without which every render would read all fonts anew.
    private static let environment = Subprocess.Environment.custom([
        "PATH": ToolPath.search.joined(separator: ":"),
        "HOME": ProcessInfo.processInfo.environment["HOME"] ?? "/",
        "LANG": "C.UTF-8",
    ])

    private static func bytes(_ buffer: SubprocessOutputSequence.Buffer) -> [UInt8] {
        // Sound: the bytes are copied before the pointer ends.
        unsafe buffer.withUnsafeBytes { pointer in unsafe Array(pointer) }
    }

    private static func tail(of sequence: SubprocessOutputSequence, _ bytesMax: Int) async -> String {
        var tail = ByteTail(bytesMax: bytesMax)
        do {
            for try await buffer in sequence { tail.append(bytes(buffer)) }
        } catch {
            // What a tool said last is a courtesy; its ending and its output decide. So a broken pipe only ends it.
            tail.append(Array("\n(standard error broke off)".utf8))
        }
        return tail.text
    }

    private func ending(_ status: TerminationStatus, _ limits: ToolLimits) -> ToolOutput.Ending {
        let (caughtSignal, cpuTimeUsedUp): (Int32, Int32) = (255, 24)
        switch status {
        // ffmpeg catches SIGXCPU and exits with its code for any signal; nobody else sends it one.
        case .exited(caughtSignal) where limits.cpuSeconds != nil: return .signalled(cpuTimeUsedUp)
        // How a shell, and bwrap, tell that a signal ended what they ran. No tool of ours exits so by itself.
        case .exited(let code) where (129..<193).contains(code): return .signalled(code - 128)
        case .exited(let code): return .exited(code: code)
        case .signaled(let signal): return .signalled(signal)
        }
    }

    private static func mediaError(_ error: any Error, command: ToolCommand) -> MediaError {
        // Cancellation shows as whatever broke first; the reader must not be told that the tool failed.
        if Task.isCancelled || error is CancellationError { return MediaError(.cancelled) }
        if let known = error as? MediaError { return known }
        let detail = "\(command.executable): \(error)"
        guard let failure = error as? SubprocessError else { return MediaError(.toolStartFailed, detail) }
        return switch failure.code {
        case .executableNotFound: MediaError(.toolMissing, detail)
        case .failedToChangeWorkingDirectory: MediaError(.fileUnreadable, detail)
        case .failedToReadFromSubprocess: MediaError(.toolKilled, detail)
        default: MediaError(.toolStartFailed, detail)
        }
    }
}
