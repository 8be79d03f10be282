import ClipModel
import Foundation
import SystemPackage

/// One life of a speech worker: reads orders, works, reports.
struct SpeechSession: ~Copyable {
    /// A sign of life at least this often while the model computes, so that a hang can be told from hard work.
    private static let reportSeconds = 0.5

    private let inbox: Inbox
    private let output: FileDescriptor
    private var languages = LanguageMemory()

    init(input: FileDescriptor, output: FileDescriptor) {
        inbox = Inbox(input)
        self.output = output
    }

    /// Until standard input ends.
    mutating func run(_ model: borrowing WhisperModel) throws -> SpeechWorker.Ending {
        try report(.ready)
        while let order = try inbox.next() {
            // A `cancel` out here crossed the answer on its way.
            guard case .transcribe(let id, let request, let threads) = order else { continue }
            try report(answer(id, request, threads: threads, model: model))
        }
        return .finished
    }

    private mutating func answer(
        _ id: Int, _ request: TranscriptionRequest, threads: Int, model: borrowing WhisperModel
    ) -> SpeechReport {
        let (inbox, output) = (inbox, output)
        let pulse = Pulse(everySeconds: Self.reportSeconds)
        let interruption = Interruption {
            if let fraction = pulse.due() { try? Self.write(.progress(id: id, fraction: fraction), to: output) }
            return inbox.isStopWanted(for: id)
        }
        do {
            let chunk = try ChunkRecogniser().transcribe(
                request, threads: max(1, threads), model: model, languages: &languages, interruption: interruption
            ) { fraction in
                pulse.fraction = min(1, max(0, fraction))
            }
            return .transcribed(id: id, chunk: chunk)
        } catch {
            return .failed(id: id, code: error.code.rawValue, detail: error.detail)
        }
    }

    private func report(_ report: SpeechReport) throws { try Self.write(report, to: output) }

    private static func write(_ report: SpeechReport, to output: FileDescriptor) throws {
        try output.writeAll(SpeechFrame.bytes(of: report))
    }
}

/// How far the work is, and when that was last told.
private final class Pulse {
    var fraction = 0.0
    private let interval: Duration
    private var last: ContinuousClock.Instant

    init(everySeconds seconds: Double) {
        interval = .seconds(seconds)
        last = ContinuousClock.now
    }

    /// The fraction, when it is time to tell it again.
    func due() -> Double? {
        let now = ContinuousClock.now
        guard now - last >= interval else { return nil }
        last = now
        return fraction
    }
}

/// The orders on standard input: waited for between requests, peeked at during one.
private final class Inbox {
    private let input: FileDescriptor
    private var frames = SpeechFrame.Reader()
    private var waiting: [SpeechOrder] = []
    private var hasEnded = false

    init(_ input: FileDescriptor) { self.input = input }

    /// The next order; nil when there will be none.
    func next() throws -> SpeechOrder? {
        while waiting.isEmpty, !hasEnded { try readOnce() }
        return waiting.isEmpty ? nil : waiting.removeFirst()
    }

    /// Whether `id` was cancelled, or the node is gone. Never waits.
    func isStopWanted(for id: Int) -> Bool {
        do {
            while !hasEnded, hasInput { try readOnce() }
        } catch {
            // Frames without rhythm: nothing sensible can follow. `next` sees the same end.
            hasEnded = true
        }
        return hasEnded || waiting.contains(.cancel(id: id))
    }

    private var hasInput: Bool {
        var question = pollfd(fd: input.rawValue, events: Int16(POLLIN), revents: 0)
        // Sound: one structure, and the count says so. Zero milliseconds: it answers at once.
        return unsafe poll(&question, 1, 0) > 0
    }

    private func readOnce() throws {
        let bytes = try unsafe [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, filled in
            // Sound: reads at most the capacity that was asked for.
            filled = try unsafe input.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
        if bytes.isEmpty { hasEnded = true }
        for body in try frames.take(bytes) { waiting.append(try SpeechFrame.decode(SpeechOrder.self, from: body)) }
    }
}
