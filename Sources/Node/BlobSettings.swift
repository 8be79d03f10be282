package import Blobs
import ClipModel
import Foundation
package import Jobs
package import Logging
import S3Blobs

/// The part of the configuration that says where blobs stand, and the making of the store from it.
package struct BlobSettings: Sendable {
    package let directory: String
    package let freeBytesMin: Int64
    private let cacheBytesMax: Int64
    /// Nil: the directory is the store.
    private let bucket: Bucket?

    private struct Bucket: Sendable {
        let configuration: S3Configuration
        let chain: CredentialChain
        let clientRequestsMax: Int
    }

    /// Clients wait for a service that does not answer for this part of the time that work does.
    private static let patienceDivisor = 10

    init(
        _ values: ConfigurationValues, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ConfigurationError) {
        directory = values.text("blobs.directory")
        freeBytesMin = Int64(values.integer("blobs.freeBytesMin"))
        cacheBytesMax = Int64(values.integer("blobs.cacheBytesMax"))
        guard directory.hasPrefix("/") else {
            throw ConfigurationError(["blobs.directory must be an absolute path, is \"\(directory)\""])
        }
        bucket = try values.text("blobs.kind") == "s3" ? Self.bucket(values, environment) : nil
    }

    /// Blobs that nothing names are left alone for so long. S3 says of an object that was sent in parts that it changed
    /// when its sending began, so it may look old the moment it appears, before its row is committed. No sending lives
    /// longer than uploads in parts are kept; an hour more is for the commit. A directory knows when bytes last came.
    package var leftoverSeconds: Double {
        let commitSeconds = 3600.0
        return Double(bucket?.configuration.staleSeconds ?? 0) + commitSeconds
    }

    /// The store for work, and the same for clients, who wait for less long.
    package func makeStores(
        clock: any Clock<Duration>, chance: Chance, logger: Logger
    ) throws(BlobError) -> (work: any BlobStore, clients: any BlobStore) {
        let limits = BlobLimits(freeBytesMin: freeBytesMin)
        guard let bucket else {
            let store = try BlobDirectory(root: directory, limits: limits)
            return (store, store)
        }
        if let reason = bucket.chain.passedOver {
            logger.warning("a source of credentials for S3 is passed over", metadata: ["reason": "\(reason)"])
        }
        let credentials = CredentialProvider(
            bucket.chain, proxy: bucket.configuration.proxy, now: systemWallTime)
        let client = try S3Client(
            bucket.configuration, credentials: credentials, clock: clock, now: systemWallTime,
            chance: { chance.fraction() }, logger: logger)
        let store = try S3BlobStore(
            client: client, room: LocalRoom(root: directory, limits: limits), cacheBytesMax: cacheBytesMax)
        let forClients = store.another(
            patience: bucket.configuration.patience / Self.patienceDivisor, requestsMax: bucket.clientRequestsMax)
        return (store, forClients)
    }

    /// Requests for work and for clients, together as many as there may be; each has one at least.
    package static func shares(of requestsMax: Int) -> (work: Int, clients: Int) {
        (max(1, (requestsMax + 1) / 2), max(1, requestsMax / 2))
    }

    private static func bucket(
        _ values: ConfigurationValues, _ environment: [String: String]
    ) throws(ConfigurationError) -> Bucket {
        func text(_ key: String) -> String { values.text("blobs.s3." + key) }
        func given(_ key: String) -> String? { text(key).isEmpty ? nil : text(key) }
        var problems: [String] = []
        guard let name = given("bucket") else {
            throw ConfigurationError(["blobs.s3.bucket must be set when blobs.kind is s3"])
        }
        let isAWS = given("endpoint") == nil
        var configuration = S3Configuration(
            endpoint: given("endpoint") ?? "https://s3.\(text("region")).amazonaws.com", region: text("region"),
            bucket: name)
        configuration.publicEndpoint = given("publicEndpoint")
        configuration.prefix = text("prefix")
        if !configuration.prefix.isEmpty, BlobName(configuration.prefix) == nil {
            problems.append("blobs.s3.prefix must be segments of A-Z a-z 0-9 . _ - joined by /, without one at the end")
        }
        let style = text("style") == "auto" ? (isAWS ? "host" : "path") : text("style")
        configuration.style = S3Configuration.Style(rawValue: style) ?? .path
        configuration.authoritiesPath = given("authorities")
        if let path = configuration.authoritiesPath, !FileManager.default.isReadableFile(atPath: path) {
            problems.append("blobs.s3.authorities: there is no readable file at \(path)")
        }
        configuration.proxy = given("proxy")
        if let proxy = configuration.proxy, !proxy.hasPrefix("http://") || proxy.dropFirst(7).isEmpty {
            problems.append("blobs.s3.proxy must be http://host:port")
        }
        switch text("encryption") {
        case "service": configuration.encryption = .service
        case "kms": configuration.encryption = .kms(key: given("kmsKey"))
        default: configuration.encryption = .bucket
        }
        configuration.sendsChecksums = text("checksums") == "sha256"
        configuration.redirectsDownloads = text("redirectDownloads") == "true"
        configuration.setsLifecycle = text("lifecycle") == "set"
        configuration.linkSeconds = values.integer("blobs.s3.linkSeconds")
        configuration.partBytes = Int64(values.integer("blobs.s3.partBytes"))
        let shares = Self.shares(of: values.integer("blobs.s3.requestsMax"))
        configuration.requestsMax = shares.work
        configuration.patience = .seconds(values.integer("blobs.s3.patienceSeconds"))
        configuration.connectSecondsMax = values.integer("blobs.s3.connectSeconds")
        configuration.stalledSecondsMax = values.integer("blobs.s3.stalledSeconds")
        configuration.staleSeconds = values.integer("blobs.s3.staleUploadSeconds")
        if (given("accessKey") == nil) != (given("secretKey") == nil) {
            problems.append("blobs.s3.accessKey and blobs.s3.secretKey must both be set, or neither")
        }
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        return Bucket(
            configuration: configuration, chain: try chain(values, environment), clientRequestsMax: shares.clients)
    }

    private static func chain(
        _ values: ConfigurationValues, _ environment: [String: String]
    ) throws(ConfigurationError) -> CredentialChain {
        let (key, secret) = (values.text("blobs.s3.accessKey"), values.text("blobs.s3.secretKey"))
        let profile = values.text("blobs.s3.profile")
        do {
            return try CredentialChain(
                CredentialChain.Kind(rawValue: values.text("blobs.s3.credentials")) ?? .auto,
                settings: key.isEmpty ? nil : S3Credentials(accessKey: key, secretKey: secret),
                profile: profile.isEmpty ? nil : profile, region: values.text("blobs.s3.region"),
                environment: environment)
        } catch { throw ConfigurationError(["blobs.s3.credentials: \(error)"]) }
    }
}
