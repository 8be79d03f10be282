import ClipModel
import Jobs
import Logging
import Store
import Synchronization

/// Whose key is it? Asks the book, as seldom as `KeyCache` lets it.
final class KeyDirectory: Sendable {
    /// Between two notes of which keys were used.
    static let noteSeconds = 60

    enum Trouble: Error, Equatable {
        case refused(KeyCache.Refusal)
        case blocked(seconds: Double)
    }

    /// Nil: no key is registered here.
    private let book: (any KeyBook)?
    private let cache = Mutex(KeyCache())
    private let clock: any Clock<Duration>
    private let now: @Sendable () -> Double
    private let logger: Logger

    init(_ book: (any KeyBook)?, clock: any Clock<Duration>, logger: Logger) {
        self.book = book
        self.clock = clock
        self.logger = logger
        now = stopwatch(clock)
    }

    /// Throws `Trouble`; or, when nothing is known of the key, what kept the database from answering.
    func holder(of text: String, from address: String) async throws -> KeyCache.Holder {
        guard let key = APIKey(text) else { throw Trouble.refused(.malformed) }
        let digest = key.sha256, askedAt = now()
        let holder: KeyCache.Holder
        switch cache.withLock({ $0.look(digest, from: address, now: askedAt) }) {
        case .holder(let known): holder = known
        case .refused(let refusal): throw Trouble.refused(refusal)
        case .blocked(let seconds): throw Trouble.blocked(seconds: seconds)
        case .away: throw StoreError(.unavailable, "did not answer a moment ago")
        case .ask(let fallback): holder = try await ask(digest, fallback, askedAt)
        }
        cache.withLock { $0.noteUse(of: holder.key) }
        return holder
    }

    private func ask(
        _ digest: String, _ fallback: KeyCache.Holder?, _ askedAt: Double
    ) async throws -> KeyCache.Holder {
        let found: RegisteredKey?
        do {
            found = try await book?.key(sha256: digest)
        } catch {
            // A request that was given up says nothing of the database.
            guard !(error is CancellationError) else { throw error }
            cache.withLock { $0.wentUnanswered(now: now()) }
            guard let fallback else { throw error }
            logger.debug("key taken for good while the database is away", metadata: ["key.id": "\(fallback.key)"])
            return fallback
        }
        switch cache.withLock({ $0.answered(digest, found, askedAt: askedAt) }) {
        case .success(let holder): return holder
        case .failure(let refusal): throw Trouble.refused(refusal)
        }
    }

    /// This address has shown more keys that are none than it may.
    func block(_ address: String, seconds: Int) {
        cache.withLock { $0.block(address, seconds: Double(seconds), now: now()) }
    }

    func blockedSeconds(_ address: String) -> Double? {
        cache.withLock { $0.blockedSeconds(address, now: now()) }
    }

    /// Writes down which keys were used, off the path of requests. Ends by cancellation only; what came since the last
    /// note is then not noted.
    func run() async {
        // The only error of a sleep is cancellation.
        while (try? await clock.sleep(for: .seconds(Self.noteSeconds))) != nil {
            let used = cache.withLock { $0.takeUsed() }
            guard let book, !used.isEmpty else { continue }
            do { try await book.touchKeys(used) } catch {
                // Those that are still used are noted the next time.
                logger.debug("uses of keys were not noted", metadata: ["error": "\(error)"])
            }
        }
    }
}
