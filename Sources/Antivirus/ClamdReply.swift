/// One line of clamd's, understood. Source: clamd(8), "COMMANDS", and what 1.4.6 was seen to say.
package enum ClamdReply: Hashable, Sendable {
    case clean
    /// The name of the signature, as clamd calls it.
    case infected(signature: String)
    /// More came than its `StreamMaxLength`; it closes the connection.
    case streamTooLong
    case pong
    /// `ClamAV 1.4.6/27500/Mon Jan 5 ...`, or without numbers when no official signatures are loaded.
    case version(String)
    /// Any other words: an error of its own, a command that it does not know.
    case refused(String)

    /// Longest line that is read, in bytes.
    package static let bytesMax = 4096
    /// Longest name of a signature that is passed on, in characters.
    static let signatureCharactersMax = 128

    package init(_ line: String) {
        if line == "PONG" {
            self = .pong
        } else if line.hasPrefix("ClamAV ") {
            self = .version(Self.plain(line))
        } else if line.hasSuffix("size limit exceeded. ERROR") {
            self = .streamTooLong
        } else if line == "stream: OK" {
            self = .clean
        } else if line.hasPrefix("stream: "), line.hasSuffix(" FOUND") {
            self = .infected(signature: Self.plain(String(line.dropFirst(8).dropLast(6))))
        } else {
            self = .refused(Self.plain(line))
        }
    }

    /// What clients are told holds nothing but visible ASCII.
    private static func plain(_ text: String) -> String {
        let kept = text.unicodeScalars.prefix(signatureCharactersMax).map { scalar in
            (0x20...0x7E).contains(scalar.value) ? Character(scalar) : "?"
        }
        return String(kept)
    }
}

/// What clamd thinks of a stream.
package enum ClamdVerdict: Hashable, Sendable {
    case clean
    case infected(signature: String)
}

/// Why there is no verdict. Nothing here says anything of the file.
package struct ClamdError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// Nobody answers at its address.
        case away
        /// It took longer than `answerSecondsMax`.
        case late
        /// The connection broke before it had answered.
        case broken
        /// Its `StreamMaxLength` is less than our `streamBytesMax`.
        case streamTooLong
        /// It said something else.
        case refused
    }

    package let code: Code
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { "clamd \(code.rawValue): \(detail)" }
}
