/// How likely things go wrong between nodes and the model of PostgreSQL.
package struct Weather: Sendable, Hashable {
    /// Share of the calls that meet trouble of a kind drawn from `Trouble`.
    package var trouble = 0.0
    package var signalsLost = 0.0
    package var signalsRepeated = 0.0
    package var signalsLate = 0.0
    /// How late a signal may come.
    package var signalDelayMax = Duration.seconds(2)

    package init() {}

    package static let calm = Weather()

    package static func stormy(_ trouble: Double) -> Weather {
        var weather = Weather()
        weather.trouble = trouble
        (weather.signalsLost, weather.signalsRepeated, weather.signalsLate) = (0.3, 0.1, 0.2)
        return weather
    }
}

/// What may become of one call. The limits are those of `PostgresConfiguration`, so that callers wait for as long as
/// they do in production.
package enum Trouble: Int, Sendable, Hashable, CaseIterable {
    /// Nothing came of it, and the caller is told at once that there is no connection.
    case unavailable
    /// Nothing came of it: all connections were busy for as long as the pool waits.
    case poolExhausted
    /// Nothing came of it: the server took too long.
    case timedOut
    /// The server crashed with a `COMMIT` on its way and has forgotten the transaction.
    case commitForgotten
    /// It was committed, and the connection died before the answer.
    case answerLost
    /// The caller was told that there is no connection; the server carries the statement out later.
    case effectAfterError
    /// It waited on its way to the server.
    case late
    /// It was committed, and the answer came late: what became of the `COMMIT` had to be looked up.
    case answerLate
    /// It was committed, that was not known, and it was carried out once more.
    case twice
}
