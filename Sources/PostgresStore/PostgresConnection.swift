import CLibpq
import Glibc

/// One connection to the server. Owns libpq's handle and closes it. Blocks, so it lives on a `Lane`.
///
/// Statements go out in pipelines: what is enqueued travels with the next query or with `commit`, so a transaction
/// costs as many round trips as it asks questions, plus one.
@safe struct PostgresConnection: ~Copyable {
    /// Where the transaction stands. `none` -> `open` (`begin`) -> `committing` (`commit`) -> `none`; any -> `none` by
    /// roll-back.
    enum Transaction: Equatable {
        case none
        /// `xid` is known once something was sent.
        case open(xid: String?)
        /// `COMMIT` is on its way. When the connection breaks now, only `pg_xact_status` knows what became of it.
        case committing(xid: String)
    }

    private static let knowsLives = Statement(
        unprepared: "select to_regprocedure('server_life()') is not null as is_there")
    private static let life = Statement(unprepared: "select server_life() as id")
    private static let begin = Statement(unprepared: "begin")
    private static let current = Statement("current_transaction", "select pg_current_xact_id()::text as xid")

    private let handle: OpaquePointer
    /// For how long the server may say nothing before it counts as gone.
    var silenceMilliseconds: Int32
    private var prepared: Set<String> = []
    private var pending: [Call] = []
    private(set) var transaction = Transaction.none
    private(set) var isBroken = false
    /// Changes when the server crashes (`m0005_server_life`). Nil is nobody's: nothing that happened in it is known.
    private(set) var serverLife: String?

    /// Connects, and sets the limits of the session.
    static func open(_ configuration: PostgresConfiguration) throws -> PostgresConnection {
        let silenceMilliseconds = Int32(configuration.silenceSecondsMax * 1000)
        var connection = unsafe PostgresConnection(
            owning: try connect(configuration), silenceMilliseconds: silenceMilliseconds)
        // In the session and not in the start-up packet: connection poolers refuse start-up options. Plans are kept,
        // and one that was made while a table was nearly empty would read all of it for ever: each lookup has an index.
        let milliseconds = Int(configuration.statementSecondsMax * 1000)
        try connection.execute(
            """
            set statement_timeout = \(milliseconds); set lock_timeout = \(milliseconds);
            set idle_in_transaction_session_timeout = \(milliseconds); set timezone = 'UTC'; set jit = off;
            set enable_seqscan = off; set client_min_messages = warning
            """)
        try connection.learnServerLife()
        return connection
    }

    /// Before the first migration there is nothing to learn; whoever migrates does it again.
    mutating func learnServerLife() throws {
        guard try query(Self.knowsLives.with()).first?.bool("is_there") == true else { return }
        serverLife = try query(Self.life.with()).first?.text("id")
    }

    @unsafe private init(owning handle: OpaquePointer, silenceMilliseconds: Int32) {
        unsafe self.handle = unsafe handle
        self.silenceMilliseconds = silenceMilliseconds
    }

    // Sound: `handle` came from libpq, is ours alone, and is not used after this.
    deinit { unsafe PQfinish(handle) }

    private static func connect(_ configuration: PostgresConfiguration) throws -> OpaquePointer {
        // Later keywords win, so what the operator wrote into the connection string is stronger than our defaults.
        let settings: [(String, String)] = [
            ("connect_timeout", String(configuration.connectSecondsMax)), ("client_encoding", "UTF8"),
            ("fallback_application_name", configuration.applicationName), ("keepalives", "1"),
            ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", String(Int(configuration.silenceSecondsMax * 1000))),
            ("target_session_attrs", "read-write"), ("dbname", configuration.connection),
        ]
        let keywords = CStrings(settings.map(\.0)), values = CStrings(settings.map(\.1))
        // Sound: both arrays end with a null pointer and outlive the call; libpq copies what it keeps.
        let handle = unsafe keywords.withPointers { keywords in
            unsafe values.withPointers { values in unsafe PQconnectdbParams(keywords, values, 1) }
        }
        guard let handle = unsafe handle else { throw PostgresFailure(.connectionLost, "out of memory") }
        guard unsafe PQstatus(handle) == CONNECTION_OK else {
            defer { unsafe PQfinish(handle) }
            throw PostgresFailure(.connectionLost, unsafe message(of: handle))
        }
        // Notices go to standard error by default, where nobody expects them.
        unsafe PQsetNoticeReceiver(handle, { _, _ in }, nil)
        return unsafe handle
    }

