/// Whether the peer of one connection is still there, and how far away.
///
/// TCP notices a silent peer after minutes; a caller should not wait that long. Any byte that arrives is a sign of
/// life, so a busy connection is pinged only for its round trip, and one ping is under way at a time. The round trip is
/// smoothed as TCP does (RFC 6298): a mean with gain 1/8, a deviation with gain 1/4.
package struct Keepalive: Hashable, Sendable {
    package struct Settings: Hashable, Sendable {
        /// Between two pings; 1 s.
        package var pingInterval: Duration
        /// Without a byte from the peer, while a ping is unanswered, until the connection is given up; 5 s, so that a
        /// black hole is seen within 6 s. A process that is stopped for less is not cut off.
        package var silenceMax: Duration

        package init(pingInterval: Duration = .seconds(1), silenceMax: Duration = .seconds(5)) {
            precondition(.zero < pingInterval && pingInterval < silenceMax, "\(pingInterval) and \(silenceMax)")
            self.pingInterval = pingInterval
            self.silenceMax = silenceMax
        }
    }

    package enum Action: Hashable, Sendable {
        /// Send a `ping` with this payload.
        case ping(UInt64)
        /// The peer is silent: close.
        case giveUp(silent: Duration)
        /// Nothing before this time.
        case wait(until: Duration)
    }

    package let settings: Settings
    /// The smoothed round trip; nil before the first answer.
    package private(set) var roundTrip: Duration?
    /// How much it varies.
    package private(set) var roundTripDeviation: Duration = .zero
    /// When the last byte arrived.
    package private(set) var lastHeard: Duration

    private struct Question: Hashable {
        let number: UInt64
        let asked: Duration
        /// From when on silence counts.
        var silenceFrom: Duration
        /// Whether the time to its answer says anything about the network.
        var isMeasured = true
    }

    private var nextPing: Duration
    private var nextNumber: UInt64 = 1
    private var question: Question?
    /// When the next tick should come.
    private var tickDue: Duration

    /// The handshake is through at `now`.
    package init(_ settings: Settings = Settings(), now: Duration) {
        self.settings = settings
        lastHeard = now
        nextPing = now
        tickDue = now
    }

    /// Bytes arrived, whichever.
    package mutating func heard(at now: Duration) { lastHeard = max(lastHeard, now) }

    /// An `ack` arrived: how long this one took. Nil for one that answers nothing of ours.
    package mutating func acknowledged(_ number: UInt64, at now: Duration) -> Duration? {
        heard(at: now)
        guard let question, question.number == number else { return nil }
        self.question = nil
        guard question.isMeasured else { return nil }
        let sample = max(.zero, now - question.asked)
        if let mean = roundTrip {
            let difference = sample > mean ? sample - mean : mean - sample
            roundTripDeviation = (roundTripDeviation * 3 + difference) / 4
            roundTrip = (mean * 7 + sample) / 8
        } else {
            roundTrip = sample
            roundTripDeviation = sample / 2
        }
        return sample
    }

    /// What to do at `now`; ask again at the time it names.
    package mutating func tick(at now: Duration) -> Action {
        let action = decide(at: now)
        if case .wait(let until) = action { tickDue = until } else { tickDue = now }
        return action
    }

    private mutating func decide(at now: Duration) -> Action {
        if var open = question {
            // Late by more than an interval: it was us who stood still, and the answer may lie unread in the socket.
            if now - tickDue > settings.pingInterval {
                open.silenceFrom = now
                open.isMeasured = false
                question = open
            }
            // Silence counts from our question: who was not asked need not have answered.
            let silentSince = max(lastHeard, open.silenceFrom)
            let end = silentSince + settings.silenceMax
            return now >= end ? .giveUp(silent: now - silentSince) : .wait(until: end)
        }
        guard now >= nextPing else { return .wait(until: nextPing) }
        let number = nextNumber
        nextNumber += 1
        nextPing = now + settings.pingInterval
        question = Question(number: number, asked: now, silenceFrom: now)
        return .ping(number)
    }
}

// MARK: - Bytes

extension Keepalive {
    /// The payload of a ping: eight bytes, which the ack repeats.
    package static func append(_ number: UInt64, to bytes: inout [UInt8]) { bytes.append(bigEndian: number) }

    package static func number(in payload: ArraySlice<UInt8>) throws(WireError) -> UInt64 {
        var reader = ByteReader(payload)
        let number = try reader.bigEndian(UInt64.self, "a ping")
        try reader.expectEnd("a ping")
        return number
    }
}
