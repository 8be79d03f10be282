import NIOCore
import NIOSSL

/// Why a peer was not let in, or did not let us in. Each reason has a counter and a line in the log.
package enum PeerRefusal: String, Hashable, Sendable, CaseIterable {
    /// It showed no certificate.
    case noCertificate = "no_certificate"
    /// Its certificate, or the whole chain, is not signed by a CA of ours for this use.
    case untrusted
    case expired
    case notYetValid = "not_yet_valid"
    /// Its certificate has no DNS name that could be a node's name.
    case nameless
    /// Its certificate is on the deny list.
    case denied
    /// It speaks TLS, but not our protocol (ALPN, RFC 7301).
    case otherProtocol = "other_protocol"
    /// It speaks a version of TLS before 1.3.
    case oldTLS = "old_tls"
    /// It does not speak TLS at all.
    case plaintext
    /// Its handshake broke off, or broke a rule of TLS.
    case handshakeFailed = "handshake_failed"
    /// Its handshake took longer than `handshakeLimit`.
    case handshakeTimedOut = "handshake_timed_out"
    /// Our certificate was not accepted by the peer.
    case refusedByPeer = "refused_by_peer"
    case tooManyConnections = "too_many_connections"
    case tooManyFromAddress = "too_many_from_address"
    case tooManyHandshakes = "too_many_handshakes"
}

/// A refusal with its circumstances, for people.
package struct RefusedPeer: Error, Hashable, Sendable {
    package let reason: PeerRefusal
    package let detail: String

    init(_ reason: PeerRefusal, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }

    /// Reads what ended a handshake. `certificate` is what the peer had shown by then, verified or not.
    ///
    /// BoringSSL says only that the verification failed, not why: the dates of the certificate tell the rest. Whoever
    /// is both expired and unknown is called expired, which is as true.
    init(_ error: any Error, certificate: NIOSSLCertificate?, secondsSince1970 now: Int) {
        let reasons = Self.reasons(error)
        guard let first = reasons.first else {
            self.init(.handshakeFailed, "\(error)")
            return
        }
        if reasons.contains("CERTIFICATE_VERIFY_FAILED") {
            self = certificate.map { Self.verification($0, now) } ?? RefusedPeer(.untrusted, first)
        } else if let known = Self.known.first(where: { reasons.contains($0.key) }) {
            self.init(known.value, known.key)
        } else if let alert = reasons.first(where: { $0.contains("ALERT_") }) {
            self.init(Self.certificateAlerts.contains(alert) ? .refusedByPeer : .handshakeFailed, alert)
        } else {
            self.init(.handshakeFailed, reasons.joined(separator: ", "))
        }
    }

    private static func verification(_ certificate: NIOSSLCertificate, _ now: Int) -> RefusedPeer {
        if certificate.notValidAfter < now {
            return RefusedPeer(.expired, "ended \(now - certificate.notValidAfter) s ago")
        }
        if certificate.notValidBefore > now {
            return RefusedPeer(.notYetValid, "begins in \(certificate.notValidBefore - now) s: compare the clocks")
        }
        return RefusedPeer(.untrusted, "not signed by a CA of ours for this use, or a CA has expired")
    }

    /// What the peer told us of our own certificate, when that is what it told us.
    static func alert(in error: any Error) -> String? { reasons(error).first { certificateAlerts.contains($0) } }

    /// BoringSSL's reason names: the text behind the last colon of "error:1000007d:SSL routines:OPENSSL_internal:NAME".
    private static func reasons(_ error: any Error) -> [String] {
        let cause: BoringSSLError? =
            switch error {
            case NIOSSLError.handshakeFailed(let cause): cause
            case NIOSSLError.shutdownFailed(let cause): cause
            case let cause as BoringSSLError: cause
            default: nil
            }
        guard case .sslError(let stack) = cause else { return [] }
        return stack.map { entry in
            let text = entry.description
            guard let mark = text.firstRange(of: "OPENSSL_internal:")?.upperBound else { return text }
            return String(text[mark...].prefix { $0 != " " })
        }
    }

    private static let known: [String: PeerRefusal] = [
        "PEER_DID_NOT_RETURN_A_CERTIFICATE": .noCertificate,
        "NO_APPLICATION_PROTOCOL": .otherProtocol,
        "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": .otherProtocol,
        "UNSUPPORTED_PROTOCOL": .oldTLS,
        "TLSV1_ALERT_PROTOCOL_VERSION": .oldTLS,
        "HTTP_REQUEST": .plaintext,
        "HTTPS_PROXY_REQUEST": .plaintext,
        "WRONG_VERSION_NUMBER": .plaintext,
    ]

    private static let certificateAlerts: Set<String> = [
        "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN", "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV1_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_ACCESS_DENIED",
    ]
}
