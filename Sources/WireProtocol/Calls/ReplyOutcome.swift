/// What became of a call: the payload of a `reply`.
package enum ReplyOutcome: Hashable, Sendable {
    /// It ran and returned these bytes; none for `Void`.
    case returned(ArraySlice<UInt8>)
    /// It ran and threw.
    case threw(message: String)
    /// This node is not the owner of the actor by its view. It did not run.
    case wrongOwner(viewDigest: UInt64, owner: String)
    /// As many calls as this node takes from one peer are running. It did not run.
    case busy(retryAfterMilliseconds: UInt32)
    /// Nobody of that identity is here. It did not run.
    case noSuchActor
    /// The target is not on the list of call targets, or not for this actor. It did not run.
    case notAllowed
    /// The caller's time was over before it ran, or while it did.
    case deadlineExceeded
    /// It was cancelled here.
    case cancelled
    /// The arguments are not what the target takes. It did not run.
    case undecodable(detail: String)
    /// This node is about to stop and takes no more calls. It did not run.
    case stopping

    /// Bytes of a message, detail or owner; 1,024. Longer ones are cut when written: an error that carries a whole
    /// document is not worth a frame.
    package static let textBytesMax = 1024

    /// Whether the call may have had an effect: if not, it is safe to send again whatever it does.
    package var mayHaveRun: Bool {
        switch self {
        case .returned, .threw, .deadlineExceeded, .cancelled: true
        case .wrongOwner, .busy, .noSuchActor, .notAllowed, .undecodable, .stopping: false
        }
    }
}

// MARK: - Bytes

extension ReplyOutcome {
    /// Appends the outcome as the payload of a reply.
    package func append(to bytes: inout [UInt8]) {
        switch self {
        case .returned(let value):
            Self.beginReturned(in: &bytes)
            bytes.append(contentsOf: value)
        case .threw(let message):
            bytes.append(1)
            bytes.append(counted: message.cut(toBytes: Self.textBytesMax))
        case .wrongOwner(let viewDigest, let owner):
            bytes.append(2)
            bytes.append(bigEndian: viewDigest)
            bytes.append(counted: owner.cut(toBytes: Self.textBytesMax))
        case .busy(let milliseconds):
            bytes.append(3)
            bytes.append(varint: UInt64(milliseconds))
        case .noSuchActor: bytes.append(4)
        case .notAllowed: bytes.append(5)
        case .deadlineExceeded: bytes.append(6)
        case .cancelled: bytes.append(7)
        case .undecodable(let detail):
            bytes.append(8)
            bytes.append(counted: detail.cut(toBytes: Self.textBytesMax))
        case .stopping: bytes.append(9)
        }
    }

    /// Begins a `returned`: the bytes of the value follow, so that it can be encoded in place.
    package static func beginReturned(in bytes: inout [UInt8]) { bytes.append(0) }

    /// The outcome in the payload of a reply.
    package init(parsing payload: ArraySlice<UInt8>) throws(WireError) {
        var reader = ByteReader(payload)
        switch try reader.byte("a reply") {
        case 0: self = .returned(reader.takeRest())
        case 1: self = .threw(message: try reader.countedText(bytesMax: Self.textBytesMax, "an error's message"))
        case 2:
            let digest = try reader.bigEndian(UInt64.self, "a view digest")
            let owner = try reader.countedText(bytesMax: Self.textBytesMax, "an owner")
            self = .wrongOwner(viewDigest: digest, owner: owner)
        case 3:
            guard let milliseconds = UInt32(exactly: try reader.varint("a time to retry")) else {
                throw WireError(.malformed, "a time to retry over 32 bits")
            }
            self = .busy(retryAfterMilliseconds: milliseconds)
        case 4: self = .noSuchActor
        case 5: self = .notAllowed
        case 6: self = .deadlineExceeded
        case 7: self = .cancelled
        case 8: self = .undecodable(detail: try reader.countedText(bytesMax: Self.textBytesMax, "a detail"))
        case 9: self = .stopping
        case let tag: throw WireError(.malformed, "a reply of kind \(tag)")
        }
        try reader.expectEnd("a reply")
    }
}

extension String {
    /// The longest beginning of whole characters that has at most so many bytes.
    func cut(toBytes limit: Int) -> String {
        if utf8.count <= limit { return self }
        var end = startIndex
        var bytes = 0
        for index in indices {
            bytes += self[index].utf8.count
            if bytes > limit { break }
            end = self.index(after: index)
        }
        return String(self[..<end])
    }
}
