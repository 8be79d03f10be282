package import ClipModel
import Foundation
package import HTTPGateway
package import Stages
package import Uploads

/// Everything a node needs to know before it starts: one YAML file, over it the environment, over that the flags.
///
/// The keys, their defaults, units and the accidents they prevent are in `Setting.all`.
package struct NodeConfiguration: Sendable {
    package let name: NodeID
    package let region: Region
    package let zone: String
    package let capacity: Int
    package let leaseSeconds: Int
    package let drainSeconds: Int
    package let handBackSeconds: Int
    package let cluster: ClusterSettings
    package let httpHost: String
    package let httpPort: Int
    package let httpAddress: String
    package let door: DoorSettings
    package let uploadBytesMax: Int64
    package let eventStreamsMax: Int
    /// Uploads and jobs first, then what the operator wrote.
    package let limitRules: [LimitRule]
    /// How many keys that are none an address may show.
    package let refusedKeys: LimitRule
    /// Where limits are counted, if not by the cluster itself.
    package let redis: RedisSettings
    package let uploads: UploadLimits
    /// Nil: as many as a client likes.
    package let clientJobsMax: Int?
    /// Nil: no limit.
    package let clientMinutesMax: Int?
    package let awaySeconds: Int
    package let storeURL: String
    package let storeConnectionsMax: Int
    package let blobs: BlobSettings
    package let overload: OverloadSettings
    package let cpuThreads: Int
    package let machineThreads: Int
    package let slotsDirectory: String?
    package let speechModel: String
    package let speechMemoryBytesMax: Int
    package let faceModel: String
    package let ffmpeg: String
    package let ffprobe: String
    package let toolMemoryBytesMax: Int
    package let toolFileBytesMax: Int
    package let sandboxKind: String
    package let sandboxUser: Int
    package let sourceSecondsMax: Int
    package let sourcePixelsMax: Int
    package let sourceStreamsMax: Int
    package let antivirus: AntivirusSettings
    /// Nil: no language model is asked.
    package let rerank: Reranker.Configuration?
    package let imports: ImportConfiguration?
    package let adminToken: String?
    package let adminReadToken: String?
    package let logLevel: String
    package let logFormat: String

    /// Reads the file at `path`, the environment, and `overrides` (`key=value`), and checks everything.
    ///
    /// Throws a `ConfigurationError` that names every problem found, not only the first.
    package init(
        path: String?, environment: [String: String] = ProcessInfo.processInfo.environment, overrides: [String] = []
    ) throws(ConfigurationError) {
        self = try Self(values: ConfigurationValues(path: path, environment: environment, overrides: overrides))
    }

    init(values: ConfigurationValues) throws(ConfigurationError) {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        guard let name = NodeID(values.text("node.name")) else {
            throw ConfigurationError(["node.name must be 1 to 63 of a-z, 0-9 and -, is \"\(values.text("node.name"))\""]
            )
        }
        guard let region = Region(values.text("node.region")) else {
            throw ConfigurationError([
                "node.region must be 1 to 63 of a-z, 0-9 and -, is \"\(values.text("node.region"))\""
            ])
        }
        self.name = name
        self.region = region
        zone = values.text("node.zone")
        leaseSeconds = values.integer("node.leaseSeconds")
        cluster = try ClusterSettings(values)
        drainSeconds = values.integer("node.drainSeconds")
        handBackSeconds = values.integer("node.handBackSeconds")
        httpHost = values.text("http.host")
        httpPort = values.integer("http.port")
        door = try DoorSettings(values)
        httpAddress = door.address
        uploadBytesMax = Int64(values.integer("http.uploadBytesMax"))
        eventStreamsMax = values.integer("http.eventStreamsMax")
        limitRules = try LimitRule.all(values)
        refusedKeys = try LimitRule.refusedKeys(values)
        redis = try RedisSettings(values)
        uploads = UploadLimits(values)
        let jobsMax = values.integer("clients.jobsMax")
        clientJobsMax = jobsMax == 0 ? nil : jobsMax
        let minutesMax = values.integer("clients.minutesMax")
        clientMinutesMax = minutesMax == 0 ? nil : minutesMax
        awaySeconds = values.integer("jobs.awaySeconds")
        storeURL = values.text("store.url")
        storeConnectionsMax = values.integer("store.connectionsMax")
        blobs = try BlobSettings(values)
        overload = try OverloadSettings(values, blobsFreeBytesMin: blobs.freeBytesMin)
        let threads = values.integer("cpu.threads"), machine = values.integer("cpu.machineThreads")
        cpuThreads = threads == 0 ? cores : threads
        machineThreads = machine == 0 ? cores : machine
        let weight = values.integer("node.capacity")
        capacity = weight == 0 ? cpuThreads : weight
        let slots = values.text("cpu.slotsDirectory")
        slotsDirectory = slots.isEmpty ? nil : slots
        speechModel = values.text("speech.model")
        speechMemoryBytesMax = values.integer("speech.childMemoryBytesMax")
        faceModel = values.text("vision.faceModel")
        ffmpeg = values.text("tools.ffmpeg")
        ffprobe = values.text("tools.ffprobe")
        toolMemoryBytesMax = values.integer("tools.memoryBytesMax")
        toolFileBytesMax = values.integer("tools.fileBytesMax")
        sandboxKind = values.text("sandbox.kind")
        sandboxUser = values.integer("sandbox.user")
        sourceSecondsMax = values.integer("source.secondsMax")
        sourcePixelsMax = values.integer("source.pixelsMax")
        sourceStreamsMax = values.integer("source.streamsMax")
        imports = try ImportSettings.read(values)
        antivirus = try AntivirusSettings(values)
        rerank = try RerankSettings.read(values)
        adminToken = try Self.token("admin.tokenFile", values)
        adminReadToken = try Self.token("admin.readTokenFile", values)
        if let adminReadToken, adminReadToken == adminToken {
            throw ConfigurationError(["admin.readTokenFile: the token is that of admin.tokenFile, which may do more"])
        }
        logLevel = values.text("log.level")
        logFormat = values.text("log.format")
        try checkFiles()
    }

    /// A model that is missing is better found now than in the middle of the first job.
    private func checkFiles() throws(ConfigurationError) {
        var problems: [String] = []
        for (key, path) in [("speech.model", speechModel), ("vision.faceModel", faceModel)]
        where !FileManager.default.isReadableFile(atPath: path) {
            problems.append("\(key): there is no readable file at \(path); `cluster/up` fetches the models")
        }
        if !problems.isEmpty { throw ConfigurationError(problems) }
    }

    private static func token(_ key: String, _ values: ConfigurationValues) throws(ConfigurationError) -> String? {
        let path = values.text(key)
        guard !path.isEmpty else { return nil }
        let text = try ConfigurationFile.text(at: path).trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.utf8.count >= 16 else {
            throw ConfigurationError(["\(key): the token in \(path) has fewer than 16 characters"])
        }
        return text
    }
}
