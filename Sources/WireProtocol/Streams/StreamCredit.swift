/// The sending half of flow control: how many bytes of one stream the peer has room for.
package struct SendCredit: Hashable, Sendable {
    /// The most that may stand open; 2^31 - 1 bytes. More is a broken peer, not a large buffer.
    package static let bytesMax = Int(Int32.max)

    package private(set) var available: Int

    package init(_ window: Int) {
        precondition(0...Self.bytesMax ~= window, "a window of \(window) bytes")
        available = window
    }

    /// Bytes are sent. Asking for more than there is, is a mistake of ours.
    package mutating func spend(_ bytes: Int) {
        precondition(0...available ~= bytes, "\(bytes) bytes to send, credit for \(available)")
        available -= bytes
    }

    /// The peer's reader has taken so many.
    package mutating func grant(_ bytes: Int) throws(WireError) {
        guard bytes > 0, bytes <= Self.bytesMax - available else {
            throw WireError(.creditExceeded, "\(bytes) bytes of credit on top of \(available)")
        }
        available += bytes
    }
}

/// The receiving half: how many bytes of one stream may still arrive, and when to tell the peer that there is room.
///
/// arrived and not read + still allowed + read and not yet told = window, always.
package struct ReceiveWindow: Hashable, Sendable {
    package let windowBytes: Int
    /// What the peer may still send.
    package private(set) var allowed: Int
    /// Read here, not told to the peer.
    package private(set) var untold = 0

    package init(_ windowBytes: Int) {
        precondition(1...SendCredit.bytesMax ~= windowBytes, "a window of \(windowBytes) bytes")
        self.windowBytes = windowBytes
        allowed = windowBytes
    }

    /// Bytes arrived; more than were allowed ends the connection.
    package mutating func arrived(_ bytes: Int) throws(WireError) {
        guard bytes <= allowed else {
            throw WireError(.creditExceeded, "\(bytes) bytes of a stream, \(allowed) were allowed")
        }
        allowed -= bytes
    }

    /// The reader took bytes. The credit to send now: nothing until it is half a window, so that a reader of small
    /// pieces does not cost a frame for each.
    package mutating func read(_ bytes: Int) -> Int? {
        untold += bytes
        precondition(allowed + untold <= windowBytes, "\(bytes) bytes were read that never arrived")
        guard untold * 2 >= windowBytes else { return nil }
        defer { untold = 0 }
        allowed += untold
        return untold
    }
}
