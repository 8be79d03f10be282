import ClipModel
import Foundation
import Logging
import Media
import Synchronization
import TestSupport
import Testing

/// The pool against children that behave badly. They are shell scripts that speak the protocol as far as they mean to;
/// the directory they get as their "model" is where they remember earlier lives.
@Suite(.timeLimit(.minutes(2))) struct SpeechPoolTests {
    private static let prelude = #"""
        #!/bin/sh
        lives="$2/lives"
        echo $$ >> "$lives"
        frame() {
            n=${#1}
            bytes="$((n >> 24 & 255)) $((n >> 16 & 255)) $((n >> 8 & 255)) $((n & 255))"
            printf "$(printf '\\%03o\\%03o\\%03o\\%03o' $bytes)"
            printf %s "$1"
        }
        ready() { frame '{"ready":{}}'; }
        order() { dd bs=1 count=1 > /dev/null 2>&1; }
        life() { wc -l < "$lives"; }
        answer() {
            frame '{"progress":{"fraction":0.5,"id":1}}'
            chunk='{"language":"es","languageProbability":1,"retriedWindows":0,"words":[]}'
            frame '{"transcribed":{"chunk":'"$chunk"',"id":1}}'
        }

        """#

    private let request = TranscriptionRequest(pcmPath: "/nowhere.wav", chunk: TimeRange(start: 0, end: 1))

    /// Works for some tenths of a second and notes what the shell has taken in all.
    private static let work = #"""
        spin() {
            i=0
            while [ $i -lt 300000 ]; do i=$((i+1)); done
            times >> "$lives.spent"
        }

        """#

    /// What came of one request to children that run `script`, the process ids they had, and the progress seen.
    private func ask(
        _ script: String, configure: (inout SpeechConfiguration) -> Void = { _ in },
        then body: (SpeechPool, URL) async throws -> Void = { _, _ in }
    ) async throws -> (result: Result<TranscribedChunk, MediaError>, lives: [Int32]) {
        try await withPool(script, configure: configure) { pool, directory in
            let result: Result<TranscribedChunk, MediaError>
            do throws(MediaError) {
                result = .success(try await pool.transcribe(request, threads: 1) { _ in })
            } catch {
                result = .failure(error)
            }
            try await body(pool, directory)
            return (result, try lives(directory))
        }
    }

    private func withPool<R: Sendable>(
        _ script: String, configure: (inout SpeechConfiguration) -> Void = { _ in },
        _ body: (SpeechPool, URL) async throws -> R
    ) async throws -> R {
        try await SpeechSamples.withDirectory { directory in
            let child = directory.appending(path: "child")
            try Script.write(Self.prelude + script, to: child.path)
            var configuration = SpeechConfiguration(
                executablePath: child.path, leadingArguments: [], modelPath: directory.path)
            (configuration.backOffSecondsMin, configuration.backOffSecondsMax) = (0.01, 0.02)
            configure(&configuration)
            let pool = SpeechPool(
                configuration: configuration, clock: ContinuousClock(), logger: Logger(label: "test"))
            let result = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await pool.run() }
                let result = try await body(pool, directory)
                group.cancelAll()
                return result
            }
            for life in try lives(directory) { #expect(kill(life, 0) != 0, "child \(life) outlived its pool") }
            return result
        }
    }

    /// Looks again and again; the suite's time limit ends it when it never comes true.
    private func untilNobodyLives(in pool: SpeechPool) async throws {
        while await pool.liveChildren > 0 { try await ContinuousClock().sleep(for: .milliseconds(20)) }
    }

    private func lives(_ directory: URL) throws -> [Int32] {
        let file = directory.appending(path: "lives")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { Int32($0) }
    }

    @Test func `a child that works is used again`() async throws {
        let (result, lives) = try await ask("ready; order; answer; cat > /dev/null")
        #expect(try result.get().language == "es")
        #expect(lives.count == 1)
    }

    @Test func `a request takes what its workers took for it, and not what they took before`() async throws {
        let script = Self.work + "spin; ready; order; spin; if [ $(life) = 1 ]; then kill -KILL $$; fi; answer; cat"
        try await withPool(script + " > /dev/null") { pool, directory in
            let effort = EffortMeter()
            _ = try await pool.transcribe(request, threads: 1, effort: effort) { _ in }
            let notes = try String(contentsOf: directory.appending(path: "lives.spent"), encoding: .utf8)
            // Of every note the first line is the shell's own time, user and system, in minutes and seconds.
            let lines = notes.split(separator: "\n")
            try #require(lines.count == 8)
            let spent = stride(from: 0, to: 8, by: 2).map { index in
                lines[index].split(separator: " ").reduce(0.0) { $0 + (Double($1.dropFirst(2).dropLast()) ?? 0) }
            }
            let told = (spent[1] - spent[0]) + (spent[3] - spent[2])
            // A tick of user and of system time for each note, and what it takes to read an order and to answer: more
            // on a slow machine, where the work takes longer as well. What was before is as much as was told.
            #expect(told > 0.1 && abs(effort.total.cpuSeconds - told) < max(0.15, told / 2))
            #expect((effort.total.memoryPeakBytes ?? 0) > 0)
        }
    }

    @Test func `a worker that lives is a sign of life, though its fraction does not move`() async throws {
        let script = #"""
            ready; order
            for _ in 1 2 3 4 5 6 7 8 9; do frame '{"progress":{"fraction":0.75,"id":1}}'; done
            answer; cat > /dev/null
            """#
        try await withPool(script) { pool, _ in
            let effort = EffortMeter()
            let told = Mutex<[Double]>([])
            _ = try await pool.transcribe(request, threads: 1, effort: effort) { fraction in
                told.withLock { $0.append(fraction) }
            }
            #expect(told.withLock { $0 }.count <= 1)
            // Each frame, the one before the answer included. What it took is one more.
            #expect(effort.signs.chunksRead >= 10)
        }
    }

    @Test(arguments: ["kill -SEGV $$", "kill -KILL $$", "exit 1", "exec 1>&-; sleep 60"])
    func `a crash costs one more try`(crash: String) async throws {
        let (result, lives) = try await ask(
            "ready; order; if [ $(life) = 1 ]; then \(crash); fi; answer; cat > /dev/null")
        #expect(try result.get().language == "es")
        #expect(lives.count == 2)
    }

    @Test func `two crashes are a transient failure`() async throws {
        let (result, lives) = try await ask("ready; order; kill -SEGV $$")
        #expect(throws: MediaError.self) { try result.get() }
        guard case .failure(let error) = result else { return }
        #expect(error.code == .speechWorkerLost && error.failure.class == .transient)
        #expect(lives.count == 2)
    }

    @Test func `a child that hangs is killed and the request tried again`() async throws {
        let (result, lives) = try await ask(
            "ready; order; if [ $(life) = 1 ]; then sleep 60; fi; answer; cat > /dev/null"
        ) {
            // The second child must not be taken for a hanging one on a busy machine, where a shell needs seconds.
            $0.silentSecondsMax = 5
        }
        #expect(try result.get().language == "es")
        #expect(lives.count == 2)
    }

    @Test(arguments: [
        #"printf 'what is this?'; sleep 60"#,
        #"printf '\177\377\377\377'; sleep 60"#,
        #"frame 'not json'; sleep 60"#,
        #"head -c 100000 /dev/urandom; sleep 60"#,
    ])
    func `a child that speaks nonsense is killed, and after three the caller is told`(nonsense: String) async throws {
        let (result, lives) = try await ask(nonsense)
        guard case .failure(let error) = result else {
            Issue.record("answered by a child that speaks nonsense")
            return
        }
        #expect(error.code == .speechWorkerLost)
        #expect(lives.count == 3)
    }

    @Test func `a child that never becomes ready is killed`() async throws {
        // Long enough for each child to note its life before it is killed.
        let (result, lives) = try await ask("sleep 60") { $0.startSecondsMax = 3 }
        #expect(throws: MediaError.self) { try result.get() }
        #expect(lives.count == 3)
    }

    @Test func `a missing model is not tried again`() async throws {
        let (result, lives) = try await ask("exit 3")
        guard case .failure(let error) = result else { return }
        #expect(error.code == .speechModelMissing && error.failure.class == .resource)
        #expect(lives.count == 1)
    }

    @Test func `an executable that is not there is a failure with a reason`() async throws {
        let (result, _) = try await ask("") { $0.executablePath = "/nonexistent/tijera" }
        guard case .failure(let error) = result else { return }
        #expect(error.code == .toolMissing)
    }

    @Test func `a cancelled caller is back at once, and the child is gone soon after`() async throws {
        let deaf = #"ready; order; frame '{"progress":{"fraction":0.5,"id":1}}'; sleep 60"#
        try await withPool(deaf) { pool, _ in
            let (signs, sign) = AsyncStream<Double>.makeStream(bufferingPolicy: .bufferingNewest(1))
            let request = request
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: MediaError(.cancelled)) {
                        try await pool.transcribe(request, threads: 1) { sign.yield($0) }
                    }
                }
                for await _ in signs { break }
                group.cancelAll()
            }
            try await untilNobodyLives(in: pool)
        }
    }

    @Test func `an idle child is let go`() async throws {
        _ = try await ask("ready; order; answer; cat > /dev/null") {
            $0.idleSecondsMax = 0.1
        } then: { pool, _ in
            try await untilNobodyLives(in: pool)
        }
    }

    @Test func `a node that stops answers those who wait`() async throws {
        let pool = SpeechPool(
            configuration: SpeechConfiguration(executablePath: "/bin/false", modelPath: "/none"),
            clock: ContinuousClock(), logger: Logger(label: "test"))
        let request = request
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            group.cancelAll()
        }
        await #expect(throws: MediaError.self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await pool.transcribe(request, threads: 1) { _ in } }
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }
}
