/// The calls that we made on one connection and that are not answered yet. `Token` is whatever waits for the answer.
///
/// A call leaves the table exactly once: by its reply, by `cancel`, by its deadline, or with the connection. Whoever
/// takes it out resumes the token; everybody later gets nil. So a caller is answered at most once, whatever arrives.
package struct CallTable<Token> {
    /// A call that is waiting.
    package struct Pending {
        package let id: UInt32
        package let token: Token
    }

    private var numbers: CallNumbers
    /// By slot.
    private var tokens: [Token?] = []

    /// `inFlightMax` is what the peer allows (`PeerAllowance.callsInFlightMax`): it would answer `busy` to more.
    package init(inFlightMax: Int) { numbers = CallNumbers(inFlightMax: inFlightMax) }

    package var inFlightMax: Int { numbers.inFlightMax }
    package var inFlight: Int { numbers.inFlight }
    /// Deadlines that are kept, those of answered calls included.
    package var deadlineEntries: Int { numbers.deadlineEntries }

    /// The number for a new call, or nil when as many as the peer takes are under way (or the connection is lost): the
    /// caller is told `busy` here, without a round trip.
    package mutating func register(_ token: Token, deadline: Duration? = nil) -> UInt32? {
        guard let id = numbers.register(deadline: deadline) else { return nil }
        let slot = CallNumbers.slot(id)
        if slot == tokens.count { tokens.append(token) } else { tokens[slot] = token }
        return id
    }

    /// The reply to call `id` arrived: who waits for it, or nil when nobody does any more.
    package mutating func replied(_ id: UInt32) -> Token? { numbers.end(id) ? take(id) : nil }

    /// The caller gave up: whom to resume. The peer is to be told (`cancel`) exactly when this is not nil.
    package mutating func cancel(_ id: UInt32) -> Token? { numbers.end(id) ? take(id) : nil }

    /// A call whose deadline has come; ask until nil. The peer is told to cancel.
    package mutating func nextExpired(at now: Duration) -> Pending? {
        guard let id = numbers.endExpired(at: now), let token = take(id) else { return nil }
        return Pending(id: id, token: token)
    }

    /// When to ask `nextExpired` again.
    package mutating func nextDeadline() -> Duration? { numbers.nextDeadline() }

    /// The connection is gone. None of the calls will be answered and any of them may have run: their outcome is
    /// unknown. Nothing can be registered afterwards.
    package mutating func connectionLost() -> [Pending] {
        let lost = numbers.connectionLost().compactMap { id in
            tokens[CallNumbers.slot(id)].map { Pending(id: id, token: $0) }
        }
        tokens = []
        return lost
    }

    /// Whether call `id` still waits.
    package func isWaiting(_ id: UInt32) -> Bool { numbers.isWaiting(id) }

    private mutating func take(_ id: UInt32) -> Token? {
        var token: Token?
        swap(&token, &tokens[CallNumbers.slot(id)])
        return token
    }
}
