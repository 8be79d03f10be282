/// Appends frames to a buffer that leaves in one write.
///
/// The payload is written in place, behind a header whose length is filled in afterwards: a call is encoded once, into
/// the bytes that go to the socket.
package struct FrameWriter: Hashable, Sendable {
    /// The version the handshake agreed on.
    package let version: UInt8
    /// What the peer accepts, and never more than what we would.
    package let frameBytesMax: Int

    package init(version: UInt8, frameBytesMax: Int) {
        precondition(frameBytesMax >= Frame.countedHeaderBytes, "a frame of \(frameBytesMax) bytes holds no header")
        self.version = version
        self.frameBytesMax = frameBytesMax
    }

    /// Bytes that fit into one payload.
    package var payloadBytesMax: Int { frameBytesMax - Frame.countedHeaderBytes }

    /// Appends a frame whose payload `body` appends. On an error the buffer is as it was: a refused call leaves nothing
    /// of itself between its neighbours.
    package func append(
        _ kind: FrameKind, flags: FrameFlags = [], streamID: UInt32 = 0, to buffer: inout [UInt8],
        _ body: (inout [UInt8]) throws -> Void
    ) throws {
        let start = begin(kind, flags: flags, streamID: streamID, in: &buffer)
        do {
            try body(&buffer)
            try end(start, in: &buffer)
        } catch {
            buffer.removeLast(buffer.count - start)
            throw error
        }
    }

    /// Appends a whole frame.
    package func append(_ frame: Frame, to buffer: inout [UInt8]) throws(WireError) {
        let start = begin(frame.kind, flags: frame.flags, streamID: frame.streamID, in: &buffer)
        do {
            // Checked before the copy: a payload too large is not copied to find that out.
            try check(frame.payload.count)
            buffer.append(contentsOf: frame.payload)
            try end(start, in: &buffer)
        } catch {
            buffer.removeLast(buffer.count - start)
            throw error
        }
    }

    /// Appends a header and returns where it starts. The payload follows, then `end`.
    package func begin(
        _ kind: FrameKind, flags: FrameFlags = [], streamID: UInt32 = 0, in buffer: inout [UInt8]
    ) -> Int {
        let start = buffer.count
        buffer.append(bigEndian: UInt32(0))
        buffer.append(kind.isFrozen ? 0 : version)
        buffer.append(kind.rawValue)
        buffer.append(bigEndian: flags.rawValue)
        buffer.append(bigEndian: streamID)
        return start
    }

    /// Fills in the length of the frame that began at `start`.
    package func end(_ start: Int, in buffer: inout [UInt8]) throws(WireError) {
        try check(buffer.count - start - Frame.headerBytes)
        buffer.patch(bigEndian: UInt32(buffer.count - start - 4), at: start)
    }

    private func check(_ payloadBytes: Int) throws(WireError) {
        guard payloadBytes <= payloadBytesMax else {
            throw WireError(.frameTooLarge, "a payload of \(payloadBytes) bytes, at most \(payloadBytesMax) fit")
        }
    }
}
