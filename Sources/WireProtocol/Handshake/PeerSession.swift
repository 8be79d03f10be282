/// What both sides of a connection know after the handshake, and the two halves that turn it into frames.
package struct PeerSession: Sendable {
    package let peer: PeerLife
    package let lane: LaneNumber
    /// Whether we opened the connection. Streams of the dialler have odd numbers, those of the accepter even ones.
    package let isDialler: Bool
    /// What the peer says it runs, for people.
    package let release: String
    package let calls: NegotiatedCalls
    /// What the peer takes from us.
    package let allowance: PeerAllowance
    package let writer: FrameWriter
    /// Go on with this one: it may hold frames that came together with the end of the handshake.
    package var decoder: FrameDecoder
}
