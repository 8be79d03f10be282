package import ClipModel
package import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Jobs
package import Logging
import NIOCore
import ServiceLifecycle
package import Store
import Uploads

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
    /// The sockets of a node's door.
    package enum Entrance: String, Sendable, Hashable {
        /// For everybody.
        case main
        /// For operators, when they have one of their own.
        case admin
        /// Without TLS, to show the way to `main`.
        case redirect
    }

    /// One method of one address.
    package struct Endpoint: Sendable, Hashable {
        package let method: HTTPRequest.Method
        /// `/api/jobs/{id}`
        package let template: String
    }

    /// Everything that the routers answer to, as they themselves tell it.
    package let endpoints: [Endpoint]
    private let doors: [any Service]
    private let glance: NodeGlance
    private let watch: DoorWatch
    private let uploads: UploadService
    private let keys: KeyDirectory

    /// Throws when the certificate cannot be used.
    /// - Parameters:
    ///   - cluster: how operators look at the cluster; nil: this node takes no part in one.
    ///   - admission: the limits of clients; nil admits everybody.
    ///   - metrics: where requests are counted, and what `/api/metrics` shows; nil: nothing is counted.
    ///   - quarantine: the book of infected uploads, for operators; nil: it cannot be looked at here.
    ///   - keys: the book of clients' keys; nil: no client has one here, and every key is refused.
    ///   - replies: the book of answers to requests with an idempotency key; nil: only new jobs heed one.
    ///   - defences: what stands between uploads and decoders. Must return at once.
    ///   - now: the time of day, for certificates and reports.
    ///   - onListening: called once for each entrance with the port that is listened on.
    package init(
        jobs: JobService, identity: GatewayIdentity, configuration: GatewayConfiguration,
        cluster: ClusterInspection? = nil, admission: RequestAdmission? = nil, metrics: MetricsInspection? = nil,
        quarantine: (any QuarantineBook)? = nil, keys: (any KeyBook)? = nil,
        replies: (any ReplyBook)? = nil,
        defences: @escaping @Sendable () -> DefenceReport = { DefenceReport() }, clock: any Clock<Duration>,
        now: @escaping WallTime = systemWallTime, chance: Chance, logger: Logger,
        onListening: @escaping @Sendable (_ entrance: Entrance, _ port: Int) async -> Void = { _, _ in }
    ) throws {
        let glance = NodeGlance(store: jobs.store, clock: clock)
        let gate = AdminGate(configuration)
        let uploads = UploadService(
            store: jobs.store, blobs: jobs.blobs, node: identity.node, limits: configuration.uploads, clock: clock,
            now: now, newID: jobs.newUploadID, source: jobs.blobName(of:), logger: logger)
        self.uploads = uploads
        let keyring = LinkKeyring(book: jobs.store, chance: chance, elapsed: stopwatch(clock))
        let downloads = DownloadGate(keyring: keyring, policy: configuration.signedDownloads, now: now)
        let quota = QuotaGate(jobs: jobs, registry: metrics?.registry, elapsed: stopwatch(clock))
        let routes =
            Self.routes(
                jobs: jobs, uploads: uploads, quota: quota, identity: identity, configuration: configuration,
                gate: gate, defences: defences, downloads: downloads, clock: clock, chance: chance)
            + AdminRoutes(jobs: jobs, gate: gate, cluster: cluster, glance: glance, now: now).routes
            + AdminJobRoutes(jobs: jobs, gate: gate, cluster: cluster).routes
            + AdminClientRoutes(store: jobs.store, gate: gate, minutesMax: jobs.minutesMax).routes
            + AdminPlanRoutes(store: jobs.store, gate: gate).routes
            + AdminTallyRoutes(store: jobs.store, gate: gate).routes
            + AdminLinkRoutes(keyring: keyring, gate: gate).routes
            + (quarantine.map { AdminQuarantineRoutes(book: $0, gate: gate).routes } ?? [])
            + (keys.map { AdminKeyRoutes(book: $0, gate: gate, chance: chance).routes } ?? [])
            + (metrics.map { MetricsRoutes(inspection: $0, gate: gate).routes } ?? [])
        let table = ConnectionTable(
            limits: configuration.pace, perAddressMax: configuration.connectionsPerAddressMax,
            proxies: configuration.trustedProxies, now: stopwatch(clock))
        let certificate = try configuration.credentials.map { try DoorCertificate($0) }
        if let metrics { metrics.registry.addConnections(table) }
        let directory = KeyDirectory(keys, clock: clock, logger: logger)
        self.keys = directory
        let admission = admission.map { AdmissionControl($0, metrics?.registry) }
        let repeated = replies.map { book in
            RepeatedRequests(
                book: book, node: identity.node, jsonBytesMax: configuration.jsonBytesMax,
                lingerSeconds: configuration.lingerSeconds, clock: clock, chance: chance)
        }
        let frame = DoorFrame(
            configuration: configuration, table: table, certificate: certificate, chance: chance, clock: clock,
            requestMetrics: metrics.map { RequestMetrics($0.registry, clock: clock) }, overload: jobs.overload,
            keys: ClientKeys(directory, admission, metrics?.registry), admission: admission,
            repeated: repeated, logger: logger, onListening: onListening)
        (doors, endpoints) = frame.doors(for: routes)
        self.glance = glance
        watch = DoorWatch(
            table: table, certificate: certificate, shutdownSeconds: configuration.shutdownSeconds, clock: clock,
            logger: logger)
    }

    /// Serves until the service group shuts down: then answers what is under way, for a while, and ends event streams.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await glance.run() }
            group.addTask { await watch.sweep() }
            group.addTask { await watch.closeLateComers() }
            group.addTask { await uploads.run() }
            group.addTask { await keys.run() }
            // Uploads go on at another node, from the byte up to which they have come here.
            try await withGracefulShutdownHandler {
                try await withThrowingTaskGroup(of: Void.self) { open in
                    for door in doors { open.addTask { try await door.run() } }
                    try await open.waitForAll()
                }
            } onGracefulShutdown: {
                uploads.active.drain()
            }
            group.cancelAll()
        }
    }

    private static func routes(
        jobs: JobService, uploads: UploadService, quota: QuotaGate, identity: GatewayIdentity,
        configuration: GatewayConfiguration, gate: AdminGate, defences: @escaping @Sendable () -> DefenceReport,
        downloads: DownloadGate, clock: any Clock<Duration>, chance: Chance
    ) -> [Route] {
        let events = EventRoutes(
            jobs: jobs, downloads: downloads, configuration: configuration, clock: clock,
            slots: StreamSlots(limit: configuration.streamsMax))
        let health = HealthRoutes(
            jobs: jobs, identity: identity, gate: gate, uploadBytesMax: configuration.uploadBytesMax,
            defences: defences)
        let clips = ClipRoutes(
            jobs: jobs, downloads: downloads, jsonBytesMax: configuration.jsonBytesMax, chance: chance)
        let jobRoutes = JobRoutes(
            jobs: jobs, uploads: uploads, downloads: downloads, configuration: configuration, quota: quota)
        return UploadRoutes(jobs: jobs, configuration: configuration, quota: quota).routes
            + ResumableRoutes(uploads: uploads, jobs: jobs, quota: quota).routes
            + ImportRoutes(jobs: jobs, configuration: configuration, quota: quota).routes
            + UsageRoutes(quota: quota).routes + jobRoutes.routes
            + events.routes + clips.routes
            + RevisionRoutes(jobs: jobs, jsonBytesMax: configuration.jsonBytesMax).routes
            + ArchiveRoutes(jobs: jobs, downloads: downloads).routes + health.routes
            + PageRoutes().routes
    }
}
