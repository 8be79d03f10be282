import Blobs
import ClipModel
import Foundation
import HTTPGateway
import Jobs
import Logging
import ServiceLifecycle
import Store
import Telemetry
import Testing

/// A gateway on a free port, in front of a store in memory and a blob directory of its own.
struct Door: Sendable {
    let client: RawClient
    let entrances: [HTTPGateway.Entrance: RawClient]
    /// What the router says that it answers to.
    let endpoints: [HTTPGateway.Endpoint]
    let store: any Store
    let jobs: JobService
    let blobs: BlobDirectory
    let root: URL
    let metrics: MetricRegistry
    let keys: (any KeyBook)?
    /// Returns when the gateway has ended.
    let ended: @Sendable () async -> Void
    /// Tells the gateway to end as a node does.
    let shutDown: @Sendable () async -> Void
    static let region = Region("eu")!

    static func open(
        _ configuration: GatewayConfiguration = GatewayConfiguration(), store given: (any Store)? = nil,
        blobs wrap: (BlobDirectory) -> any BlobStore = { $0 }, cluster: ClusterInspection? = nil,
        admission: RequestAdmission? = nil, metrics: MetricsInspection? = nil,
        overload makeWatch: ((any Store) -> OverloadWatch)? = nil, keys givenKeys: (any KeyBook)? = nil,
        replies: (any ReplyBook)? = nil,
        clock: any Clock<Duration> = ContinuousClock(), now: @escaping WallTime = systemWallTime,
        logger: Logger? = nil,
        _ body: @Sendable (Door) async throws -> Void
    ) async throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "door-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        let store = given ?? InMemoryStore(now: systemWallTime)
        let blobs = try BlobDirectory(root: root.path, limits: BlobLimits(freeBytesMin: 0))
        let jobs = JobService(
            store: store, blobs: wrap(blobs), region: region, now: systemWallTime, chance: .system(),
            overload: makeWatch?(store))
        var quiet = Logger(label: "door")
        quiet.logLevel = .critical
        var configuration = configuration
        configuration.port = 0
        let metrics = try metrics ?? HeaderTests.metrics(), keys = givenKeys ?? store as? any KeyBook
        let (endings, ending) = AsyncStream.makeStream(of: Void.self)
        let (ports, listening) = AsyncStream.makeStream(of: (HTTPGateway.Entrance, Int).self)
        let gateway = try HTTPGateway(
            jobs: jobs, identity: GatewayIdentity(node: NodeID("one")!, region: region, version: "1.2.3"),
            configuration: configuration, cluster: cluster, admission: admission, metrics: metrics,
            quarantine: store as? any QuarantineBook, keys: keys, replies: replies ?? store as? any ReplyBook,
            clock: clock, now: now, chance: .system(), logger: logger ?? quiet,
            onListening: { entrance, port in listening.yield((entrance, port)) })
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [.init(service: gateway)], logger: quiet))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { ending.finish() }
                try await services.run()
            }
            var found: [HTTPGateway.Entrance: RawClient] = [:]
            let wanted = 1 + (configuration.adminPort == nil ? 0 : 1) + (configuration.redirectPort == nil ? 0 : 1)
            for await (entrance, port) in ports {
                found[entrance] = RawClient(port: port)
                if found.count == wanted { break }
            }
            let client = try #require(found[.main])
            try await body(
                Door(
                    client: client, entrances: found, endpoints: gateway.endpoints, store: store, jobs: jobs,
                    blobs: blobs, root: root,
                    metrics: metrics.registry, keys: keys, ended: { for await _ in endings {} }
                ) {
                    await services.triggerGracefulShutdown()
                })
            await services.triggerGracefulShutdown()
            // Every test ends by waiting for a clean end of the gateway.
            try await group.waitForAll()
        }
    }

    /// Registers a key for a client, as an operator does, and answers with it.
    func key(_ client: String, expiresInSeconds: Int? = nil) async throws -> (text: String, id: KeyID) {
        let (key, id) = Chance.system().draw { (APIKey.make(using: &$0), KeyID(using: &$0)) }
        _ = try await #require(keys).createKey(
            KeyDraft(
                id: id, sha256: key.sha256, client: #require(ClientName(client)), note: nil,
                expiresInSeconds: expiresInSeconds))
        return (key.text, id)
    }

    // MARK: Forms

    struct Part {
        var name = "file"
        var fileName: String? = "talk.mp4"
        var content: [UInt8]
    }

    static func form(_ parts: [Part], boundary: String = "b0undary") -> [UInt8] {
        var body: [UInt8] = []
        for part in parts {
            let file = part.fileName.map { "; filename=\"\($0)\"" } ?? ""
            body += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(part.name)\"\(file)\r\n\r\n".utf8)
            body += part.content + [13, 10]
        }
        return body + Array("--\(boundary)--\r\n".utf8)
    }

    static let formType = ("Content-Type", "multipart/form-data; boundary=b0undary")
    static let jsonType = ("Content-Type", "application/json")

    func upload(_ parts: [Part]) async throws -> RawClient.Reply {
        try await client.send("POST", "/api/upload", headers: [Self.formType], body: Self.form(parts))
    }

    /// Files under the blob directory, scratch included, without the locks of the directory itself.
    func files() -> [String] {
        let all = FileManager.default.subpaths(atPath: root.path) ?? []
        return all.filter { path in
            let facts = try? FileManager.default.attributesOfItem(atPath: root.appending(path: path).path)
            let isFile = facts?[.type] as? FileAttributeType == .typeRegular
            return isFile && !path.hasSuffix("/.lock") && !path.hasSuffix("/.gate")
        }
    }

    // MARK: Jobs

    func submittedJob() async throws -> JobID {
        let id = jobs.newUploadID()
        let facts = try await blobs.put(Array("video".utf8), as: jobs.blobName(of: id))
        _ = try await jobs.register(id, fileName: "la charla.mp4", facts: facts)
        guard case .created(let job) = try await jobs.submit(upload: id, options: JobOptions(), tenant: "test") else {
            throw RawClient.Malformed(bytes: "no job")
        }
        return job.id
    }

    func node(_ name: String = "one") async throws -> NodeLife {
        try await store.register(
            NodeDraft(
                id: NodeID(name)!, region: Self.region, http: "http://\(name)", version: "1.2.3", threads: 2,
                leaseSeconds: 60))
    }

    /// A job that ended well, with one clip for each of `videos`.
    func finishedJob(videos: [[UInt8]]) async throws -> JobID {
        let id = try await submittedJob()
        let life = try await node()
        var clips: [Clip] = []
        for (ordinal, video) in videos.enumerated() { clips.append(try await clip(id, ordinal, video)) }
        let manifest = BlobName("jobs/\(id)/manifest.json")!
        _ = try await blobs.put(Array("{\"clips\": \(videos.count)}".utf8), as: manifest)
        var opening = JobAdvance()
        opening.open = [StageKey(.publish)]
        try await complete(life, body: "{}", opening)
        var ending = JobAdvance()
        ending.clips = clips
        ending.status = .ready
        try await complete(life, body: "{\"clips\": \(videos.count), \"manifest\": \"\(manifest)\"}", ending)
        return id
    }

    /// A job whose first stage failed for good.
    func failedJob(_ life: NodeLife, code: String = "disk_full") async throws -> JobID {
        let id = try await submittedJob()
        let lease = try #require(try await store.claim(1, for: life).first)
        let failure = Failure(.resource, code: code, reason: "It does not fit.", hint: "Make room.")
        _ = try await store.complete(lease, with: .failed(failure)) { snapshot in
            var advance = JobAdvance()
            advance.status = .error
            advance.failure = JobFailure(stage: snapshot.changed, failure: failure)
            return advance
        }
        return id
    }

    /// Claims whatever is ready and completes it.
    func complete(_ life: NodeLife, body: String, _ advance: JobAdvance) async throws {
        let lease = try #require(try await store.claim(1, for: life).first)
        let chance = Chance.system()
        let result = StageResult(
            id: chance.draw { ResultID(at: systemWallTime(), using: &$0) }, body: body, blobs: [], cacheKey: nil)
        _ = try await store.complete(lease, with: .produced(result), advance: { _ in advance })
    }

    private func clip(_ job: JobID, _ ordinal: Int, _ video: [UInt8]) async throws -> Clip {
        func put(_ bytes: [UInt8], _ ending: String) async throws -> (BlobName, BlobFacts) {
            let name = BlobName("jobs/\(job)/\(ordinal).\(ending)")!
            return (name, try await blobs.put(bytes, as: name))
        }
        let (mp4, facts) = try await put(video, "mp4")
        var files = ClipFiles(
            video: mp4, videoBytes: facts.bytes, videoSHA256: facts.sha256,
            srt: try await put(Array("1\n".utf8), "srt").0, vtt: try await put(Array("WEBVTT\n".utf8), "vtt").0,
            thumbnail: try await put([0xFF, 0xD8], "jpg").0)
        files.thumbnails = [files.thumbnail!, try await put([0xFF, 0xD8, 1], "1.jpg").0]
        files.hashtags = ["año"]
        return Clip(
            id: ClipID(job: job, ordinal: ordinal), state: .ready, range: TimeRange(start: 1, end: 20),
            title: "¿Por qué \(ordinal)?", score: 80, reason: "It asks.", signals: ["hook": 0.9],
            files: files)
    }
}

extension RawClient.Reply {
    /// A member of the JSON object in the body.
    func json(_ path: String...) throws -> Any {
        var value = try JSONSerialization.jsonObject(with: Data(body))
        for name in path {
            if let index = Int(name) {
                value = try #require((value as? [Any])?[index])
            } else {
                value = try #require((value as? [String: Any])?[name], "no \(name) in \(text)")
            }
        }
        return value
    }

    func string(_ path: String...) throws -> String {
        var value = try JSONSerialization.jsonObject(with: Data(body))
        for name in path { value = try #require((value as? [String: Any])?[name], "no \(name) in \(text)") }
        return try #require(value as? String)
    }
}
