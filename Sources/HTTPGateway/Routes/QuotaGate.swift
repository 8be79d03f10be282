import HTTPTypes
import Hummingbird
import Jobs
import Logging
import Store
import Synchronization
import Telemetry

/// Turns the videos of clients away whose minutes are used up, before a byte of the body is read. What decides is the
/// store when the job comes; this saves a client from sending for an hour what nobody will look at.
struct QuotaGate: Sendable {
    /// For so long a client whose minutes are used up may still send videos, and one who was given more waits.
    static let ageSecondsMax = 5.0
    static let entriesMax = 10_000

    private struct Entry: Sendable {
        let usage: ClientUsage
        let readAt: Double
    }

    private let jobs: JobService
    private let elapsed: @Sendable () -> Double
    private let refused: Counters?
    private let known: Shared

    /// A class, so that all routes see the same.
    private final class Shared: Sendable {
        let table = Mutex(RecentTable<String, Entry>(entriesMax: QuotaGate.entriesMax))
    }

    /// - Parameter elapsed: seconds on a clock that never goes back.
    init(jobs: JobService, registry: MetricRegistry?, elapsed: @escaping @Sendable () -> Double) {
        self.jobs = jobs
        self.elapsed = elapsed
        known = Shared()
        refused = registry?.counters(
            .counter(
                "http_quota_refused_total",
                help: "Requests of clients whose minutes of video are used up, by what they asked for.",
                labels: ["asked"]))
    }

    /// What the client of this request has used, as the store has it now.
    func usage(of tenant: String) async throws -> ClientUsage {
        try await jobs.store.usage(of: tenant, minutesMax: jobs.minutesMax)
    }

    /// Throws when the client of `request` may send no video.
    func admitVideo(_ request: Request, _ context: GatewayContext) async throws {
        let tenant = request.client(context)
        guard let usage = await recent(tenant, context),
            case .quotaExhausted(let used, let most, let resetsAt)? = SubmitOutcome(refusing: usage)
        else { return }
        refused?["video"].count()
        // The body, gigabytes perhaps, is of no use to anybody.
        throw Problem.quotaExhausted(used, most, resetsAt, closesConnection: request.hasBody)
    }

    /// A job was taken in or refused: what was known of its client is out of date.
    func forget(_ tenant: String) { known.table.withLock { $0[tenant] = nil } }

    func countRefusedJob() { refused?["job"].count() }

    /// Nil: it cannot be found out just now. Nobody is refused for that; the store is asked again for the job.
    private func recent(_ tenant: String, _ context: GatewayContext) async -> ClientUsage? {
        let start = elapsed()
        if let entry = known.table.withLock({ $0[tenant] }), start - entry.readAt < Self.ageSecondsMax {
            return entry.usage
        }
        do {
            let usage = try await usage(of: tenant)
            known.table.withLock { $0[tenant] = Entry(usage: usage, readAt: start) }
            return usage
        } catch {
            context.logger.debug("a client's usage cannot be read", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
