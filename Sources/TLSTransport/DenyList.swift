/// Certificates that are not to be trusted any more although a CA of ours signed them: of lost machines, leaked keys.
///
/// A text file, one certificate a line, `#` begins a comment:
/// ```
/// sha256:8f43…          # openssl x509 -noout -fingerprint -sha256 -in node.pem
/// serial:0a1b…          # openssl x509 -noout -serial -in node.pem
/// ```
/// Colons inside the number, capitals and leading zeros of a serial do not matter. A serial is unique within one CA
/// only: while two CAs are valid it may name two certificates, and denies both; a fingerprint is exact. There is no
/// revocation list of the CA (RFC 5280, 5): a cluster's own CA has few certificates, and a list of what is bad, carried
/// by the tool that carries the certificates, cannot expire at night.
package struct DenyList: Hashable, Sendable {
    package private(set) var serials: Set<String> = []
    package private(set) var fingerprints: Set<String> = []

    static let empty = DenyList()

    private init() {}

    /// Throws what is wrong with which line: a deny list that is half understood would let in whom it should keep out.
    package init(_ text: String, entriesMax: Int) throws(TLSTransportError) {
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let entry = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
            guard !entry.isEmpty else { continue }
            guard let mark = entry.firstIndex(of: ":") else {
                throw Self.wrong(number, "begins with neither \"serial:\" nor \"sha256:\"")
            }
            let value = entry[entry.index(after: mark)...].lowercased().filter { $0 != ":" }
            guard !value.isEmpty, value.allSatisfy({ $0.isHexDigit && $0.isASCII }) else {
                throw Self.wrong(number, "is not a hexadecimal number")
            }
            switch entry[..<mark].lowercased() {
            case "serial":
                serials.insert(Hexadecimal.withoutLeadingZeros(value))
            case "sha256":
                guard value.count == 64 else { throw Self.wrong(number, "has \(value.count) digits, a SHA-256 has 64") }
                fingerprints.insert(value)
            default:
                throw Self.wrong(number, "begins with neither \"serial:\" nor \"sha256:\"")
            }
            guard count <= entriesMax else { throw Self.wrong(number, "is one more than the \(entriesMax) allowed") }
        }
    }

    package var count: Int { serials.count + fingerprints.count }

    /// Both numbers in lower-case hexadecimal, the serial without leading zeros.
    package func denies(serial: String, fingerprint: String) -> Bool {
        fingerprints.contains(fingerprint) || serials.contains(serial)
    }

    func denies(_ identity: PeerIdentity) -> Bool {
        denies(serial: identity.serial, fingerprint: identity.fingerprint)
    }

    private static func wrong(_ line: Int, _ what: String) -> TLSTransportError {
        TLSTransportError(.credentialsUnusable, "line \(line + 1) of the deny list \(what)")
    }
}