    // MARK: Statements

    /// Sends what is pending together with `call`, and answers with the rows of `call`.
    mutating func query(_ call: Call) throws -> Rows { try queries([call])[0] }

    /// Sends what is pending together with `calls`, and answers with the rows of each of `calls`.
    mutating func queries(_ calls: [Call]) throws -> [Rows] { Array(try flush(adding: calls).suffix(calls.count)) }

    /// Sends it with the next query or with `commit`.
    mutating func enqueue(_ call: Call) { pending.append(call) }

    /// Several statements at once and without parameters: for migrations and settings.
    mutating func execute(_ sql: String) throws {
        // Sound: the handle is open, and libpq does not keep the string.
        guard unsafe PQsendQuery(handle, sql) == 1 else { throw lost() }
        var failure: PostgresFailure?
        while let result = try nextResult() {
            if failure == nil { failure = result.failure }
        }
        if let failure { throw noted(failure) }
    }

    // MARK: Transactions

    /// Opens a transaction. Nothing is sent yet.
    mutating func beginTransaction() {
        precondition(transaction == .none, "a transaction is open already")
        transaction = .open(xid: nil)
        pending = [Self.begin.with(), Self.current.with()]
    }

    /// Sends what is pending, and `COMMIT`.
    mutating func commit() throws {
        // The number must be known before `COMMIT` leaves: afterwards there may be nobody left to ask but by it.
        if transaction == .open(xid: nil) { _ = try flush(adding: []) }
        guard case .open(let xid?) = transaction else { preconditionFailure("no transaction to commit") }
        transaction = .committing(xid: xid)
        _ = try flush(adding: [Statement(unprepared: "commit").with()])
        transaction = .none
    }

    /// Rolls back when a transaction is open, on our side or on the server's.
    mutating func rollBackIfOpen() throws {
        pending = []
        transaction = .none
        // Sound: reads a field of an open handle.
        switch unsafe PQtransactionStatus(handle) {
        case PQTRANS_IDLE: return
        case PQTRANS_INTRANS, PQTRANS_INERROR: try execute("rollback")
        default: throw lost()
        }
    }

    private mutating func flush(adding calls: [Call]) throws -> [Rows] {
        let batch = pending + calls
        pending = []
        guard !batch.isEmpty else { return [] }
        let rows = try pipeline(batch)
        if transaction == .open(xid: nil), rows.count > 1 {
            guard let xid = try rows[1].first?.optional("xid") else { throw lost() }
            transaction = .open(xid: xid)
        }
        return rows
    }

    private mutating func pipeline(_ batch: [Call]) throws -> [Rows] {
        // Sound: the handle is open; pipeline mode is left again below, or the connection is dropped.
        guard unsafe PQenterPipelineMode(handle) == 1 else { throw lost() }
        var expected: [String?] = []
        var preparing = prepared
        for call in batch {
            if let name = call.statement.name, preparing.insert(name).inserted {
                // Sound: libpq copies name and text before it returns.
                guard unsafe PQsendPrepare(handle, name, call.statement.sql, 0, nil) == 1 else { throw lost() }
                expected.append(name)
            }
            try send(call)
            expected.append(nil)
        }
        // Sound: as above.
        guard unsafe PQpipelineSync(handle) == 1 else { throw lost() }
        let rows = try collect(expected)
        guard unsafe PQexitPipelineMode(handle) == 1 else { throw lost() }
        return rows
    }

    private mutating func send(_ call: Call) throws {
        let values = CStrings(call.parameters)
        let count = Int32(call.parameters.count)
        // Sound: the pointers are valid during the call, and libpq copies what they point at.
        let sent = unsafe values.withPointers { values in
            if let name = call.statement.name {
                unsafe PQsendQueryPrepared(handle, name, count, values, nil, nil, 0)
            } else {
                unsafe PQsendQueryParams(handle, call.statement.sql, count, nil, values, nil, nil, 0)
            }
        }
        guard sent == 1 else { throw lost() }
    }

    /// Reads one result for every element of `expected` (a name: the result of preparing it) and the final mark.
    private mutating func collect(_ expected: [String?]) throws -> [Rows] {
        var rows: [Rows] = []
        var failure: PostgresFailure?
        for name in expected {
            while let result = try nextResult() {
                if let trouble = result.failure {
                    if failure == nil { failure = trouble }
                } else if let name {
                    prepared.insert(name)
                } else {
                    rows.append(result.rows)
                }
            }
        }
        _ = try nextResult()
        if let failure { throw noted(failure) }
        guard rows.count == expected.count(where: { $0 == nil }) else { throw lost() }
        return rows
    }

