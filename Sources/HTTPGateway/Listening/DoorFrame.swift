import HTTPTypes
import Hummingbird
import HummingbirdCore
import Jobs
import Logging
import ServiceLifecycle
import Telemetry

/// What all entrances of a node have in common, and how each of them is made.
struct DoorFrame {
    /// Open connections of the entrances that few use.
    static let sideConnectionsMax = 256
    /// Connections that wait to be accepted, as far as the kernel's `somaxconn` allows.
    static let backlog = 4096

    let configuration: GatewayConfiguration
    let table: ConnectionTable
    let certificate: DoorCertificate?
    let chance: Chance
    let clock: any Clock<Duration>
    let requestMetrics: RequestMetrics?
    let overload: OverloadWatch?
    let keys: ClientKeys
    let admission: AdmissionControl?
    let repeated: RepeatedRequests?
    let logger: Logger
    let onListening: @Sendable (_ entrance: HTTPGateway.Entrance, _ port: Int) async -> Void

    /// The sockets, and what they answer to.
    func doors(for routes: [Route]) -> ([any Service], [HTTPGateway.Endpoint]) {
        var doors: [any Service] = []
        var endpoints: [HTTPGateway.Endpoint] = []
        func hang(_ routes: [Route], _ entrance: HTTPGateway.Entrance, host: String, port: Int, connectionsMax: Int) {
            let router = router(for: routes)
            endpoints += router.routes.map { .init(method: $0.method, template: "\($0.path)") }
            doors.append(door(router, entrance, certificate, host: host, port: port, connectionsMax: connectionsMax))
        }
        let host = configuration.host
        if let port = configuration.adminPort {
            // A balancer's or a dashboard's questions are answered at both.
            let both = ["/livez", "/readyz", "/api/health", "/api/metrics"]
            hang(
                routes.filter { !$0.template.hasPrefix("/admin/") }, .main, host: host, port: configuration.port,
                connectionsMax: configuration.connectionsMax)
            hang(
                routes.filter { $0.template.hasPrefix("/admin/") || both.contains($0.template) }, .admin,
                host: configuration.adminHost, port: port, connectionsMax: Self.sideConnectionsMax)
        } else {
            hang(
                routes, .main, host: host, port: configuration.port, connectionsMax: configuration.connectionsMax)
        }
        if let port = configuration.redirectPort {
            doors.append(
                door(
                    redirecting(), .redirect, nil, host: host, port: port, connectionsMax: Self.sideConnectionsMax))
        }
        return (doors, endpoints)
    }

    private func router(for routes: [Route]) -> Router<GatewayContext> {
        var table = RouteTable()
        for route in routes { table.add(route.method, route.template) }
        let router = Router(context: GatewayContext.self)
        router.add(middleware: identity)
        router.add(middleware: SafeHeaders(configuration))
        router.add(middleware: CrossOrigin(origins: configuration.origins, table: table))
        if let requestMetrics { router.add(middleware: requestMetrics) }
        router.add(middleware: ContentAnswers())
        router.add(middleware: ProblemAnswers(table: table, lingerSeconds: configuration.lingerSeconds))
        if let overload { router.add(middleware: OverloadGate(watch: overload, routes: routes)) }
        router.add(middleware: keys)
        if let admission { router.add(middleware: admission) }
        if configuration.requiresKeys { router.add(middleware: KeyRequirement()) }
        for route in routes.map({ repeated?.guarding($0) ?? $0 }) {
            router.on(RouterPath(route.template), method: route.method, use: route.handler)
            if route.method == .get { router.on(RouterPath(route.template), method: .head, use: route.handler) }
        }
        return router
    }

    /// Without a route: the middleware answers everything.
    private func redirecting() -> Router<GatewayContext> {
        let router = Router(context: GatewayContext.self)
        router.add(middleware: identity)
        router.add(middleware: SafeHeaders(plain))
        router.add(middleware: ProblemAnswers(table: RouteTable(), lingerSeconds: configuration.lingerSeconds))
        router.add(middleware: RedirectToTLS(base: configuration.publicAddress, port: configuration.port))
        return router
    }

    /// A browser ignores HSTS without TLS, and the standard forbids to send it there.
    private var plain: GatewayConfiguration {
        var plain = configuration
        plain.strictTransportSeconds = nil
        return plain
    }

    private var identity: RequestIdentity {
        RequestIdentity(
            chance: chance, clock: clock, table: table, proxies: configuration.trustedProxies,
            forwardedHeader: configuration.forwardedHeader)
    }

    private func door(
        _ router: Router<GatewayContext>, _ entrance: HTTPGateway.Entrance, _ certificate: DoorCertificate?,
        host: String, port: Int, connectionsMax: Int
    ) -> any Service {
        let unparsed = UnparsedAnswer(headers: SafeHeaders(entrance == .redirect ? plain : configuration))
        let (configuration, table, onListening) = (configuration, table, onListening)
        var setup = ApplicationConfiguration(address: .hostname(host, port: port), backlog: Self.backlog)
        setup.availableConnectionsDelegate = MaximumAvailableConnections(connectionsMax, logger: logger)
        return Application(
            router: router,
            server: HTTPServerBuilder { responder in
                DoorChannel(
                    configuration, table: table, certificate: certificate, unparsed: unparsed, responder: responder)
            },
            configuration: setup,
            onServerRunning: { channel in await onListening(entrance, channel.localAddress?.port ?? port) },
            logger: logger)
    }
}

/// Looks after open connections and the certificate.
struct DoorWatch: Sendable {
    /// Between two looks at the files of the certificate.
    private static let certificateTicks = 5

    let table: ConnectionTable
    let certificate: DoorCertificate?
    let shutdownSeconds: Int
    let clock: any Clock<Duration>
    let logger: Logger

    /// Ends by cancellation only.
    func sweep() async {
        var tick = 0
        // The only error of a sleep is cancellation.
        while (try? await clock.sleep(for: .seconds(1))) != nil {
            table.sweep()
            tick += 1
            if tick.isMultiple(of: Self.certificateTicks) { certificate?.look(logger) }
        }
    }

    /// A client that downloads slowly must not keep a node from stopping.
    func closeLateComers() async {
        // Both end early only by cancellation: then every connection is closed already.
        guard (try? await gracefulShutdown()) != nil,
            (try? await clock.sleep(for: .seconds(shutdownSeconds))) != nil
        else { return }
        table.closeAll()
    }
}

extension MetricRegistry {
    /// The connections of the door.
    func addConnections(_ table: ConnectionTable) {
        let open = MetricDeclaration.gauge("http_connections_open", help: "Connections of clients that stand.")
        let closed = MetricDeclaration.counter(
            "http_connections_closed_total", help: "Connections that this node ended, by reason.", labels: ["reason"])
        addReader([open, closed]) { readings in
            let counts = table.counts
            readings.gauge(open.name, Double(counts.open))
            for (reason, total) in counts.closed { readings.counter(closed.name, labels: [reason], total) }
        }
    }
}
