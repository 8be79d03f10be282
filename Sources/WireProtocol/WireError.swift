/// Why bytes are not what the protocol allows. `code` is to branch on and to count, `detail` is for people.
package struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable, CaseIterable {
        // Frames: all of them end the connection.
        /// The length field is over the limit.
        case frameTooLarge
        /// The length field does not even cover the header.
        case frameTooShort
        /// The frame is of another version than the handshake agreed on.
        case wrongVersion
        /// A kind we do not know, and the sender says it matters.
        case unknownKind
        /// A bit that has no meaning yet is set.
        case reservedBits
        /// The frame is known but has no place here: a call before the hello, a stream on the control lane.
        case unexpectedFrame
        /// A payload that does not hold what its kind promises.
        case malformed
        /// The peer sent more of a stream than it had credit for.
        case creditExceeded

        // Values: the message is refused, the connection lives.
        /// A value nests deeper than `depthMax`.
        case tooDeep
        /// More elements, names or bytes of text than allowed.
        case tooMany
        /// The bytes end before the value does.
        case truncated
        /// Bytes are left over after the value.
        case trailingBytes
        /// A value of another kind stands where one was expected.
        case wrongType
        /// A number does not fit into the type that was asked for.
        case numberOutOfRange
        /// Text that is not UTF-8.
        case invalidText
        /// A field that is not optional is absent: an old sender, a new reader.
        case missingField
        /// An enum case of a newer release.
        case unknownCase
        /// A type whose `encode(to:)` writes two containers at a time.
        case interleavedContainers
        /// `init(from:)` or `encode(to:)` of a type threw an error of its own.
        case refusedByType
    }

    package let code: Code
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { "\(code.rawValue): \(detail)" }
}
