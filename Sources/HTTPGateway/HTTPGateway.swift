package import ClipModel
import Hummingbird
import HummingbirdCore
package import Jobs
package import Logging
import NIOCore
import ServiceLifecycle
package import Store

/// Who answers: put into `/api/health`.
package struct GatewayIdentity: Sendable, Hashable {
    package let node: NodeID
    package let region: Region
    package let version: String

    package init(node: NodeID, region: Region, version: String) {
        self.node = node
        self.region = region
        self.version = version
    }
}

/// The front door of a node: takes videos and jobs in, tells how they fare, and hands clips out.
///
/// It holds no state that matters. Every node's door shows the same jobs, because all of them ask the store.
package struct HTTPGateway: Service {
    private let application: Application<RouterResponder<GatewayContext>>
    private let glance: NodeGlance

    /// - Parameters:
    ///   - cluster: how operators look at the cluster; nil: this node takes no part in one.
    ///   - admission: the limits of clients; nil admits everybody.
    ///   - metrics: where requests are counted, and what `/api/metrics` shows; nil: nothing is counted.
    ///   - quarantine: the book of infected uploads, for operators; nil: it cannot be looked at here.
    ///   - defences: what stands between uploads and decoders. Must return at once.
    ///   - now: the time of day, for certificates and reports.
    ///   - onListening: called once with the port that is listened on.
    package init(
        jobs: JobService, identity: GatewayIdentity, configuration: GatewayConfiguration,
        cluster: ClusterInspection? = nil, admission: RequestAdmission? = nil, metrics: MetricsInspection? = nil,
        quarantine: (any QuarantineBook)? = nil,
        defences: @escaping @Sendable () -> DefenceReport = { DefenceReport() }, clock: any Clock<Duration>,
        now: @escaping WallTime = systemWallTime, chance: Chance, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        let glance = NodeGlance(store: jobs.store, clock: clock)
        let gate = AdminGate(configuration)
        let admin = AdminRoutes(jobs: jobs, gate: gate, cluster: cluster, glance: glance, now: now)
        let routes =
            Self.routes(
                jobs: jobs, identity: identity, configuration: configuration, gate: gate, defences: defences,
                clock: clock)
            + admin.routes + AdminJobRoutes(jobs: jobs, gate: gate, cluster: cluster).routes
            + AdminClientRoutes(store: jobs.store, gate: gate).routes
            + AdminTallyRoutes(store: jobs.store, gate: gate).routes
            + (quarantine.map { AdminQuarantineRoutes(book: $0, gate: gate).routes } ?? [])
            + (metrics.map { MetricsRoutes(inspection: $0, gate: gate).routes } ?? [])
        self.glance = glance
        var table = RouteTable()
        for route in routes { table.add(route.method, route.template) }
        let router = Router(context: GatewayContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestIdentity(chance: chance, clock: clock))
        router.add(middleware: SafeHeaders())
        if let metrics { router.add(middleware: RequestMetrics(metrics.registry, clock: clock)) }
        router.add(middleware: ProblemAnswers(table: table, lingerSeconds: configuration.lingerSeconds))
        if let overload = jobs.overload { router.add(middleware: OverloadGate(watch: overload)) }
        if let admission { router.add(middleware: AdmissionControl(admission: admission)) }
        for route in routes { router.on(RouterPath(route.template), method: route.method, use: route.handler) }
        var setup = ApplicationConfiguration(address: .hostname(configuration.host, port: configuration.port))
        setup.availableConnectionsDelegate = MaximumAvailableConnections(configuration.connectionsMax, logger: logger)
        application = Application(
            router: router,
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(Int64(configuration.idleSeconds)),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: configuration.headerBytesMax,
                        maxHeaderListSize: configuration.headerBytesMax, maxHeaderFieldCount: 100))),
            configuration: setup,
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? configuration.port) },
            logger: logger)
    }

    /// Serves until the service group shuts down: then answers what is under way and ends event streams.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await glance.run() }
            try await application.run()
            group.cancelAll()
        }
    }

    private static func routes(
        jobs: JobService, identity: GatewayIdentity, configuration: GatewayConfiguration, gate: AdminGate,
        defences: @escaping @Sendable () -> DefenceReport, clock: any Clock<Duration>
    ) -> [Route] {
        let events = EventRoutes(
            jobs: jobs, configuration: configuration, clock: clock, slots: StreamSlots(limit: configuration.streamsMax))
        let health = HealthRoutes(
            jobs: jobs, identity: identity, gate: gate, uploadBytesMax: configuration.uploadBytesMax,
            defences: defences)
        return UploadRoutes(jobs: jobs, configuration: configuration).routes
            + ImportRoutes(jobs: jobs, configuration: configuration).routes
            + JobRoutes(jobs: jobs, configuration: configuration).routes
            + events.routes + ClipRoutes(jobs: jobs).routes + ArchiveRoutes(jobs: jobs).routes + health.routes
            + PageRoutes().routes
    }
}
