import Logging
import Synchronization
import Testing

/// Keeps what is logged.
final class LogBook: Sendable {
    struct Line: Sendable {
        let isWarning: Bool
        let message: String
        let metadata: [String: String]
    }

    private let state = Mutex<[Line]>([])

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(book: self) }
        logger.logLevel = .debug
        return logger
    }

    var lines: [Line] { state.withLock { $0 } }

    /// The first refusal, past or to come.
    func refusal() async throws -> Line {
        try await soon("a refusal is logged") { lines.first { $0.message == "peer refused" } }
    }

    fileprivate func write(_ line: Line) { state.withLock { $0.append(line) } }
}

private struct Handler: LogHandler {
    let book: LogBook
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
        book.write(LogBook.Line(isWarning: event.level == .warning, message: "\(event.message)", metadata: metadata))
    }
}
