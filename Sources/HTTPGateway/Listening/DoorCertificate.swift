// Where libcurl is in the graph too, the compiler takes `stat` to be a part of this.
import CDispatch
import Glibc
import Logging
import NIOSSL
import Synchronization

/// Where a door's certificate stands, and what it accepts.
package struct DoorCredentials: Sendable, Hashable {
    package enum Version: String, Sendable, Hashable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// PEM: the certificate, then intermediate ones.
    package var certificate: String
    /// PEM, without a passphrase.
    package var key: String
    package var minimumVersion: Version

    package init(certificate: String, key: String, minimumVersion: Version = .tls12) {
        self.certificate = certificate
        self.key = key
        self.minimumVersion = minimumVersion
    }
}

/// The certificate in force, exchanged without a restart when its files change.
package final class DoorCertificate: Sendable {
    package struct Unusable: Error, CustomStringConvertible {
        package let description: String
    }

    /// Only suites with forward secrecy and authenticated encryption. TLS 1.3 has no others.
    static let suites = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ]

    private struct State {
        var context: NIOSSLContext
        var expiresAt: Int
        var stamps: [Stamp?]
        /// Files that could not be used, so that it is said once.
        var broken: [Stamp?]?
    }

    private let credentials: DoorCredentials
    private let state: Mutex<State>

    /// Throws when the files cannot be read or do not belong together: a node does not start half open.
    package init(_ credentials: DoorCredentials) throws(Unusable) {
        self.credentials = credentials
        // Before reading: a file that changes meanwhile has a newer stamp and is read again.
        let stamps = Self.stamps(credentials)
        let (context, expiresAt) = try Self.load(credentials)
        state = Mutex(State(context: context, expiresAt: expiresAt, stamps: stamps))
    }

    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Seconds since 1970.
    package var expiresAt: Int { state.withLock { $0.expiresAt } }

    /// Looks whether the files are those of the last time. A pair that does not match yet (one file is written before
    /// the other) is tried again at every look; what was in force stays.
    func look(_ logger: Logger) {
        let stamps = Self.stamps(credentials)
        guard state.withLock({ $0.stamps != stamps }) else { return }
        do {
            let (context, expiresAt) = try Self.load(credentials)
            state.withLock { $0 = State(context: context, expiresAt: expiresAt, stamps: stamps) }
            logger.notice("certificate replaced", metadata: ["http.tls.certificate": "\(credentials.certificate)"])
        } catch {
            let isNews = state.withLock { state in
                defer { state.broken = stamps }
                return state.broken != stamps
            }
            if isNews {
                logger.warning("certificate cannot be used, the one before stays", metadata: ["error": "\(error)"])
            }
        }
    }

    private static func load(_ credentials: DoorCredentials) throws(Unusable) -> (NIOSSLContext, Int) {
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(credentials.certificate) } catch {
            throw Unusable(description: "\(credentials.certificate) does not hold certificates in PEM (\(error))")
        }
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(file: credentials.key, format: .pem) } catch {
            throw Unusable(description: "\(credentials.key) is not a private key in PEM (\(error))")
        }
        guard let first = chain.first else {
            throw Unusable(description: "\(credentials.certificate) holds no certificate")
        }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        tls.minimumTLSVersion = credentials.minimumVersion == .tls13 ? .tlsv13 : .tlsv12
        tls.cipherSuites = suites.joined(separator: ":")
        tls.applicationProtocols = ["h2", "http/1.1"]
        do { return (try NIOSSLContext(configuration: tls), Int(first.notValidAfter)) } catch {
            throw Unusable(
                description: "\(credentials.certificate) does not go with the key in \(credentials.key) (\(error))")
        }
    }

    /// Tells one state of a file from another without reading it. The inode is part of it, so that a file that was
    /// renamed into place with an older date is seen.
    private struct Stamp: Hashable, Sendable {
        let inode: UInt64
        let bytes: Int64
        let seconds: Int
        let nanoseconds: Int

        init?(_ path: String) {
            var facts = stat()
            // The string lives for the length of the call, and `facts` is ours.
            guard unsafe stat(path, &facts) == 0 else { return nil }
            inode = UInt64(facts.st_ino)
            bytes = Int64(facts.st_size)
            seconds = facts.st_mtim.tv_sec
            nanoseconds = facts.st_mtim.tv_nsec
        }
    }

    private static func stamps(_ credentials: DoorCredentials) -> [Stamp?] {
        [Stamp(credentials.certificate), Stamp(credentials.key)]
    }
}
