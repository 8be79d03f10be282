/// Why the sender is about to close the connection. The layout never changes; codes are only added.
package struct GoAway: Hashable, Sendable, CustomStringConvertible {
    /// For programs: what to count, and whether to dial again. Numbers below 100 turn a handshake down.
    package enum Code: UInt16, Hashable, Sendable, CaseIterable {
        case malformedHello = 1
        case noCommonVersion = 2
        case otherCluster = 3
        case notCertified = 4
        case ownName = 5
        case unexpectedPeer = 6
        case otherLane = 7
        case olderEpoch = 8
        case otherPlacement = 9
        case callListMismatch = 10
        case duplicateConnection = 11
        case tookTooLong = 12
        case tooManyConnections = 13
        case denied = 14

        /// The node ends. Running calls are answered, new ones are not taken.
        case stopping = 100
        /// A newer connection of the same life, or a newer life, has taken the place of this one.
        case replaced = 101
        /// Something in the bytes was not according to the protocol.
        case protocolError = 102
        /// Nothing was heard for too long.
        case silent = 103
        /// A code that a newer release knows. It is never sent.
        case unknown = 0
    }

    /// Bytes of `text`; 512.
    package static let textBytesMax = 512

    package let code: Code
    /// For people: what is wrong and what to do, in visible ASCII.
    package let text: String

    package init(_ code: Code, _ text: String) {
        self.code = code
        self.text = text.visibleASCII(bytesMax: Self.textBytesMax)
    }

    package var description: String { text.isEmpty ? "\(code)" : "\(code): \(text)" }

    /// Whether dialling again soon may help. Not, while the other's configuration or certificate is what it is.
    package var mayBeTemporary: Bool {
        switch code {
        case .malformedHello, .noCommonVersion, .otherCluster, .notCertified, .ownName, .unexpectedPeer, .otherLane,
            .olderEpoch, .otherPlacement, .callListMismatch, .denied:
            false
        case .duplicateConnection, .tookTooLong, .tooManyConnections, .stopping, .replaced, .protocolError, .silent,
            .unknown:
            true
        }
    }
}

// MARK: - Bytes

extension GoAway {
    package func append(to bytes: inout [UInt8]) {
        bytes.append(bigEndian: code.rawValue)
        bytes.append(bigEndian: UInt16(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// Bytes after the text are left to newer releases.
    package init(parsing payload: ArraySlice<UInt8>) throws(WireError) {
        var reader = ByteReader(payload)
        code = Code(rawValue: try reader.bigEndian(UInt16.self, "a goaway")) ?? .unknown
        let length = try reader.bigEndian(UInt16.self, "a goaway's text")
        guard Int(length) <= Self.textBytesMax else {
            throw WireError(.malformed, "a goaway's text of \(length) bytes")
        }
        let bytes = try reader.bytes(Int(length), "a goaway's text")
        text = String(decoding: bytes, as: UTF8.self).visibleASCII(bytesMax: Self.textBytesMax)
    }

    /// The whole frame, which is the same in every version.
    package func frame() -> [UInt8] {
        var payload: [UInt8] = []
        append(to: &payload)
        var bytes: [UInt8] = []
        bytes.append(bigEndian: UInt32(Frame.countedHeaderBytes + payload.count))
        bytes += [0, FrameKind.goAway.rawValue]
        bytes.append(bigEndian: FrameFlags.mustUnderstand.rawValue)
        bytes.append(bigEndian: UInt32(0))
        return bytes + payload
    }
}
