package import NIOCore

/// Bytes that were decrypted and wait for their reader, and how the connection ended.
package struct Inbox: Sendable {
    package enum Next: Sendable {
        /// Everything that waited. `resumesReading` when reading had stopped for it.
        case bytes([UInt8], resumesReading: Bool)
        case end
        case failure(any Error)
        case nothingYet
    }

    package let bytesMax: Int
    private var bytes: [UInt8] = []
    private var ending: (failure: (any Error)?, Void)?
    private var hasStoppedReading = false
    package private(set) var receivedBytes = 0

    package init(bytesMax: Int) {
        precondition(bytesMax > 0, "an inbox of \(bytesMax) bytes")
        self.bytesMax = bytesMax
    }

    package var waitingBytes: Int { bytes.count }

    package mutating func append(_ fresh: ByteBufferView) {
        guard ending == nil else { return }
        receivedBytes += fresh.count
        bytes += fresh
    }

    /// Bytes that went straight to a reader who was waiting.
    package mutating func passed(_ count: Int) { receivedBytes += count }

    /// Whether the socket may be read. When not, a later `take` says when it may again.
    package mutating func mayRead() -> Bool {
        if bytes.count >= bytesMax { hasStoppedReading = true }
        return !hasStoppedReading
    }

    package mutating func take() -> Next {
        guard bytes.isEmpty else {
            defer {
                bytes = []
                hasStoppedReading = false
            }
            return .bytes(bytes, resumesReading: hasStoppedReading)
        }
        guard let ending else { return .nothingYet }
        return ending.failure.map { .failure($0) } ?? .end
    }

    /// Nothing more will come; what waits is still handed out, unless it is to be `dropped`. The first reason counts.
    package mutating func end(_ failure: (any Error)?, dropping dropped: Bool) {
        if ending == nil { ending = (failure, ()) }
        hasStoppedReading = false
        if dropped { bytes = [] }
    }
}
