import Logging
import Store
import Synchronization

/// Runs transactions on the pool, and again where that is safe.
///
/// A transaction that failed before its `COMMIT` left is repeated after a lost connection or a conflict. When the
/// connection breaks while `COMMIT` is on its way, the server is asked what became of the transaction, by its number:
/// only if it was rolled back is it repeated. Source: PostgreSQL 15, 9.27, `pg_xact_status`. A server that crashed in
/// that moment may have given a lost number to another transaction, so its word that it was committed proves nothing:
/// then `wasCommitted` looks for the traces of the transaction. Without it the transaction is repeated, so such a body
/// has to bear that its first run took effect.
final class Database: Sendable {
    /// What shall become of a transaction whose body ran to its end.
    enum Verdict<Value: Sendable>: Sendable {
        case commit(Value)
        case rollBack(Value)
    }

    private enum Attempt<Value: Sendable>: Sendable {
        case ended(Value)
        case unknown(Value, xid: String, serverLife: String?)
    }

    private enum Fate { case committed, rolledBack, unknowable }

    private static let fate = Statement(
        "transaction_fate",
        """
        select pg_xact_status($1::xid8) as status,
            coalesce((select id from server_life) = $2::text, false) as is_same_life
        """)

    let configuration: PostgresConfiguration
    private let pool: LanePool
    private let clock: any Clock<Duration>
    private let random: Mutex<any RandomNumberGenerator & Sendable>
    private let logger: Logger

    init(
        _ configuration: PostgresConfiguration, clock: any Clock<Duration>,
        random: any RandomNumberGenerator & Sendable, logger: Logger
    ) {
        self.configuration = configuration
        pool = LanePool(configuration, clock: clock)
        self.clock = clock
        self.random = Mutex(random)
        self.logger = logger
    }

    func close() async { await pool.close() }

    /// Statements that may be repeated blindly: those that only read, or that write the same again.
    func read<Value: Sendable>(
        attemptsMax: Int? = nil, _ body: @escaping @Sendable (inout PostgresConnection) throws -> Value
    ) async throws -> Value {
        var pauses = Pauses(self, attemptsMax: attemptsMax ?? configuration.attemptsMax)
        while true {
            do {
                return try await pool.withLane { try await $0.use(body) }
            } catch let failure as PostgresFailure {
                try await pauses.after(failure)
            }
        }
    }

    /// One transaction. `body` may run more than once; only one run of it takes effect. `attempt` counts from 1.
    func write<Value: Sendable>(
        wasCommitted: (@Sendable (_ connection: inout PostgresConnection, Value) throws -> Bool)? = nil,
        _ body: @escaping @Sendable (_ connection: inout PostgresConnection, _ attempt: Int) throws -> Verdict<Value>
    ) async throws -> Value {
        var pauses = Pauses(self, attemptsMax: configuration.attemptsMax)
        while true {
            do {
                let attempt = pauses.attempt
                switch try await pool.withLane({ try await $0.use { try Self.attempt(on: &$0, attempt, body) } }) {
                case .ended(let value): return value
                case .unknown(let value, let xid, let serverLife):
                    switch try await fate(of: xid, serverLife) {
                    case .committed: return value
                    case .unknowable:
                        if let wasCommitted, try await read({ try wasCommitted(&$0, value) }) { return value }
                    case .rolledBack: break
                    }
                    try await pauses.after(PostgresFailure(.connectionLost, "the connection broke during COMMIT"))
                }
            } catch let failure as PostgresFailure {
                try await pauses.after(failure)
            }
        }
    }

    private static func attempt<Value: Sendable>(
        on connection: inout PostgresConnection, _ number: Int,
        _ body: (inout PostgresConnection, Int) throws -> Verdict<Value>
    ) throws -> Attempt<Value> {
        connection.beginTransaction()
        switch try body(&connection, number) {
        case .rollBack(let value): return .ended(value)
        case .commit(let value):
            do {
                try connection.commit()
                return .ended(value)
            } catch {
                guard connection.isBroken, case .committing(let xid) = connection.transaction else { throw error }
                return .unknown(value, xid: xid, serverLife: connection.serverLife)
            }
        }
    }

    private func fate(of xid: String, _ serverLife: String?) async throws -> Fate {
        var pauses = Pauses(self, attemptsMax: configuration.attemptsMax)
        while true {
            let status: String?
            let isSameLife: Bool
            do {
                (status, isSameLife) = try await pool.withLane { lane in
                    try await lane.use { connection in
                        guard let row = try connection.query(Self.fate.with(xid, serverLife)).first else {
                            throw PostgresFailure(.corrupt, "asking for a transaction's fate answered nothing")
                        }
                        return (try row.optional("status"), try row.bool("is_same_life"))
                    }
                }
            } catch let failure as PostgresFailure where failure.sqlState(is: "22023") {
                // "Transaction ID is in the future": the server restarted, or another took over, without it.
                return .rolledBack
            } catch let failure as PostgresFailure {
                try await pauses.after(failure)
                continue
            }
            logger.notice("commit looked up", metadata: ["xid": "\(xid)", "status": "\(status ?? "forgotten")"])
            switch status {
            case "committed": return isSameLife ? .committed : .unknowable
            case "aborted": return .rolledBack
            case "in progress":
                // The server has not noticed yet that we are gone.
                try await pauses.after(PostgresFailure(.conflict, "the outcome of transaction \(xid) is still open"))
            default: throw StoreError(.unavailable, "the server forgot what became of transaction \(xid)")
            }
        }
    }

    /// Counts attempts and waits between them.
    private struct Pauses {
        private let database: Database
        private let attemptsMax: Int
        private var backOff: BackOff
        private(set) var attempt = 1

        init(_ database: Database, attemptsMax: Int) {
            self.database = database
            self.attemptsMax = attemptsMax
            backOff = database.backOff()
        }

        /// Waits, or throws when waiting is of no use.
        mutating func after(_ failure: PostgresFailure) async throws {
            guard failure.mayWorkAgain, attempt < attemptsMax else { throw failure.storeError }
            database.logger.debug("store retries", metadata: ["attempt": "\(attempt)", "reason": "\(failure.detail)"])
            attempt += 1
            try await database.pause(&backOff)
        }
    }

    func backOff() -> BackOff {
        BackOff(firstSeconds: configuration.backOffFirstSeconds, secondsMax: configuration.backOffSecondsMax)
    }

    func pause(_ backOff: inout BackOff) async throws {
        let seconds = random.withLock { backOff.next(using: &$0) }
        try await clock.sleep(for: .seconds(seconds))
    }
}
