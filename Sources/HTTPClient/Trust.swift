import Glibc

/// Whose word about a server counts: a PEM file of authorities, in place of those of the system.
package struct TrustedAuthorities: Sendable, Hashable {
    package let path: String

    /// Larger than every bundle of a system, in bytes.
    static let bytesMax = 4 << 20

    /// Looks into the file now: libcurl would do so with the first request only, and say no more than that it cannot.
    package init(path: String) throws(HTTPClientError) {
        func unusable(_ why: String) -> HTTPClientError {
            HTTPClientError(.unusable, "\(path): \(why)", distrust: .authoritiesUnusable)
        }
        // The string lives for the length of the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unusable(unsafe String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var text: [UInt8] = []
        while text.count <= Self.bytesMax {
            let some = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, filled in
                // Sound: the buffer has as much room as is said.
                filled = max(0, unsafe read(descriptor, buffer.baseAddress, buffer.count))
            }
            if some.isEmpty { break }
            text += some
        }
        guard String(decoding: text, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----") else {
            throw unusable("holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")
        }
        self.path = path
    }
}

/// Why a server is not taken for who it should be.
package enum Distrust: String, Sendable, CaseIterable {
    /// Signed by nobody who is trusted here, or a certificate on the way up is missing.
    case unknownAuthority
    /// Good, and somebody else's.
    case otherName
    case expired
    case notYetValid
    /// There is nothing to compare with: the file of authorities cannot be used.
    case authoritiesUnusable
    case other

    /// - Parameter verified: what OpenSSL says (X509_V_ERR_...). libcurl compares names by itself, after OpenSSL was
    ///   content, and leaves its own beginning there then: 1, unspecified.
    init(verified: Int) {
        self =
            switch verified {
            case 1, 62, 64: .otherName
            case 2, 18, 19, 20, 21: .unknownAuthority
            case 9: .notYetValid
            case 10: .expired
            default: .other
            }
    }

    var detail: String {
        switch self {
        case .unknownAuthority: "its certificate was signed by no authority that is trusted here"
        case .otherName: "its certificate is good and not for this name"
        case .expired: "its certificate has expired"
        case .notYetValid: "its certificate is not valid yet"
        case .authoritiesUnusable: "the file of trusted authorities holds no certificates that can be read"
        case .other: "its certificate cannot be verified"
        }
    }

    /// What to do. The name of the option is up to whoever shows it.
    package func hint(option: String) -> String {
        switch self {
        case .unknownAuthority: "Give the PEM file of the authority that signed it with \(option)."
        case .otherName: "Use a name or an address that is in the certificate, or have a certificate made for this one."
        case .expired: "Renew it; a node takes a new one without a restart. If it is new, look at the clock here."
        case .notYetValid: "Look at the clock here, and at that of whoever signed it."
        case .authoritiesUnusable: "Give a PEM file of authorities with \(option), or neither to trust the system's."
        case .other: "Look at the certificate with: openssl s_client -connect HOST:PORT -showcerts"
        }
    }
}
