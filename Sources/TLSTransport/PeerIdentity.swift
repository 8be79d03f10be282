import Crypto
import NIOSSL

/// What is taken from a certificate whose chain was verified: the names it speaks for, and what a deny list can name.
struct PeerIdentity: Hashable, Sendable {
    /// DNS names of the SAN extension (RFC 5280, 4.2.1.6), lower case, in the certificate's order.
    let names: [String]
    /// Lower-case hexadecimal without leading zeros.
    let serial: String
    /// SHA-256 of the certificate's DER bytes, lower-case hexadecimal.
    let fingerprint: String
    let notValidBefore: Int
    let notValidAfter: Int

    /// Throws a `RefusedPeer` when the certificate names nobody or is out of its time.
    ///
    /// The chain was checked by BoringSSL a moment ago; the dates are checked again because a resumed TLS session
    /// (RFC 8446, 2.2) skips that.
    init(_ certificate: NIOSSLCertificate, namesMax: Int, secondsSince1970 now: Int) throws(RefusedPeer) {
        names = Self.names(certificate, max: namesMax)
        serial = Hexadecimal.withoutLeadingZeros(Hexadecimal.text(certificate.serialNumber))
        do {
            fingerprint = Hexadecimal.text(SHA256.hash(data: try certificate.toDERBytes()))
        } catch {
            throw RefusedPeer(.untrusted, "the certificate has no DER form: \(error)")
        }
        notValidBefore = certificate.notValidBefore
        notValidAfter = certificate.notValidAfter
        if notValidAfter < now { throw RefusedPeer(.expired, "ended \(now - notValidAfter) s ago") }
        if notValidBefore > now {
            throw RefusedPeer(.notYetValid, "begins in \(notValidBefore - now) s: compare the clocks")
        }
        if names.isEmpty { throw RefusedPeer(.nameless, "serial \(serial) has no DNS name in its SAN") }
    }

    /// A name for everybody is a name for nobody: wildcards are left out, and `localhost`, which every certificate of a
    /// cluster carries so that tools on the machine can connect. The common name is not looked at (RFC 9525, 2).
    private static func names(_ certificate: NIOSSLCertificate, max: Int) -> [String] {
        var names: [String] = []
        for name in certificate._subjectAlternativeNames() where name.nameType == .dnsName && names.count < max {
            let text = String(decoding: name.contents, as: UTF8.self).lowercased()
            guard isName(text), text != "localhost", !names.contains(text) else { continue }
            names.append(text)
        }
        return names
    }

    /// Letters, digits, hyphens and dots, up to 253 of them (RFC 1035, 2.3): no NUL byte, no space, no wildcard passes.
    private static func isName(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}

enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(2 * bytes.underestimatedCount)
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    /// Serial numbers are numbers: one tool writes `0A`, another `A`.
    static func withoutLeadingZeros(_ text: String) -> String {
        let significant = text.drop { $0 == "0" }
        return significant.isEmpty ? "0" : String(significant)
    }
}
