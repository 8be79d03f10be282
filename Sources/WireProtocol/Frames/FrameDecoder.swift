/// Turns the bytes of a connection into frames, however they were cut on the way.
///
/// Bytes go in by `feed`, frames come out by `next` until it answers nil. A frame that lies whole in what was fed is a
/// slice of it; one that is spread over several reads is put together in a buffer that grows with what arrives, hardly
/// with what is announced. After an error there is no way to find the next frame: the decoder stays at its error.
package struct FrameDecoder: Sendable {
    /// The version every frame has to be of, but for the frozen kinds; nil before the handshake has agreed on one, when
    /// only frozen kinds are let through.
    package var version: UInt8?

    /// The lane, once it is known: kinds that do not belong on it are refused.
    package var lane: Lane?

    /// The limit on the length field. The handshake raises it when the peer is known.
    package var frameBytesMax: Int

    /// Frames of kinds we do not know that were skipped.
    package private(set) var skippedFrames = 0

    /// Room that is made for a frame before it has arrived, at most; 128 KiB. A whole chunk of a stream fits; a peer
    /// that announces a megabyte and stops costs no more than this.
    static let reservedBytesMax = 128 << 10

    /// What was fed last, and how far it is read.
    private var chunk: [UInt8] = []
    private var position = 0
    /// A frame that began in an earlier chunk, from its length field on.
    private var partial: [UInt8] = []
    private var failure: WireError?

    package init(frameBytesMax: Int, version: UInt8? = nil) {
        precondition(frameBytesMax >= Frame.countedHeaderBytes, "a frame of \(frameBytesMax) bytes holds no header")
        self.frameBytesMax = frameBytesMax
        self.version = version
    }

    /// Takes what has arrived. All frames of the bytes before must have been taken out: `next` has answered nil.
    package mutating func feed(_ bytes: [UInt8]) {
        precondition(failure != nil || position == chunk.count, "\(chunk.count - position) bytes are not read yet")
        chunk = bytes
        position = 0
    }

    /// The next frame, or nil when more bytes are needed.
    package mutating func next() throws(WireError) -> Frame? {
        if let failure { throw failure }
        do {
            while let header = try wholeFrame() {
                if let frame = try accept(header) { return frame }
                skippedFrames += 1
            }
            return nil
        } catch {
            failure = error
            (chunk, partial, position) = ([], [], 0)
            throw error
        }
    }

    /// Bytes that wait for the rest of their frame.
    package var heldBytes: Int { partial.count }
}

// MARK: - Whole frames out of pieces

extension FrameDecoder {
    /// A frame's bytes from the version on, and what they keep in memory.
    private struct Whole {
        let bytes: ArraySlice<UInt8>
        let retainedBytes: Int
    }

    private mutating func wholeFrame() throws(WireError) -> Whole? {
        if !partial.isEmpty { return try completed() }
        let available = chunk.count - position
        if available >= 4 {
            let length = try checkedLength(of: chunk, at: position)
            if available - 4 >= length {
                let start = position + 4
                position = start + length
                return Whole(bytes: chunk[start..<position], retainedBytes: chunk.count)
            }
            partial.reserveCapacity(4 + min(length, Self.reservedBytesMax))
        }
        if available > 0 { hold(available) }
        return nil
    }

    /// Adds to the held frame what it lacks, first its length field, then the rest.
    private mutating func completed() throws(WireError) -> Whole? {
        if partial.count < 4 {
            hold(min(4 - partial.count, chunk.count - position))
            if partial.count < 4 { return nil }
        }
        let length = try checkedLength(of: partial, at: 0)
        if partial.count == 4 { partial.reserveCapacity(4 + min(length, Self.reservedBytesMax)) }
        hold(min(4 + length - partial.count, chunk.count - position))
        guard partial.count == 4 + length else { return nil }
        let whole = partial
        partial = []
        return Whole(bytes: whole[4...], retainedBytes: whole.count)
    }

    private mutating func hold(_ count: Int) {
        partial.append(contentsOf: chunk[position..<position + count])
        position += count
    }

    private func checkedLength(of bytes: [UInt8], at offset: Int) throws(WireError) -> Int {
        let length =
            Int(bytes[offset]) << 24 | Int(bytes[offset + 1]) << 16 | Int(bytes[offset + 2]) << 8
            | Int(bytes[offset + 3])
        guard length >= Frame.countedHeaderBytes else {
            throw WireError(.frameTooShort, "a length of \(length), the header has \(Frame.countedHeaderBytes)")
        }
        guard length <= frameBytesMax else {
            throw WireError(.frameTooLarge, "a length of \(length), at most \(frameBytesMax) are taken")
        }
        return length
    }
}

// MARK: - The header

extension FrameDecoder {
    /// Nil for a frame of a kind that we do not know and may skip.
    private func accept(_ whole: Whole) throws(WireError) -> Frame? {
        let bytes = whole.bytes
        let start = bytes.startIndex
        let flags = FrameFlags(rawValue: UInt16(bytes[start + 2]) << 8 | UInt16(bytes[start + 3]))
        let streamID =
            UInt32(bytes[start + 4]) << 24 | UInt32(bytes[start + 5]) << 16 | UInt32(bytes[start + 6]) << 8
            | UInt32(bytes[start + 7])
        let kind = FrameKind(rawValue: bytes[start + 1])
        try checkVersion(bytes[start], of: kind)
        guard let kind else {
            if flags.contains(.mustUnderstand) {
                throw WireError(.unknownKind, "a frame of kind \(bytes[start + 1]), which must be understood")
            }
            return nil
        }
        if let lane, !lane.carries(kind) { throw WireError(.unexpectedFrame, "a \(kind) on lane \(lane)") }
        guard flags.subtracting(.mustUnderstand).isSubset(of: kind.knownFlags) else {
            throw WireError(.reservedBits, "flags \(flags.rawValue) of a \(kind)")
        }
        guard kind.hasStreamID ? streamID != 0 : streamID == 0 else {
            throw WireError(.reservedBits, "number \(streamID) of a \(kind)")
        }
        return Frame(
            kind, flags: flags, streamID: streamID, payload: bytes[(start + Frame.countedHeaderBytes)...],
            retainedBytes: whole.retainedBytes)
    }

    private func checkVersion(_ found: UInt8, of kind: FrameKind?) throws(WireError) {
        let expected: UInt8
        if let kind, kind.isFrozen {
            expected = 0
        } else if let version {
            expected = version
        } else {
            throw WireError(.unexpectedFrame, "a frame of kind \(kind.map { "\($0)" } ?? "unknown") before the hello")
        }
        guard found == expected else {
            throw WireError(.wrongVersion, "version \(found), agreed was \(expected)")
        }
    }
}
