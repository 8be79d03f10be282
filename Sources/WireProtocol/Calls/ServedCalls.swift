/// The calls of one peer that run here. `Token` is whatever can be cancelled, usually a task.
///
/// A call counts from `accept` to `finished`, also when it was cancelled in between: work that does not stop when it is
/// told to still uses this node, and a peer that calls and cancels in a loop must run into the limit.
package struct ServedCalls<Token> {
    private var numbers: ServedNumbers
    /// By place.
    private var tokens: [Token?] = []

    package init(inFlightMax: Int) { numbers = ServedNumbers(inFlightMax: inFlightMax) }

    package var inFlightMax: Int { numbers.inFlightMax }

    /// Calls that run, cancelled ones included.
    package var inFlight: Int { numbers.inFlight }

    /// Call `id` arrived.
    package mutating func accept(_ id: UInt32) -> ServedNumbers.Acceptance { numbers.accept(id) }

    /// What cancels call `id` exists now. False when it was cancelled meanwhile, or is over: the caller of this cancels
    /// the token itself, for nobody else will.
    package mutating func started(_ id: UInt32, _ token: Token) -> Bool {
        guard let place = numbers.runningPlace(id) else { return false }
        while tokens.count <= place { tokens.append(nil) }
        tokens[place] = token
        return true
    }

    /// The peer no longer waits for call `id`: what to cancel, if it runs and has said so.
    ///
    /// An unknown number is no error: the reply and the cancel crossed on the way.
    package mutating func cancel(_ id: UInt32) -> Token? {
        guard let place = numbers.cancel(id) else { return nil }
        return take(place)
    }

    /// Call `id` has ended. Whether the reply is to be sent: nobody waits for that of a cancelled call.
    package mutating func finished(_ id: UInt32) -> Bool {
        guard let (place, wasRunning) = numbers.finished(id) else { return false }
        if place < tokens.count { tokens[place] = nil }
        return wasRunning
    }

    /// The connection is gone: everything that is to be cancelled. Calls still leave by `finished`, which answers that
    /// nothing is to be sent.
    package mutating func connectionLost() -> [Token] { numbers.cancelAll().compactMap { take($0) } }

    private mutating func take(_ place: Int) -> Token? {
        guard place < tokens.count else { return nil }
        var token: Token?
        swap(&token, &tokens[place])
        return token
    }
}

/// The numbers of the calls of one peer that run here; `ServedCalls` adds what cancels them. It is not generic for the
/// same reason as `CallNumbers`.
package struct ServedNumbers: Sendable {
    /// What to do with a call that arrived.
    package enum Acceptance: Hashable, Sendable {
        case run
        /// As many as allowed are running: answer `busy`.
        case busy
        /// A call of this number is running. The peer's table is broken; the connection is to be ended.
        case duplicate
    }

    /// Running. Exits: `finished` (a reply is sent), `cancel` (to cancelled), the connection.
    /// Cancelled: no reply is awaited. Exit: `finished` (nothing is sent).
    private struct Call {
        let place: Int
        var isRunning = true
    }

    package let inFlightMax: Int
    private var calls: [UInt32: Call] = [:]
    /// Places that were used and are free, the last freed first.
    private var free: [Int] = []

    package init(inFlightMax: Int) {
        precondition(inFlightMax > 0, "\(inFlightMax) calls in flight")
        self.inFlightMax = inFlightMax
    }

    package var inFlight: Int { calls.count }

    package mutating func accept(_ id: UInt32) -> Acceptance {
        if calls[id] != nil { return .duplicate }
        if calls.count >= inFlightMax { return .busy }
        // Places are dense: without a free one, those in use are the first ones.
        calls[id] = Call(place: free.popLast() ?? calls.count)
        return .run
    }

    /// The place of call `id`, below `inFlightMax`, while it runs and was not cancelled.
    package func runningPlace(_ id: UInt32) -> Int? {
        guard let call = calls[id], call.isRunning else { return nil }
        return call.place
    }

    /// The place of a call that ran until now.
    package mutating func cancel(_ id: UInt32) -> Int? {
        guard let place = runningPlace(id) else { return nil }
        calls[id]?.isRunning = false
        return place
    }

    package mutating func finished(_ id: UInt32) -> (place: Int, wasRunning: Bool)? {
        guard let call = calls.removeValue(forKey: id) else { return nil }
        free.append(call.place)
        return (call.place, call.isRunning)
    }

    /// The places of all calls that ran until now.
    package mutating func cancelAll() -> [Int] {
        calls.keys.sorted().compactMap { cancel($0) }
    }
}
