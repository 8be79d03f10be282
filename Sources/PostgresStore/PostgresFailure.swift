import Store

/// Why a statement did not work, with what may be done about it.
struct PostgresFailure: Error, Hashable {
    enum Kind: Hashable {
        /// No connection, or it broke: a new one may work.
        case connectionLost
        /// Two transactions were in each other's way, or a row changed under us: the same again may work.
        case conflict
        /// A limit of time was hit.
        case timedOut
        /// The server said no, under this SQLSTATE.
        case refused(sqlState: String)
        /// The server holds what we cannot read.
        case corrupt
    }

    let kind: Kind
    let detail: String

    init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    /// What a SQLSTATE means to us. Source: PostgreSQL 15, appendix A.
    init(sqlState: String, message: String) {
        let detail = "\(message) (SQLSTATE \(sqlState))"
        switch sqlState {
        // serialization_failure, deadlock_detected
        case "40001", "40P01": self.init(.conflict, detail)
        // query_canceled (statement_timeout), lock_not_available (lock_timeout)
        case "57014", "55P03": self.init(.timedOut, detail)
        // admin_shutdown, crash_shutdown, cannot_connect_now, idle_in_transaction_session_timeout, idle session
        case "57P01", "57P02", "57P03", "25P03", "57P05": self.init(.connectionLost, detail)
        // read_only_sql_transaction: the server was demoted, a new connection finds the new primary
        case "25006": self.init(.connectionLost, detail)
        // too_many_connections, out_of_memory: another time may work
        case "53300", "53200": self.init(.connectionLost, detail)
        case let state where state.hasPrefix("08"): self.init(.connectionLost, detail)
        default: self.init(.refused(sqlState: sqlState), detail)
        }
    }

    var mayWorkAgain: Bool { kind == .connectionLost || kind == .conflict }

    func sqlState(is state: String) -> Bool { kind == .refused(sqlState: state) }

    /// What callers of the port see.
    var storeError: StoreError {
        switch kind {
        case .connectionLost: StoreError(.unavailable, detail)
        case .conflict: StoreError(.unavailable, "gave up after many conflicts: \(detail)")
        case .timedOut: StoreError(.timedOut, detail)
        case .refused: StoreError(.refused, detail)
        case .corrupt: StoreError(.corrupt, detail)
        }
    }
}

/// Reads rows outside a transaction, so that callers see a `StoreError`.
func storeErrors<Value>(_ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let failure as PostgresFailure {
        throw failure.storeError
    }
}
