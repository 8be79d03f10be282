import Foundation
import Subprocess
import SystemPackage

/// One speech worker as a child process: its pipes, its limits, its end.
///
/// As every child of a node it is started through `setpriv --pdeathsig KILL` and `prlimit`, in a process group of its
/// own, with a minimal environment: the kernel ends it when the node dies, and when it takes more than its memory.
struct SpeechProcess {
    enum Command: Sendable {
        case send([UInt8])
        /// End of standard input: the worker finishes and goes.
        case close
        case kill
    }

    /// Commands that may wait: a request costs at most four, and an order is smaller than a pipe's buffer, so none of
    /// them blocks behind a worker that does not read.
    static let commandsMax = 64
    private static let lastWordsBytesMax = 4 << 10

    let configuration: SpeechConfiguration

    /// Runs until the process has ended. `commands` must be finished by `outputEnded`. Between `born` and `dead` the
    /// number that they are told is the process's own; at `dead` it was killed or has exited and is not reaped yet.
    func run(
        _ commands: AsyncStream<Command>, born: @escaping @Sendable (pid_t) async -> Void,
        report: @escaping @Sendable (SpeechReport) async -> Void, outputEnded: @escaping @Sendable () -> Void,
        dead: @escaping @Sendable () async -> Void
    ) async -> (SpeechSchedule.Ending, lastWords: String) {
        do {
            let setup = try subprocessConfiguration()
            let bytesMax = configuration.frameBytesMax
            let result = try await Subprocess.run(setup, input: .inputWriter, output: .sequence, error: .sequence) {
                child in
                await born(child.processIdentifier.value)
                async let words = Self.tail(of: child.standardError)
                async let defect = Self.listen(to: child.standardOutput, bytesMax: bytesMax, report, outputEnded)
                for await command in commands {
                    switch command {
                    // A write fails when the process is gone; then its output has ended too, which says it better.
                    case .send(let bytes): _ = try? await child.standardInputWriter.write(bytes)
                    case .close: try? await child.standardInputWriter.finish()
                    case .kill: try? child.send(signal: .kill, toProcessGroup: true)
                    }
                }
                let reason = await defect
                // Whatever closed its output or spoke nonsense is of no more use. One that is exiting anyway keeps its
                // exit code; one that is gone already makes this fail.
                try? child.send(signal: .kill, toProcessGroup: true)
                let lastWords = await words
                await dead()
                return [reason, lastWords].compactMap { $0 }.joined(separator: " | ")
            }
            return (Self.ending(result.terminationStatus), result.closureResult)
        } catch let error as MediaError {
            outputEnded()
            return (.notStarted(error), error.detail)
        } catch {
            outputEnded()
            return (.notStarted(MediaError(.toolStartFailed, "speech worker: \(error)")), "")
        }
    }

    /// Reads frames until the output ends or stops making sense; then says what was wrong.
    @concurrent
    private static func listen(
        to output: SubprocessOutputSequence, bytesMax: Int, _ report: @Sendable (SpeechReport) async -> Void,
        _ outputEnded: @Sendable () -> Void
    ) async -> String? {
        defer { outputEnded() }
        var frames = SpeechFrame.Reader(bytesMax: bytesMax)
        do {
            for try await buffer in output {
                // Sound: the bytes are copied before the pointer ends.
                let bytes = unsafe buffer.withUnsafeBytes { unsafe Array($0) }
                for body in try frames.take(bytes) {
                    await report(try SpeechFrame.decode(SpeechReport.self, from: body))
                }
            }
            return nil
        } catch {
            return "\(error)"
        }
    }

    @concurrent
    private static func tail(of sequence: SubprocessOutputSequence) async -> String {
        var tail: [UInt8] = []
        do {
            for try await buffer in sequence {
                // Sound: the bytes are copied before the pointer ends.
                tail += unsafe buffer.withUnsafeBytes { unsafe Array($0) }
                tail.removeFirst(max(0, tail.count - lastWordsBytesMax))
            }
        } catch {
            // What a worker said last is a courtesy for the log; its ending decides.
        }
        return String(decoding: tail, as: UTF8.self)
    }

    private func subprocessConfiguration() throws(MediaError) -> Subprocess.Configuration {
        let worker = try ToolPath.resolve(configuration.executablePath, package: "tijera")
        let guardian = try ToolPath.resolve("setpriv", package: "util-linux")
        let limiter = try ToolPath.resolve("prlimit", package: "util-linux")
        var arguments = ["--pdeathsig", "KILL", "--no-new-privs", "--", limiter, "--core=0"]
        arguments += ["--as=\(memoryBytesMax)", "--", worker]
        arguments += configuration.leadingArguments + ["--model", configuration.modelPath]
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(500))
        ]
        return Subprocess.Configuration(
            executable: .path(FilePath(guardian)), arguments: Arguments(arguments),
            environment: .custom(["PATH": ToolPath.search.joined(separator: ":"), "LANG": "C.UTF-8"]),
            platformOptions: options)
    }

    /// The configured limit, or what the model needs if that is more: its weights are read in whole, and the work takes
    /// address space beside them.
    private var memoryBytesMax: Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: configuration.modelPath)
        let modelBytes = attributes?[.size] as? Int ?? 0
        return max(configuration.childMemoryBytesMax, 2 * modelBytes + 2 << 30)
    }

    private static func ending(_ status: TerminationStatus) -> SpeechSchedule.Ending {
        switch status {
        case .exited(let code): .exited(code)
        case .signaled(let signal): .signalled(signal)
        }
    }
}
