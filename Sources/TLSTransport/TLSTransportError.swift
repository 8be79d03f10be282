/// Why the transport, or one connection, cannot go on. Failures to connect are `PeerConnectError`, the port's own.
package struct TLSTransportError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// The address to listen on cannot be had.
        case cannotListen = "cannot_listen"
        /// A certificate, key, CA bundle or deny list cannot be used.
        case credentialsUnusable = "credentials_unusable"
        /// The peer closed its connection without a TLS goodbye: what it sent last may be missing (RFC 8446, 6.1).
        case truncated
        /// The connection broke: a reset, a time limit of the kernel, a record that does not decrypt.
        case connectionLost = "connection_lost"
        /// We closed the connection.
        case closed
    }

    package let code: Code
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { "\(code.rawValue): \(detail)" }
}
