package import Logging
import Synchronization

/// Asks clamd every few seconds whether it is there, so that operators hear of it before clients do.
package final class ClamdWatch: Sendable {
    package enum State: Hashable, Sendable {
        /// Not asked yet.
        case unknown
        case answers(version: String)
        case away(reason: String)
    }

    package static let interval = Duration.seconds(10)

    private let clamd: Clamd
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let seen = Mutex(State.unknown)

    package init(_ clamd: Clamd, clock: any Clock<Duration>, logger: Logger) {
        self.clamd = clamd
        self.clock = clock
        self.logger = logger
    }

    package var state: State { seen.withLock { $0 } }

    /// Ends by cancellation only.
    package func run() async {
        while !Task.isCancelled {
            await look()
            // Ends early only by cancellation, which the loop sees.
            try? await clock.sleep(for: Self.interval)
        }
    }

    package func look() async {
        let now: State
        do { now = .answers(version: try await clamd.version()) } catch {
            if Task.isCancelled { return }
            now = .away(reason: "\(error)")
        }
        let before = seen.withLock { seen in
            defer { seen = now }
            return seen
        }
        guard now != before else { return }
        switch now {
        case .answers(let version):
            logger.notice("virus scanner answers", metadata: ["antivirus.version": "\(version)"])
        case .away(let reason): logger.warning("virus scanner does not answer", metadata: ["reason": "\(reason)"])
        case .unknown: break
        }
    }
}
