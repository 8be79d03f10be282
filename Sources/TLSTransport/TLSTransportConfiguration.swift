/// How a node listens to its peers, calls them, and how much it lets them take.
///
/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `host`, `port` | address, port | 0.0.0.0, 7946 | |
/// | `eventLoopThreads` | threads | 1 | encryption takes the cores that calls and stages need |
/// | `connectLimit` | duration | 3 s | a host that swallows packets holds a dial for two minutes |
/// | `handshakeLimit` | duration | 5 s | a stranger who sends one byte a minute (slow loris) holds a slot for ever |
/// | `closeLimit` | duration | 2 s | a peer that stopped reading holds a connection that wants to end |
/// | `outboundBytesMax` | bytes | 4194304 | a peer that stopped reading fills our memory |
/// | `inboundBytesMax` | bytes | 1048576 | a reader that stopped lets its peer fill our memory |
/// | `flushBytesMax` | bytes | 262144 | one bulk write keeps a heartbeat waiting behind its encryption |
/// | `socketReadBytesMax` | bytes | 131072 | a system call for every few kilobytes; memory when larger |
/// | `connectionsMax` | connections | 1024 | descriptors and memory run out |
/// | `connectionsPerAddressMax` | connections | 256 | one broken host takes every slot |
/// | `handshakesMax` | connections | 128 | strangers without a certificate keep members out |
/// | `backlog` | connections | 512 | a rack that comes back at once is refused by the kernel |
/// | `acceptPause` | duration | 1 s | with no descriptor left, accepting spins on a full core |
/// | `keepAliveIdle`, `keepAliveInterval` | durations | 10 s, 3 s | a cable cut under a quiet connection |
/// | `keepAliveProbesMax` | probes | 3 | a cable that was cut under a quiet connection is never noticed |
/// | `unacknowledgedLimit` | duration | 10 s | the kernel retries into a black hole for a quarter of an hour |
/// | `reloadInterval` | duration | 10 s | a new certificate waits for a restart, and the old one ends |
/// | `fileBytesMax` | bytes | 1048576 | a wrong path is read into memory |
/// | `deniedMax` | entries | 10000 | a deny list slows every handshake |
/// | `namesMax` | names | 32 | a certificate with thousands of names makes every log line and check long |
package struct TLSTransportConfiguration: Sendable, Hashable {
    package var host = "0.0.0.0"
    /// 0 lets the kernel choose: `TLSTransport.listen()` answers which.
    package var port = 7946
    /// Used when no event loops are given. With two cores one is right: a second thread takes a core from the callers.
    package var eventLoopThreads = 1
    package var connectLimit: Duration = .seconds(3)
    package var handshakeLimit: Duration = .seconds(5)
    /// For what is queued, and the other side's goodbye.
    package var closeLimit: Duration = .seconds(2)
    /// Counted before encryption. One `send` may overshoot, because it is taken or refused as a whole; the socket holds
    /// up to `flushBytesMax` more.
    package var outboundBytesMax = 4 << 20
    /// Reading stops above this; what had been read by then (`socketReadBytesMax`, four times) still comes.
    package var inboundBytesMax = 1 << 20
    package var flushBytesMax = 256 << 10
    package var socketReadBytesMax = 128 << 10
    /// Accepted ones, handshaking or served. Dialled ones are the caller's to bound.
    package var connectionsMax = 1024
    package var connectionsPerAddressMax = 256
    package var handshakesMax = 128
    package var backlog = 512
    package var acceptPause: Duration = .seconds(1)
    package var keepAliveIdle: Duration = .seconds(10)
    package var keepAliveInterval: Duration = .seconds(3)
    package var keepAliveProbesMax = 3
    /// `TCP_USER_TIMEOUT` (RFC 5482). Longer than the membership takes to declare a silent peer, so that it speaks
    /// first.
    package var unacknowledgedLimit: Duration = .seconds(10)
    package var reloadInterval: Duration = .seconds(10)
    package var fileBytesMax = 1 << 20
    package var deniedMax = 10_000
    package var namesMax = 32

    package init() {}

    /// Limits short enough for tests on loopback, on a port of the kernel's choice.
    package static var test: TLSTransportConfiguration {
        var configuration = TLSTransportConfiguration()
        configuration.host = "127.0.0.1"
        configuration.port = 0
        configuration.handshakeLimit = .seconds(2)
        configuration.closeLimit = .milliseconds(500)
        configuration.acceptPause = .milliseconds(50)
        return configuration
    }

    func check() {
        precondition(eventLoopThreads > 0, "eventLoopThreads is \(eventLoopThreads)")
        precondition(
            connectLimit > .zero && handshakeLimit > .zero && closeLimit > .zero && acceptPause > .zero
                && reloadInterval > .zero, "a limit in time must be positive")
        precondition(
            outboundBytesMax > 0 && inboundBytesMax > 0 && flushBytesMax > 0 && socketReadBytesMax >= 1024,
            "a limit in bytes must be positive")
        precondition(
            connectionsMax > 0 && connectionsPerAddressMax > 0 && handshakesMax > 0 && backlog > 0,
            "a limit of connections must be positive")
        precondition(fileBytesMax > 0 && deniedMax > 0 && namesMax > 0, "a limit of a file must be positive")
    }
}
