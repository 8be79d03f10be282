/// A lane is a connection of its own, so that bulk bytes never stand before a heartbeat.
///
/// One TCP connection delivers in order: a gossip message behind four megabytes of video waits for all of them. Three
/// connections per peer cost two more handshakes and end that wait.
package enum Lane: UInt8, Sendable, Codable, CaseIterable {
    /// Gossip and keepalive: a few hundred bytes that must never wait.
    case control = 1
    /// Calls and their replies.
    case call = 2
    /// Streams of bytes.
    case bulk = 3
}

/// Bytes to and from one peer, in order or not at all.
///
/// An adapter (TLS; the simulated network) makes them; it knows nothing of frames.
package protocol PeerConnection: AnyObject, Sendable {
    /// Names from the peer's verified certificate (SAN), e.g. node names. Never empty: a connection without a verified
    /// identity does not exist.
    var certifiedNames: [String] { get }

    /// When that certificate ends, in seconds since 1970; nil where there are no certificates.
    var certificateEnd: Int? { get }

    /// Where the peer is, for logs.
    var remoteAddress: String { get }

    /// Queues bytes; never blocks; the writes of one turn leave together.
    ///
    /// Returns false when the connection is closed or `outboundBytesMax` are waiting: nothing of `bytes` was queued
    /// then, and the caller waits in `drained()`.
    func send(_ bytes: [UInt8]) -> Bool

    /// Waits until at most half of `outboundBytesMax` is waiting; throws when closed or cancelled.
    func drained() async throws

    /// The next bytes, everything that has arrived, at least one byte; nil when the peer closed.
    ///
    /// Backpressure: the adapter stops reading while more than `inboundBytesMax` wait here. One reader.
    func receive() async throws -> [UInt8]?

    /// Closes at once; safe to repeat. Pending bytes are flushed first when `flush` is true.
    func close(flush: Bool)
}

/// Makes connections to peers, and takes theirs.
package protocol PeerTransport: Sendable {
    /// Opens a connection; throws `PeerConnectError`.
    func connect(host: String, port: Int) async throws -> any PeerConnection

    /// Serves until cancelled.
    ///
    /// `accepted` runs as a child task of this call, one for each connection (bounded by the adapter's
    /// `connectionsMax`).
    func serve(_ accepted: @escaping @Sendable (any PeerConnection) async -> Void) async throws
}

/// Why a connection could not be opened. Membership weighs the cases differently: a refusal comes from a machine that
/// runs and a process that does not, silence may be a slow network.
package enum PeerConnectError: Error, Hashable, Sendable {
    /// The machine answered that nobody listens.
    case refused
    /// Nobody answered within the time limit.
    case timedOut
    /// Somebody answered and one side said no: a certificate of another authority, expired or denied.
    case rejected(reason: String)
    /// The name does not resolve, no route, no descriptor left.
    case unreachable(detail: String)
}
