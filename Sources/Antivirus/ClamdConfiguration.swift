/// Where clamd listens.
package enum ClamdAddress: Hashable, Sendable, CustomStringConvertible {
    case socket(path: String)
    case network(host: String, port: Int)

    /// `/run/clamav/clamd.ctl`, `clamd.internal:3310` or `[::1]:3310`; nil when it is neither a path nor host and port.
    package init?(_ text: String) {
        if text.hasPrefix("/") {
            // The kernel takes 107 bytes.
            guard text.utf8.count <= 107 else { return nil }
            self = .socket(path: text)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self = .network(host: String(host), port: port)
    }

    package var description: String {
        switch self {
        case .socket(let path): path
        case .network(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}

/// How clamd is talked to.
///
/// | field | unit | default | the accident it prevents |
/// |---|---|---|---|
/// | `connectionsMax` | connections | 4 | scans of one node take all of clamd's threads (its `MaxThreads`) |
/// | `connectSecondsMax` | seconds | 5 | a scanner behind a dead network holds a stage |
/// | `answerSecondsMax` | seconds | 120 | a scanner that hangs holds a stage; for one stream, sent and looked at |
/// | `chunkBytes` | bytes | 128 KiB | memory of a scan |
/// | `streamBytesMax` | bytes | 25 MiB | clamd cuts off what is larger than its `StreamMaxLength` |
/// | `overlapBytes` | bytes | 64 KiB | a pattern that lies over the border of two streams is seen in neither |
package struct ClamdConfiguration: Hashable, Sendable {
    package var address: ClamdAddress
    package var connectionsMax: Int
    package var connectSecondsMax: Int
    package var answerSecondsMax: Int
    package var chunkBytes: Int
    package var streamBytesMax: Int64
    package var overlapBytes: Int64

    package init(
        address: ClamdAddress, connectionsMax: Int = 4, connectSecondsMax: Int = 5, answerSecondsMax: Int = 120,
        chunkBytes: Int = 128 << 10, streamBytesMax: Int64 = 25 << 20, overlapBytes: Int64 = 64 << 10
    ) {
        precondition(
            connectionsMax > 0 && connectSecondsMax > 0 && answerSecondsMax > 0 && chunkBytes > 0,
            "limits must be positive")
        precondition(0 <= overlapBytes && overlapBytes < streamBytesMax, "overlap of a whole stream")
        self.address = address
        self.connectionsMax = connectionsMax
        self.connectSecondsMax = connectSecondsMax
        self.answerSecondsMax = answerSecondsMax
        self.chunkBytes = chunkBytes
        self.streamBytesMax = streamBytesMax
        self.overlapBytes = overlapBytes
    }

    /// The parts of a file of so many bytes that go to clamd as a stream each, in order: they cover all of it, and each
    /// begins with the end of the one before.
    package func streams(ofBytes bytes: Int64) -> [Range<Int64>] {
        var streams: [Range<Int64>] = []
        var start: Int64 = 0
        while start < bytes {
            let end = min(bytes, start + streamBytesMax)
            streams.append(start..<end)
            if end == bytes { break }
            start = end - overlapBytes
        }
        return streams
    }
}
