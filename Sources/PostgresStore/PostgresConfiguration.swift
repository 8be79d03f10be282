/// How to reach the server, and how long to wait for it.
///
/// | key | default | unit | the accident it prevents |
/// |---|---|---|---|
/// | `connectionsMax` | 6 | connections | a burst of requests uses up the server's slots |
/// | `waitersMax` | 512 | callers | a stalled server piles up callers until memory ends |
/// | `waitSecondsMax` | 5 | seconds | a caller waits for a free connection forever |
/// | `statementSecondsMax` | 10 | seconds | one statement holds locks that everybody needs |
/// | `migrationSecondsMax` | 600 | seconds | a start hangs on a migration that another node never finishes |
/// | `connectSecondsMax` | 5 | seconds | a start hangs on a host that swallows packets |
/// | `silenceSecondsMax` | 15 | seconds | a server that froze, or a cable that was cut, holds a thread forever |
/// | `attemptsMax` | 12 | attempts | retries never end; with the back-off it is about 15 s of patience |
/// | `backOffFirstSeconds`, `backOffSecondsMax` | 0.05, 2 | seconds | all nodes return in the same instant |
/// | `resultCacheBytesMax` | 33554432 | bytes | every look at a job reads all its results again |
package struct PostgresConfiguration: Sendable, Hashable {
    /// A libpq connection string or URI. Holds a secret: never logged.
    package var connection: String
    package var connectionsMax = 6
    package var waitersMax = 512
    package var waitSecondsMax = 5.0
    package var statementSecondsMax = 10.0
    package var migrationSecondsMax = 600.0
    package var connectSecondsMax = 5
    /// Must be longer than `statementSecondsMax`, so that the server's own limit speaks first.
    package var silenceSecondsMax = 15.0
    package var attemptsMax = 12
    package var backOffFirstSeconds = 0.05
    package var backOffSecondsMax = 2.0
    package var resultCacheBytesMax = 32 * 1024 * 1024
    /// Shown in `pg_stat_activity`.
    package var applicationName = "tijera"

    package init(connection: String) { self.connection = connection }
}
