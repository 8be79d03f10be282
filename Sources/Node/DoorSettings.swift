import Glibc
package import HTTPGateway

/// How a node's door is hung: the sections `http` and `admin` of its configuration, as far as they are about sockets.
package struct DoorSettings: Sendable {
    package let credentials: DoorCredentials?
    package let redirectPort: Int?
    package let adminHost: String
    package let adminPort: Int?
    /// Base URL for clients.
    package let address: String
    package let connectionsMax: Int
    package let connectionsPerAddressMax: Int
    package let headerBytesMax: Int
    package let pace: ConnectionPace.Limits
    package let shutdownSeconds: Int
    package let proxies: TrustedProxies
    package let forwardedHeader: TrustedProxies.Header
    package let expectsProxyHeader: Bool
    package let requiresKeys: Bool
    package let origins: AllowedOrigins
    package let signedDownloads: SignedDownloads
    package let strictTransportSeconds: Int?

    init(_ values: ConfigurationValues) throws(ConfigurationError) {
        var problems: [String] = []
        let certificate = values.text("http.tls.certificate"), key = values.text("http.tls.key")
        if certificate.isEmpty != key.isEmpty {
            problems.append("http.tls.certificate and http.tls.key go together: set both, or neither")
        }
        let version = DoorCredentials.Version(rawValue: values.text("http.tls.minimumVersion")) ?? .tls12
        let isSecure = !certificate.isEmpty
        credentials = isSecure ? DoorCredentials(certificate: certificate, key: key, minimumVersion: version) : nil
        let redirect = values.integer("http.redirectPort"), admin = values.integer("admin.port")
        redirectPort = redirect == 0 ? nil : redirect
        adminPort = admin == 0 ? nil : admin
        if redirectPort != nil, !isSecure {
            problems.append("http.redirectPort needs http.tls.certificate: there is nothing to redirect to")
        }
        if [redirectPort, adminPort].contains(values.integer("http.port")) || (redirect != 0 && redirect == admin) {
            problems.append("http.port, http.redirectPort and admin.port must differ")
        }
        adminHost = values.text("admin.host")
        let given = values.text("http.address")
        address =
            given.isEmpty
            ? "\(isSecure ? "https" : "http")://\(values.text("http.host")):\(values.integer("http.port"))" : given
        let hsts = values.integer("http.hstsSeconds")
        // Also behind a balancer that speaks TLS for us.
        strictTransportSeconds = hsts > 0 && (isSecure || given.hasPrefix("https://")) ? hsts : nil
        connectionsMax = values.integer("http.connectionsMax")
        connectionsPerAddressMax = values.integer("http.connectionsPerAddressMax")
        headerBytesMax = values.integer("http.headerBytesMax")
        shutdownSeconds = values.integer("http.shutdownSeconds")
        var pace = ConnectionPace.Limits()
        pace.headSeconds = Double(values.integer("http.headSeconds"))
        pace.idleSeconds = Double(values.integer("http.idleSeconds"))
        pace.bodyBytesPerSecondMin = Double(values.integer("http.bodyBytesPerSecondMin"))
        pace.stuckSeconds = Double(values.integer("http.stuckSeconds"))
        self.pace = pace
        let trusted = TrustedProxies(values.text("http.trustedProxies"))
        if trusted == nil { problems.append("http.trustedProxies must be addresses or networks, as 10.0.0.0/8") }
        proxies = trusted ?? TrustedProxies.none
        forwardedHeader = TrustedProxies.Header(rawValue: values.text("http.forwardedHeader")) ?? .forwardedFor
        expectsProxyHeader = values.text("http.proxyProtocol") == "on"
        if expectsProxyHeader, proxies.isEmpty {
            problems.append("http.proxyProtocol needs http.trustedProxies: nobody else may say who a client is")
        }
        requiresKeys = values.text("http.keys.required") == "true"
        let allowed = AllowedOrigins(values.text("http.origins"))
        if allowed == nil { problems.append("http.origins must be *, or origins such as https://app.example") }
        origins = allowed ?? AllowedOrigins.none
        signedDownloads = SignedDownloads(rawValue: values.text("http.downloads.signed")) ?? .off
        if !problems.isEmpty { throw ConfigurationError(problems) }
    }

    /// Puts it all into the door's own words.
    /// - Parameter descriptorsMax: what this process may have open; the node needs some for itself.
    func configure(_ gateway: inout GatewayConfiguration, descriptorsMax: Int) {
        gateway.credentials = credentials
        gateway.redirectPort = redirectPort
        gateway.adminHost = adminHost
        gateway.adminPort = adminPort
        gateway.publicAddress = address.hasPrefix("https://") && !address.contains("//0.0.0.0") ? address : nil
        gateway.connectionsMax = max(64, min(connectionsMax, descriptorsMax - Self.descriptorsKept))
        gateway.connectionsPerAddressMax = connectionsPerAddressMax
        gateway.headerBytesMax = headerBytesMax
        gateway.pace = pace
        gateway.shutdownSeconds = shutdownSeconds
        gateway.trustedProxies = proxies
        gateway.forwardedHeader = forwardedHeader
        gateway.expectsProxyHeader = expectsProxyHeader
        gateway.requiresKeys = requiresKeys
        gateway.origins = origins
        gateway.signedDownloads = signedDownloads
        gateway.strictTransportSeconds = strictTransportSeconds
    }

    /// Descriptors that are not for clients: the database, peers, children, files.
    private static let descriptorsKept = 512

    /// Asks the kernel for as many descriptors as this process may have, and tells how many that is.
    static func raiseDescriptors() -> Int {
        var limit = rlimit()
        // The structure is ours and lives for the length of both calls.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return Int(clamping: limit.rlim_cur)
    }
}
