import Antivirus
import Blobs
import ClipModel
import Foundation
import Glibc
import HTTPGateway
import Jobs
import Logging
import Media
import Membership
import PostgresStore
import ServiceLifecycle
import Stages
import Store
import UnixSignals

/// The composition root: makes the services of a node from its configuration, in order, and runs them until told to
/// stop.
///
/// Services stop in the reverse of the order below: first the door closes, then work is handed back, last the store.
package struct NodeProgram: Sendable {
    private let configuration: NodeConfiguration

    package init(_ configuration: NodeConfiguration) { self.configuration = configuration }

    /// Returns after a graceful stop; throws what kept the node from starting, in words for the operator.
    package func run() async throws {
        // A client or a child that goes away is an error of one write, not the end of the node.
        _ = signal(SIGPIPE, SIG_IGN)
        let logger = makeLogger()
        logger.notice("node starting", metadata: ["version": "\(tijeraVersion)"])
        do {
            try await start(logger)
        } catch {
            logger.critical("node cannot go on", metadata: ["error": "\(error)"])
            throw error
        }
        logger.notice("node stopped")
    }

    private func start(_ logger: Logger) async throws {
        let clock = ContinuousClock()
        let chance = Chance.system()
        let (blobs, blobsForClients) = try configuration.blobs.makeStores(clock: clock, chance: chance, logger: logger)
        try await beginClean(blobsForClients, logger)
        let slots = try makeSlots()
        let store = PostgresStore(postgresConfiguration, clock: clock, logger: logger)
        try await store.migrate()
        // A node that was told to drain before it was restarted must not be taken for one that takes work.
        let before = try await store.nodes().first { $0.id == configuration.name }
        let wanted = before?.schedulability ?? .schedulable
        let cluster = try ClusterPart(
            configuration, version: tijeraVersion, lastEpoch: before?.memberEpoch ?? 0, schedulability: wanted,
            store: store, clock: clock, now: systemWallTime, chance: chance, logger: logger)
        let coordination = Coordination(
            store: store, on: cluster.system, clock: clock, now: systemWallTime, logger: logger)
        var media = mediaConfiguration
        media.sandbox = try await chooseSandbox(media, blobs, clock, logger)
        let toolbox = Toolbox(media, clock: clock)
        let speech = SpeechPool(configuration: media, childrenMax: slots.budget, clock: clock, logger: logger)
        let antivirus = AntivirusPart(
            configuration.antivirus, book: store, node: configuration.name, clock: clock, logger: logger)
        let tools = try await stageTools(
            toolbox, LocalTranscriber(pool: speech), blobs, antivirus?.gate, clock, logger)
        let machine: @Sendable () -> MachineReading = { MachineReading.now(blobs) }
        let overload = makeOverload(store, machine, clock, logger)
        cluster.metrics.registry.addOverload(overload)
        let sharing = makeSharing(store, blobsForClients, clock, logger)
        let worker = Worker(
            node: nodeDraft(slots, cluster.life), configuration: workerConfiguration, store: store, blobs: blobs,
            runner: StageRunner(tools: tools, spent: cluster.metrics.registry.stageEfforts()), slots: slots,
            clock: clock, now: systemWallTime, chance: chance, logger: logger, schedulability: wanted,
            overload: overload, machine: machine, sharing: { sharing.view },
            onSchedulability: { cluster.obey($0) }, onWaiting: cluster.metrics.registry.stageWaits(),
            onChange: { coordination.tell($0, home: $1) })
        try coordination.host(worker)
        let sweeper = Sweeper(
            store: store, blobs: blobs, configuration: sweeperConfiguration,
            quarantine: SweptQuarantine(book: store, days: configuration.antivirus.quarantineDays), twins: store,
            clock: clock, now: systemWallTime, chance: chance, logger: logger,
            onChange: { coordination.tell($0, home: $1) })
        let jobs = JobService(
            store: store, blobs: blobsForClients, region: configuration.region, jobsMax: configuration.clientJobsMax,
            minutesMax: configuration.clientMinutesMax,
            awaySeconds: Double(configuration.awaySeconds), now: systemWallTime, chance: chance,
            overload: overload, onChange: { coordination.tell($0, home: $1) })
        let gateway = try makeGateway(
            jobs, cluster, store, defences(antivirus, media.sandbox, cluster), clock, chance, logger)
        var services = ServiceGroupConfiguration(
            services: [
                .init(service: Loop { await store.run() }),
                .init(service: ClusterPart.Service(part: cluster)),
                .init(service: Loop { await cluster.watchLeases(of: store, every: .seconds(1), on: clock) }),
                .init(service: Loop { await coordination.run() }),
                .init(service: Loop { await overload.run() }),
                .init(service: Loop { await speech.run() }),
                .init(service: WorkerService(worker: worker)),
                .init(service: Loop { await sweeper.run() }),
                .init(service: Loop { await sharing.run() }),
                .init(service: gateway),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        // A service that ends takes the others along, so what is not there is left out.
        if let antivirus { services.services.append(.init(service: Loop { await antivirus.watch.run() })) }
        // A client that downloads slowly may not hold up the stop: after this what still runs is cancelled.
        services.maximumGracefulShutdownDuration = .seconds(
            configuration.door.shutdownSeconds + configuration.drainSeconds + 8)
        try await ServiceGroup(configuration: services).run()
        await store.shutdown()
    }

    private func stageTools(
        _ toolbox: Toolbox, _ transcriber: any Transcriber, _ blobs: any BlobStore, _ gate: UploadGate?,
        _ clock: any Clock<Duration>, _ logger: Logger
    ) async throws -> StageTools {
        let versions = try await readVersions(toolbox, blobs, scansUploads: gate != nil, logger)
        return StageTools(
            toolbox: toolbox, transcriber: transcriber, blobs: blobs, versions: versions, gate: gate,
            reranker: configuration.rerank.map { Reranker($0, clock: clock) })
    }

    /// Removes what earlier lives left. A store that cannot be used is found out about now; one that is only away may
    /// come back.
    private func beginClean(_ blobs: any BlobStore, _ logger: Logger) async throws {
        do { try await blobs.sweep() } catch {
            guard error.code == .unavailable else { throw error }
            logger.warning("the blob store does not answer yet", metadata: ["error": "\(error)"])
        }
    }

    private func makeGateway(
        _ jobs: JobService, _ cluster: ClusterPart, _ store: PostgresStore,
        _ defences: @escaping @Sendable () -> DefenceReport, _ clock: ContinuousClock, _ chance: Chance,
        _ logger: Logger
    ) throws -> HTTPGateway {
        try HTTPGateway(
            jobs: jobs,
            identity: GatewayIdentity(
                node: configuration.name, region: configuration.region, version: tijeraVersion),
            configuration: gatewayConfiguration(logger), cluster: ClusterInspection { cluster.snapshot },
            admission: cluster.admission, metrics: cluster.metrics, quarantine: store, keys: store,
            replies: store, defences: defences, clock: clock, chance: chance, logger: logger
        ) { entrance, port in
            logger.notice("node listening", metadata: ["http.port": "\(port)", "entrance": "\(entrance.rawValue)"])
        }
    }

    private var sweeperConfiguration: SweeperConfiguration {
        SweeperConfiguration(
            jobsMax: configuration.clientJobsMax, leftoverSeconds: configuration.blobs.leftoverSeconds)
    }

    private func makeSharing(
        _ store: any Store, _ blobs: any BlobStore, _ clock: ContinuousClock, _ logger: Logger
    ) -> BlobSharingWatch {
        BlobSharingWatch(
            node: configuration.name, store: store, blobs: blobs, clock: clock, now: systemWallTime, logger: logger)
    }

    private func defences(
        _ antivirus: AntivirusPart?, _ sandbox: Sandbox, _ cluster: ClusterPart
    ) -> @Sendable () -> DefenceReport {
        {
            DefenceReport(
                antivirus: antivirus?.report ?? .off, sandbox: sandbox.kind, limits: cluster.redisReport)
        }
    }

    private func readVersions(
        _ toolbox: Toolbox, _ blobs: any BlobStore, scansUploads: Bool, _ logger: Logger
    ) async throws -> ToolVersions {
        var versions = try await ToolVersions.read(toolbox, blobs: blobs, scansUploads: scansUploads)
        versions.reranks = configuration.rerank != nil
        let fonts = versions.captionFonts
        if !fonts.familiesMissing.isEmpty {
            logger.warning(
                "fonts of captions are missing: styles that ask for them are drawn in another",
                metadata: ["families": "\(fonts.familiesMissing.joined(separator: ", "))"])
        }
        if !fonts.missing.isEmpty {
            logger.notice(
                "no font here has some writing: captions in it stay out of the picture",
                metadata: ["writing": "\(fonts.missing.map(\.rawValue).sorted().joined(separator: ", "))"])
        }
        return versions
    }

    /// Tries what media tools may see before the first of them meets a stranger's file.
    private func chooseSandbox(
        _ media: MediaConfiguration, _ blobs: any BlobStore, _ clock: ContinuousClock, _ logger: Logger
    ) async throws -> Sandbox {
        let wish = Sandbox.Wish(rawValue: configuration.sandboxKind) ?? .auto
        let user = geteuid() == 0 && configuration.sandboxUser != 0 ? UInt32(configuration.sandboxUser) : nil
        let choice = try await blobs.withScratch(named: "sandbox", evenWhenFull: true) { directory in
            try await Sandbox.choose(wish, for: media, in: directory, user: user, clock: clock)
        }
        let facts: Logger.Metadata = [
            "sandbox.kind": "\(choice.sandbox.kind.rawValue)",
            "sandbox.user": "\(choice.sandbox.user.map(String.init) ?? "the node's")",
        ]
        for objection in choice.objections { logger.notice("sandbox not taken", metadata: ["reason": "\(objection)"]) }
        if choice.sandbox.kind == .rlimits, wish == .auto {
            logger.warning("media tools see what the node sees: only their limits hold them", metadata: facts)
        } else {
            logger.notice("media tools are held", metadata: facts)
        }
        return choice.sandbox
    }

    private func makeOverload(
        _ store: PostgresStore, _ machine: @escaping @Sendable () -> MachineReading, _ clock: ContinuousClock,
        _ logger: Logger
    ) -> OverloadWatch {
        OverloadWatch(
            region: configuration.region, configuration: configuration.overload.overload, store: store,
            machine: machine, clock: clock, now: systemWallTime, logger: logger)
    }

    private func makeSlots() throws -> CPUSlots {
        try CPUSlots(
            directory: configuration.slotsDirectory
                ?? "\(configuration.blobs.directory)/cpu-slots-\(configuration.name)",
            machineThreads: configuration.machineThreads, budget: configuration.cpuThreads)
    }

    private var postgresConfiguration: PostgresConfiguration {
        var postgres = PostgresConfiguration(connection: configuration.storeURL)
        postgres.connectionsMax = configuration.storeConnectionsMax
        postgres.applicationName = "tijera \(configuration.name)"
        return postgres
    }

    private var mediaConfiguration: MediaConfiguration {
        MediaConfiguration(
            ffmpegPath: configuration.ffmpeg, ffprobePath: configuration.ffprobe,
            // The worker is this very program, even when it was replaced on disk by an upgrade meanwhile.
            speechWorkerPath: "/proc/\(getpid())/exe", whisperModelPath: configuration.speechModel,
            faceModelPath: configuration.faceModel, childMemoryBytesMax: configuration.toolMemoryBytesMax,
            childFileBytesMax: configuration.toolFileBytesMax,
            source: SourceLimits(
                secondsMax: Double(configuration.sourceSecondsMax), pixelsMax: configuration.sourcePixelsMax,
                streamsMax: configuration.sourceStreamsMax))
    }

    private var workerConfiguration: WorkerConfiguration {
        WorkerConfiguration(
            leaseSeconds: configuration.leaseSeconds,
            leaseMargin: .milliseconds(configuration.leaseSeconds * 250),
            drainGrace: .seconds(configuration.drainSeconds),
            handBackAfter: .seconds(configuration.handBackSeconds), awaySeconds: Double(configuration.awaySeconds),
            claimGuard: configuration.overload.claimGuard)
    }

    private func gatewayConfiguration(_ logger: Logger) -> GatewayConfiguration {
        var gateway = GatewayConfiguration(
            host: configuration.httpHost, port: configuration.httpPort, adminToken: configuration.adminToken,
            adminReadToken: configuration.adminReadToken, uploadBytesMax: configuration.uploadBytesMax,
            streamsMax: configuration.eventStreamsMax, uploads: configuration.uploads, imports: configuration.imports)
        configuration.door.configure(&gateway, descriptorsMax: DoorSettings.raiseDescriptors())
        if gateway.connectionsMax < configuration.door.connectionsMax {
            logger.warning(
                "fewer connections than configured: raise the limit of open files",
                metadata: ["http.connectionsMax": "\(gateway.connectionsMax)"])
        }
        return gateway
    }

    private func nodeDraft(_ slots: CPUSlots, _ life: MemberLife) -> NodeDraft {
        NodeDraft(
            id: configuration.name, region: configuration.region, http: configuration.httpAddress,
            version: tijeraVersion, threads: slots.budget, leaseSeconds: configuration.leaseSeconds,
            memberEpoch: life.epoch)
    }

    private func makeLogger() -> Logger {
        let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
        let facts: Logger.Metadata = [
            "node": "\(configuration.name)", "region": "\(configuration.region)", "pid": "\(getpid())",
        ]
        let isText = configuration.logFormat == "text"
        return Logger(label: "tijera") { label in
            JSONLogHandler(label: label, level: level, isText: isText, metadata: facts, now: systemWallTime)
        }
    }
}

/// A loop that ends by cancellation only, as a service.
private struct Loop: Service {
    let body: @Sendable () async -> Void

    init(_ body: @escaping @Sendable () async -> Void) { self.body = body }

    func run() async throws { await cancelWhenGracefulShutdown { await body() } }
}

/// The worker hands its stages back before it ends.
private struct WorkerService: Service {
    let worker: Worker

    func run() async throws {
        await withGracefulShutdownHandler {
            await worker.run()
        } onGracefulShutdown: {
            worker.drain()
        }
    }
}
