/// What a frame is for. The number is on the wire (docs/protocol.md).
package enum FrameKind: UInt8, Hashable, Sendable, CaseIterable {
    /// Who I am and what I speak; the first frame both ways.
    case hello = 1
    /// The names of all my call targets; only when the hashes in the hellos differ.
    case callList = 2
    /// Why I am going to close.
    case goAway = 3
    /// Answer with `ack` and the same bytes.
    case ping = 4
    case ack = 5
    /// A membership message, opaque here.
    case gossip = 6
    case call = 16
    case reply = 17
    /// The caller no longer waits.
    case cancel = 18
    case streamOpen = 32
    case streamData = 33
    /// The reader has room for so many bytes more.
    case streamCredit = 34
    /// The stream is broken off, both ways.
    case streamClose = 35

    /// These two are laid out the same in every version, for they are sent before a version is agreed on or because
    /// none can be. Their frames say version 0.
    package var isFrozen: Bool { self == .hello || self == .goAway }

    /// Kinds that are about one call or stream carry its number; all others carry 0.
    package var hasStreamID: Bool { rawValue >= 16 }

    /// The flags that have a meaning for this kind, besides `mustUnderstand`.
    package var knownFlags: FrameFlags { self == .streamData ? .end : [] }
}

extension Lane {
    /// Whether frames of this kind belong on the lane once the handshake is through. Bulk never shares a connection
    /// with what must not wait, so it is refused there rather than trusted to stay away.
    package func carries(_ kind: FrameKind) -> Bool {
        switch kind {
        case .hello, .callList: false
        case .goAway, .ping, .ack: true
        case .gossip: self == .control
        case .call, .reply, .cancel: self == .call
        case .streamOpen, .streamData, .streamCredit, .streamClose: self == .bulk
        }
    }
}

/// Sixteen bits. Those without a meaning must be zero, so that they can get one.
package struct FrameFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Of `streamData`: nothing follows in this direction.
    package static let end = FrameFlags(rawValue: 0x0001)
    /// A receiver that does not know the kind ends the connection instead of skipping the frame.
    package static let mustUnderstand = FrameFlags(rawValue: 0x8000)
}

/// One message of a connection.
package struct Frame: Hashable, Sendable {
    /// Bytes before the payload, the length field included.
    package static let headerBytes = 12
    /// Bytes of the header that the length field counts.
    static let countedHeaderBytes = 8

    package let kind: FrameKind
    package let flags: FrameFlags
    /// The number of the call or stream; 0 for kinds that have none.
    package let streamID: UInt32
    /// A slice of what arrived: nothing was copied.
    package let payload: ArraySlice<UInt8>
    /// The bytes that `payload` keeps in memory. Who holds on to a small payload of a large read copies it first.
    package let retainedBytes: Int

    package init(
        _ kind: FrameKind, flags: FrameFlags = [], streamID: UInt32 = 0, payload: ArraySlice<UInt8> = [],
        retainedBytes: Int? = nil
    ) {
        self.kind = kind
        self.flags = flags
        self.streamID = streamID
        self.payload = payload
        self.retainedBytes = retainedBytes ?? payload.count
    }

    package static func == (one: Frame, other: Frame) -> Bool {
        one.kind == other.kind && one.flags == other.flags && one.streamID == other.streamID
            && one.payload == other.payload
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(flags)
        hasher.combine(streamID)
        hasher.combine(payload)
    }
}
