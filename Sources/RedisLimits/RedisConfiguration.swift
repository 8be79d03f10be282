/// How Redis is talked to.
///
/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `patience` | duration | 50 ms | every request waits for a Redis that hangs |
/// | `connectPatience` | duration | 1 s | a dead network is waited for; also how long a hanging connection is kept |
/// | `pause`, `pauseMax` | duration | 100 ms, 5 s | nodes knock without end at a Redis that is down, all at once |
/// | `waitingMax` | checks | 10,000 | answers that cannot come in time fill the memory |
/// | `stallsInRowMax` | overdue answers | 10 | a Redis that is always too slow is asked for ever and decides nothing |
/// | `authoritiesPath` | file | the system's | a Redis whose CA is your own is not trusted |
package struct RedisConfiguration: Hashable, Sendable {
    package var address: RedisAddress
    /// Stands before every key: two clusters may share a Redis.
    package var prefix: String
    package var patience: Duration
    package var connectPatience: Duration
    package var pause = Duration.milliseconds(100)
    package var pauseMax = Duration.seconds(5)
    package var waitingMax = 10_000
    package var stallsInRowMax = 10
    package var authoritiesPath: String?

    package init(
        address: RedisAddress, prefix: String, patience: Duration = .milliseconds(50),
        connectPatience: Duration = .seconds(1), authoritiesPath: String? = nil
    ) {
        precondition(patience > .zero && connectPatience >= patience, "\(patience), \(connectPatience)")
        self.address = address
        self.prefix = prefix
        self.patience = patience
        self.connectPatience = connectPatience
        self.authoritiesPath = authoritiesPath
    }
}

/// How long to wait before Redis is looked for again: decorrelated jitter, as for S3 (`S3Retry`), so that nodes which
/// one outage hit do not come back together. A connection that stood for `pauseMax` makes the next pause short again;
/// one that breaks at once does not.
struct RedisPace: Hashable, Sendable {
    private let shortest: Duration
    private let longest: Duration
    private var last: Duration

    init(_ configuration: RedisConfiguration) {
        shortest = configuration.pause
        longest = configuration.pauseMax
        last = configuration.pause
    }

    /// A try ended; the connection, if there was one, stood for `stood`. `chance` in 0..<1.
    mutating func next(stood: Duration, chance: Double) -> Duration {
        if stood >= longest { last = shortest }
        let pause = shortest + (min(longest, last * 3) - shortest) * chance
        last = max(pause, shortest)
        return pause
    }
}
