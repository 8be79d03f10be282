package import ClipModel

/// Where credentials may come from, and which of them are asked, in which order: decided from the settings and the
/// environment alone.
package struct CredentialChain: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Settings, environment, web identity, file, container, instance: the first that there is.
        case auto
        case settings, environment
        case webIdentity = "web-identity"
        case file, container, instance
    }

    package enum Source: Sendable, Hashable {
        /// Given, and never renewed.
        case fixed(S3Credentials)
        /// A token of another house (on EKS: the service account's), which STS exchanges for a role's credentials.
        case webIdentity(WebIdentity)
        /// The shared file of the AWS tools, and the name of a profile in it. Looked at again when they are refused.
        case file(path: String, profile: String)
        /// What ECS and EKS put beside a container; the token is in a file where it changes.
        case container(url: String, token: Token?)
        /// IMDSv2 of an EC2 instance.
        case instance(endpoint: String)
    }

    package enum Token: Sendable, Hashable { case text(String), file(path: String) }

    /// What `AssumeRoleWithWebIdentity` is asked with. The token is in a file that whoever runs us writes anew.
    package struct WebIdentity: Sendable, Hashable {
        /// Of STS: `scheme://host[:port]`.
        package let endpoint: String
        package let role: String
        /// What the role's user is called in AWS's logs.
        package let session: String
        package let tokenPath: String
    }

    /// Why there is nobody to ask.
    package struct Trouble: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Asked in this order. With `auto`, one that has nothing is passed over.
    package let sources: [Source]
    /// Why one that the environment begins to describe is none; nil: there is no such.
    package let passedOver: String?

    /// - Parameters:
    ///   - settings: what the configuration says; both keys or none.
    ///   - region: whose STS is asked when the environment names no other.
    package init(
        _ kind: Kind, settings: S3Credentials?, profile: String?, region: String = "us-east-1",
        environment: [String: String]
    ) throws(Trouble) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        var sources: [Source] = []
        if let settings, kind == .auto || kind == .settings { sources.append(.fixed(settings)) }
        if kind == .auto || kind == .environment, let key = value("AWS_ACCESS_KEY_ID") {
            guard let secret = value("AWS_SECRET_ACCESS_KEY") else {
                throw Trouble(description: "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not")
            }
            sources.append(
                .fixed(
                    S3Credentials(accessKey: key, secretKey: secret, sessionToken: value("AWS_SESSION_TOKEN"))))
        }
        // Some platforms put the token's file into every container, whether it has a role or not.
        if kind == .auto, value("AWS_WEB_IDENTITY_TOKEN_FILE") != nil, value("AWS_ROLE_ARN") == nil {
            passedOver = Self.noRole
        } else {
            passedOver = nil
            if kind == .auto || kind == .webIdentity, let identity = try Self.webIdentity(region, value) {
                sources.append(.webIdentity(identity))
            }
        }
        if kind == .auto || kind == .file {
            let home = value("HOME").map { $0 + "/.aws/credentials" }
            if let path = value("AWS_SHARED_CREDENTIALS_FILE") ?? home {
                sources.append(.file(path: path, profile: profile ?? value("AWS_PROFILE") ?? "default"))
            }
        }
        if kind == .auto || kind == .container, let container = try Self.container(value) { sources.append(container) }
        let mayAskInstance = value("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true"
        if kind == .instance || (kind == .auto && mayAskInstance) {
            sources.append(
                .instance(endpoint: value("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? "http://169.254.169.254"))
        }
        guard !sources.isEmpty else {
            throw Trouble(description: Self.nothing(kind) + (passedOver.map { "; \($0)" } ?? ""))
        }
        self.sources = sources
    }

    private static let noRole = "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not"

    private static func webIdentity(
        _ region: String, _ value: (String) -> String?
    ) throws(Trouble) -> WebIdentity? {
        guard let path = value("AWS_WEB_IDENTITY_TOKEN_FILE") else { return nil }
        guard let role = value("AWS_ROLE_ARN") else {
            throw Trouble(description: noRole)
        }
        let region = value("AWS_REGION") ?? value("AWS_DEFAULT_REGION") ?? region
        // It becomes part of a host's name.
        guard region.utf8.allSatisfy({ "abcdefghijklmnopqrstuvwxyz0123456789-".utf8.contains($0) }) else {
            throw Trouble(description: "\(region) is no region of AWS")
        }
        let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
        var endpoint = value("AWS_ENDPOINT_URL_STS") ?? "https://sts.\(region).\(domain)"
        if endpoint.hasSuffix("/") { endpoint.removeLast() }
        // The token goes there, and is as good as a password.
        guard isSafe(endpoint) else {
            throw Trouble(description: "AWS_ENDPOINT_URL_STS is neither https nor at this machine: \(endpoint)")
        }
        return WebIdentity(
            endpoint: endpoint, role: role, session: value("AWS_ROLE_SESSION_NAME") ?? "tijera", tokenPath: path)
    }

    private static func container(_ value: (String) -> String?) throws(Trouble) -> Source? {
        let token =
            value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map { Token.file(path: $0) }
            ?? value("AWS_CONTAINER_AUTHORIZATION_TOKEN").map { Token.text($0) }
        if let path = value("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            return .container(url: "http://169.254.170.2" + path, token: token)
        }
        guard let url = value("AWS_CONTAINER_CREDENTIALS_FULL_URI") else { return nil }
        guard isSafe(url) else {
            throw Trouble(
                description: "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor at this machine: \(url)")
        }
        return .container(url: url, token: token)
    }

    /// Without TLS only those addresses that the AWS tools take: loopback, and the agents of ECS and EKS.
    private static func isSafe(_ url: String) -> Bool {
        if url.hasPrefix("https://") { return true }
        guard url.hasPrefix("http://") else { return false }
        let authority = url.dropFirst("http://".count).prefix { $0 != "/" && $0 != "?" }
        if authority.contains("@") { return false }
        let host =
            authority.hasPrefix("[")
            ? String(authority.prefix { $0 != "]" }.dropFirst())
            : String(authority.prefix { $0 != ":" })
        if ["localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"].contains(host) { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return octets.count == 4 && octets.allSatisfy { $0 != nil } && octets[0] == 127
    }

    private static func nothing(_ kind: Kind) -> String {
        switch kind {
        case .auto: "no credentials are given anywhere"
        case .settings: "blobs.s3.accessKey and blobs.s3.secretKey are not set"
        case .environment: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"
        case .webIdentity: "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are not set"
        case .file: "neither AWS_SHARED_CREDENTIALS_FILE nor HOME is set"
        case .container: "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set"
        case .instance: "the instance is not asked"
        }
    }
}

/// Whether the credentials at hand will do.
package struct CredentialRenewal: Sendable {
    package enum Step: Sendable, Hashable { case use(S3Credentials), renew }

    /// So long before their end they are renewed, in seconds: a request that is signed now may be retried for minutes.
    package static let earlySeconds: Double = 300
    /// After a renewal that failed the old ones are used, if they still are good, and no other is tried for this long.
    package static let pauseSeconds: Double = 30

    private var current: S3Credentials?
    private var pausedUntil: Timestamp?
    private var areRefused = false

    package init() {}

    /// Whether there were any before.
    package var hasWorked: Bool { current != nil }

    package func step(at now: Timestamp) -> Step {
        guard let current, !areRefused else { return .renew }
        guard let end = current.expiresAt, end.seconds(since: now) < Self.earlySeconds else { return .use(current) }
        if let pausedUntil, now < pausedUntil, now < end { return .use(current) }
        return .renew
    }

    package mutating func renewed(_ credentials: S3Credentials) {
        current = credentials
        pausedUntil = nil
        areRefused = false
    }

    /// Answers with the old ones where they still are good.
    package mutating func failed(at now: Timestamp) -> S3Credentials? {
        pausedUntil = now.advanced(bySeconds: Self.pauseSeconds)
        guard let current, !areRefused, current.expiresAt.map({ now < $0 }) ?? true else { return nil }
        return current
    }

    /// The service says that these are no longer good. Others may have come meanwhile.
    package mutating func refused(_ credentials: S3Credentials) {
        if credentials == current { areRefused = true }
    }
}