    /// Waits for the next result, but not for a server that stays silent.
    private mutating func nextResult() throws -> PostgresResult? {
        // Sound, here and below: the handle is open, and each result is owned by the value that wraps it.
        while unsafe PQisBusy(handle) == 1 {
            guard try waitForInput(milliseconds: silenceMilliseconds, orBell: nil) else {
                isBroken = true
                throw PostgresFailure(.connectionLost, "the server said nothing for \(silenceMilliseconds / 1000) s")
            }
        }
        guard let result = unsafe PQgetResult(handle) else { return nil }
        let wrapped = unsafe PostgresResult(result)
        if unsafe PQstatus(handle) == CONNECTION_BAD { throw noted(wrapped.failure ?? lost()) }
        return wrapped
    }

    // MARK: Notifications

    /// Waits until the server sends something, `bell` rings or the time is over, and answers with what was notified.
    mutating func notifications(waitingMilliseconds: Int32, orBell bell: Int32) throws -> [String] {
        let waiting = arrived()
        guard waiting.isEmpty else { return waiting }
        _ = try waitForInput(milliseconds: waitingMilliseconds, orBell: bell)
        return arrived()
    }

    private func arrived() -> [String] {
        var payloads: [String] = []
        // Sound: libpq hands over each notification; it is freed after its text is copied.
        while let notification = unsafe PQnotifies(handle) {
            unsafe payloads.append(String(cString: notification.pointee.extra))
            unsafe PQfreemem(notification)
        }
        return payloads
    }

    /// False when nothing came in time.
    private mutating func waitForInput(milliseconds: Int32, orBell bell: Int32?) throws -> Bool {
        // Sound: reads the number of an open handle's socket.
        let socket = unsafe PQsocket(handle)
        guard socket >= 0 else { throw lost() }
        var watched = [pollfd(fd: socket, events: Int16(POLLIN), revents: 0)]
        if let bell { watched.append(pollfd(fd: bell, events: Int16(POLLIN), revents: 0)) }
        // Sound: the array outlives the call and its length is passed along.
        let ready = unsafe poll(&watched, nfds_t(watched.count), milliseconds)
        guard ready > 0 || errno == EINTR || ready == 0 else { throw lost() }
        guard watched[0].revents != 0 else { return ready > 0 }
        // Sound: the handle is open.
        guard unsafe PQconsumeInput(handle) == 1 else { throw lost() }
        return true
    }

    // MARK: Failures

    /// The connection is of no use any more, for the reason libpq gives.
    private mutating func lost() -> PostgresFailure {
        isBroken = true
        // Sound: the handle is open.
        return PostgresFailure(.connectionLost, unsafe Self.message(of: handle))
    }

    private mutating func noted(_ failure: PostgresFailure) -> PostgresFailure {
        // Sound: the handle is open.
        let isBad = unsafe PQstatus(handle) == CONNECTION_BAD
        guard isBad || failure.kind == .connectionLost else { return failure }
        isBroken = true
        return PostgresFailure(.connectionLost, failure.detail)
    }

    private static func message(of handle: OpaquePointer) -> String {
        // Sound: libpq answers with a string that lives as long as the handle; it is copied here.
        let text = unsafe String(cString: PQerrorMessage(handle))
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

/// Strings in the form C wants them: pointers to bytes that end with zero, the last pointer null.
private struct CStrings {
    private let bytes: [UInt8]
    private let starts: [Int?]

    init(_ strings: [String?]) {
        var bytes: [UInt8] = []
        starts = strings.map { string in
            guard let string else { return nil }
            defer {
                bytes.append(contentsOf: string.utf8)
                bytes.append(0)
            }
            return bytes.count
        }
        self.bytes = bytes
    }

    func withPointers<Value>(_ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Value) -> Value {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { bytes in
                // Sound: every start lies inside `bytes`, whose memory is pinned during `body`.
                var pointers: [UnsafePointer<CChar>?] = unsafe starts.map { start in
                    unsafe start.flatMap { start in unsafe bytes.baseAddress.map { base in unsafe base + start } }
                }
                unsafe pointers.append(nil)
                return unsafe pointers.withUnsafeBufferPointer { pointers in
                    guard let base = pointers.baseAddress else {
                        preconditionFailure("an array of at least one is empty")
                    }
                    return unsafe body(base)
                }
            }
        }
    }
}
