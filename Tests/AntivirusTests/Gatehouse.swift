import Antivirus
import Blobs
import ClipModel
import Foundation
import Jobs
import Logging
import Media
import Stages
import Store
import Synchronization
import TestSupport
import Testing

/// One node with the real steps, whose decoders are programs that only write down that they were started.
final class Gatehouse: Sendable {
    let store: InMemoryStore
    let blobs: BlobDirectory
    let service: JobService
    let found = Mutex<[QuarantineEntry]>([])
    static let attemptsMax = 2
    private let root: String
    private let decoders: String

    private init(root: String) throws {
        self.root = root
        decoders = root + "/decoders"
        store = InMemoryStore(now: systemWallTime)
        blobs = try BlobDirectory(root: root + "/blobs", limits: BlobLimits(freeBytesMin: 0))
        service = JobService(
            store: store, blobs: blobs, region: Region("eu")!, now: systemWallTime, chance: .system())
        // Fails as a tool does that finds nothing to decode.
        try Script.write("#!/bin/sh\necho \"$0 $*\" >>\(decoders)\nexit 1\n", to: root + "/decoder")
    }

    /// - Parameter gate: nil: nothing is scanned.
    static func open(
        _ address: ClamdAddress?, whenAway: UploadGate.WhenAway = .closed, whenLarge: UploadGate.WhenLarge = .pieces,
        streamBytesMax: Int64 = 1 << 20, _ body: (Gatehouse) async throws -> Void
    ) async throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "gate-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let house = try Gatehouse(root: root)
        let gate = address.map { address in
            let clamd = Clamd(
                ClamdConfiguration(address: address, streamBytesMax: streamBytesMax), clock: ContinuousClock())
            return UploadGate(
                clamd: clamd, book: house.store, node: NodeID("one")!, whenAway: whenAway, whenLarge: whenLarge,
                onFound: { entry in house.found.withLock { $0.append(entry) } })
        }
        let worker = try house.worker(gate)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await worker.run() }
            try await body(house)
            group.cancelAll()
        }
    }

    private func worker(_ gate: UploadGate?) throws -> Worker {
        let media = MediaConfiguration(ffmpegPath: root + "/decoder", ffprobePath: root + "/decoder")
        let tools = StageTools(
            toolbox: Toolbox(media), transcriber: SidecarTranscriber(), blobs: blobs,
            versions: ToolVersions(ffmpeg: "7", speechModel: "a", faceModel: "b", scansUploads: gate != nil),
            gate: gate)
        var configuration = WorkerConfiguration(leaseSeconds: 60)
        configuration.pollInterval = .milliseconds(20)
        configuration.schedule = Schedule(
            attemptsMax: Self.attemptsMax, delaySecondsMin: 0.01, delaySecondsMax: 0.01, waitSecondsMax: 0.05)
        return Worker(
            node: NodeDraft(
                id: NodeID("one")!, region: Region("eu")!, http: "http://one", version: "test", threads: 2,
                leaseSeconds: 60),
            configuration: configuration, store: store, blobs: blobs, runner: StageRunner(tools: tools),
            slots: try CPUSlots(directory: root + "/slots", machineThreads: 2, budget: 2), clock: ContinuousClock(),
            now: systemWallTime, chance: .system(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    // MARK: What happens

    func upload(_ bytes: [UInt8]) async throws -> Upload {
        let id = service.newUploadID()
        let facts = try await blobs.put(bytes, as: service.blobName(of: id))
        return try await service.register(id, fileName: "talk.mp4", facts: facts)
    }

    func submit(_ bytes: [UInt8]) async throws -> JobID { try await submit(try await upload(bytes).id) }

    func submit(_ upload: UploadID) async throws -> JobID {
        let outcome = try await service.submit(upload: upload, options: JobOptions(), tenant: "ana")
        guard case .created(let job) = outcome else { throw Surprise("\(outcome)") }
        return job.id
    }

    /// Looks whenever the store says that something changed. The suite's time limit ends what never comes.
    func wait(_ what: String, until isTrue: () async throws -> Bool) async throws {
        let signals = store.signals()
        if try await isTrue() { return }
        for await _ in signals {
            if try await isTrue() { return }
        }
        throw Surprise("\(what) did not happen")
    }

    func end(of id: JobID) async throws -> Job {
        try await wait("the end of the job") { await store.job(id)?.status.hasEnded ?? true }
        return try #require(await store.job(id))
    }

    func scan(of id: JobID) async throws -> Stage {
        try #require(await store.stages(of: id).first { $0.key == StageKey(.scan) })
    }

    /// The command lines of decoders that were started.
    var decoded: [String] {
        let text = (try? String(contentsOfFile: decoders, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }
}
