import NIOCore
import NIOSSL

/// One loaded state of the credential files, checked and ready for both directions. Replaced as a whole, never changed.
struct Credentials: Sendable {
    static let applicationProtocol = "tijera/1"

    let client: NIOSSLContext
    let server: NIOSSLContext
    let own: PeerIdentity
    let authorities: [CertificateFacts]
    let denied: DenyList

    /// Reads and tries the files. Throws when a node with these could not even greet itself.
    init(_ files: CredentialFiles, _ configuration: TLSTransportConfiguration, secondsSince1970 now: Int)
        throws(TLSTransportError)
    {
        let bytesMax = configuration.fileBytesMax
        let chain = try Self.certificates(files.certificate, bytesMax)
        let roots = try Self.certificates(files.authorities, bytesMax)
        let keyBytes = try CredentialFile.read(files.key, bytesMax: bytesMax)
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(bytes: keyBytes, format: .pem)
        } catch {
            throw TLSTransportError(.credentialsUnusable, "\(files.key) is not a private key in PEM")
        }
        do {
            own = try PeerIdentity(chain[0], namesMax: configuration.namesMax, secondsSince1970: now)
        } catch {
            throw TLSTransportError(
                .credentialsUnusable, "\(files.certificate): \(error.reason.rawValue), \(error.detail)")
        }
        if let path = files.denied {
            let bytes = try CredentialFile.read(path, bytesMax: bytesMax)
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw TLSTransportError(.credentialsUnusable, "\(path) is not UTF-8")
            }
            denied = try DenyList(text, entriesMax: configuration.deniedMax)
        } else {
            denied = .empty
        }
        authorities = roots.map(CertificateFacts.init)
        do {
            let tls = Self.tls(chain, key, roots, goodbyeLimit: configuration.closeLimit)
            server = try NIOSSLContext(configuration: tls)
            client = try NIOSSLContext(configuration: tls)
        } catch {
            throw TLSTransportError(
                .credentialsUnusable, "\(files.certificate) does not go with \(files.key): \(error)")
        }
        do {
            try CredentialRehearsal.greet(client: client, server: server)
        } catch {
            throw TLSTransportError(
                .credentialsUnusable,
                "\(files.certificate) is not accepted by a node that trusts \(files.authorities): \(error)")
        }
    }

    /// The same for both directions: TLS 1.3 only, and either side proves itself. Which host a certificate was made
    /// for is not compared with the address dialled, because seeds are addresses: the handshake of the cluster compares
    /// the certificate's names with the name that the peer claims.
    private static func tls(
        _ chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKey, _ roots: [NIOSSLCertificate], goodbyeLimit: Duration
    ) -> TLSConfiguration {
        var tls = TLSConfiguration.makeServerConfigurationWithMTLS(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key),
            trustRoots: .certificates(roots))
        tls.minimumTLSVersion = .tlsv13
        tls.maximumTLSVersion = .tlsv13
        tls.certificateVerification = .noHostnameVerification
        tls.applicationProtocols = [applicationProtocol]
        tls.shutdownTimeout = TimeAmount(goodbyeLimit)
        return tls
    }

    private static func certificates(_ path: String, _ bytesMax: Int) throws(TLSTransportError) -> [NIOSSLCertificate] {
        let bytes = try CredentialFile.read(path, bytesMax: bytesMax)
        do {
            return try NIOSSLCertificate.fromPEMBytes(bytes)
        } catch {
            throw TLSTransportError(.credentialsUnusable, "\(path) does not hold certificates in PEM")
        }
    }
}

/// When a certificate is valid, in seconds since 1970.
package struct CertificateFacts: Hashable, Sendable {
    package let serial: String
    package let notValidBefore: Int
    package let notValidAfter: Int

    init(_ certificate: NIOSSLCertificate) {
        serial = Hexadecimal.withoutLeadingZeros(Hexadecimal.text(certificate.serialNumber))
        notValidBefore = certificate.notValidBefore
        notValidAfter = certificate.notValidAfter
    }
}
