/// What one connection may cost. The peer is told the ones it has to keep (`PeerAllowance`); none is trusted to.
package struct WireLimits: Hashable, Sendable {
    /// Bytes of a frame after its length field; 1 MiB. Checked before anything is allocated: a length of four random
    /// bytes asks for two gigabytes on average.
    package var frameBytesMax = 1 << 20

    /// Bytes of a frame before the handshake is through; 16 KiB. A stranger cannot make a node hold more than this.
    package var helloBytesMax = 16 << 10

    /// Bytes of the frame that lists call targets; 256 KiB, some 2,500 mangled names.
    package var callListBytesMax = 256 << 10

    /// From the first byte to the end of the handshake; 5 s. A peer that says nothing would hold a connection for ever.
    package var handshakeTimeLimit = Duration.seconds(5)

    /// Calls of one peer that run here at a time; 1,024. The next is answered `busy`: a queue that nobody sees grows
    /// until every call in it is too late.
    package var callsInFlightMax = 1024

    /// Streams of one peer that are open at a time; 64. Times `streamWindowBytes` this is the memory of a connection
    /// whose readers have all stalled.
    package var streamsMax = 64

    /// Bytes of a stream that may wait for its reader; 1 MiB. A stalled reader costs this much and no more. It also
    /// bounds throughput: window / round trip, so 1 MiB carries 1 GB/s at 1 ms and 20 MB/s at 50 ms.
    package var streamWindowBytes = 1 << 20

    /// Bytes of a stream in one frame; 64 KiB. Streams take turns by this much.
    package var streamChunkBytesMax = 64 << 10

    /// Bytes a writer may queue before it waits; 256 KiB per stream. Enough to fill several chunks ahead of the socket.
    package var streamOutboundBytesMax = 256 << 10

    package init() {}

    package static let standard = WireLimits()
}

/// The limits a peer announces in its hello: what we may send it.
package struct PeerAllowance: Hashable, Sendable {
    package var frameBytesMax: Int
    package var callsInFlightMax: Int
    package var streamsMax: Int
    package var streamWindowBytes: Int

    package init(frameBytesMax: Int, callsInFlightMax: Int, streamsMax: Int, streamWindowBytes: Int) {
        self.frameBytesMax = frameBytesMax
        self.callsInFlightMax = callsInFlightMax
        self.streamsMax = streamsMax
        self.streamWindowBytes = streamWindowBytes
    }

    /// What a node with these limits announces.
    package init(_ limits: WireLimits) {
        self.init(
            frameBytesMax: limits.frameBytesMax, callsInFlightMax: limits.callsInFlightMax,
            streamsMax: limits.streamsMax, streamWindowBytes: limits.streamWindowBytes)
    }
}
