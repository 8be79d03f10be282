import Foundation

/// Header fields of tus 1.0, read strictly: what is not exactly as specified is nil, which a client is told.
package enum TusFields {
    package static let version = "1.0.0"
    package static let extensions =
        "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation"
    package static let checksumAlgorithms = UploadChecksum.Algorithm.allCases.map(\.rawValue).joined(separator: ",")

    /// A number of bytes: digits only.
    package static func bytes(_ text: String) -> Int64? {
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text)
    }

    /// `filename d29ybGQ=,is_confidential`: keys with values in Base64; a key may stand alone.
    package static func metadata(_ text: String) -> [String: [UInt8]]? {
        var pairs: [String: [UInt8]] = [:]
        guard !text.isEmpty else { return pairs }
        for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = pair.trimmingCharacters(in: .whitespaces).split(
                separator: " ", omittingEmptySubsequences: false)
            guard (1...2).contains(words.count), let key = words.first, !key.isEmpty,
                key.utf8.allSatisfy({ (33...126).contains($0) }), pairs[String(key)] == nil
            else { return nil }
            guard let value = base64(words.count == 2 ? String(words[1]) : "") else { return nil }
            pairs[String(key)] = value
        }
        return pairs
    }

    package enum Concatenation: Hashable, Sendable {
        case partial
        /// Addresses of the pieces, in order.
        case final([String])
    }

    /// `partial`, or `final;/api/uploads/a /api/uploads/b`.
    package static func concatenation(_ text: String) -> Concatenation? {
        if text == "partial" { return .partial }
        guard text.hasPrefix("final;") else { return nil }
        let addresses = text.dropFirst("final;".count).split(separator: " ").map(String.init)
        return addresses.isEmpty ? nil : .final(addresses)
    }

    package enum ChecksumReading: Hashable, Sendable {
        case checksum(UploadChecksum)
        case unknownAlgorithm
        case malformed
    }

    /// `sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=`
    package static func checksum(_ text: String) -> ChecksumReading {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2 else { return .malformed }
        guard let algorithm = UploadChecksum.Algorithm(rawValue: words[0].lowercased()) else {
            return .unknownAlgorithm
        }
        guard let value = base64(String(words[1])), value.count == algorithm.bytes else { return .malformed }
        return .checksum(UploadChecksum(algorithm, value))
    }

    static func base64(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { Array($0) } }
}

extension UploadChecksum.Algorithm {
    /// Length of its digests.
    var bytes: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha256: 32
        }
    }
}

/// Header fields of draft-ietf-httpbis-resumable-upload-12: structured fields (RFC 9651), of which these kinds occur.
/// A field that is not well formed counts as absent, as the draft wants it.
package enum DraftFields {
    /// What both ends have to speak for 104 to mean something.
    package static let interopVersion = "9"
    package static let mediaType = "application/partial-upload"

    /// `?1` or `?0`
    package static func boolean(_ text: String) -> Bool? {
        switch trimmed(text) {
        case "?1": true
        case "?0": false
        default: nil
        }
    }

    /// Structured integers have up to 15 digits; a negative one is no count of bytes.
    package static func bytes(_ text: String) -> Int64? {
        let text = trimmed(text)
        return text.utf8.count <= 15 ? TusFields.bytes(text) : nil
    }

    package static func text(_ boolean: Bool) -> String { boolean ? "?1" : "?0" }

    /// SHA-256 out of `Content-Digest` or `Repr-Digest` (RFC 9530): `sha-256=:<Base64>:` among others with commas
    /// between. Other algorithms are somebody else's.
    package static func sha256(_ text: String) -> [UInt8]? {
        for member in text.split(separator: ",").map({ trimmed(String($0)) }) where member.hasPrefix("sha-256=:") {
            let rest = member.dropFirst("sha-256=:".count)
            guard let end = rest.firstIndex(of: ":"), let value = TusFields.base64(String(rest[..<end])),
                value.count == 32
            else { return nil }
            return value
        }
        return nil
    }

    private static func trimmed(_ text: String) -> String { text.trimmingCharacters(in: .whitespaces) }
}
