import Blobs
import ClipModel
import Foundation
import Jobs
import Logging
import Store
import Synchronization
import Testing

/// What uploads leave behind that nobody goes on with.
@Suite struct UploadSweepTests {
    @Test func `expired uploads go with their bytes, and bytes that no row names go when they are old`() async throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "sweep-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let time = ManualTime()
        let store = InMemoryStore(now: { time.now })
        let blobs = try BlobDirectory(root: root, limits: BlobLimits(freeBytesMin: 0))
        let sweeper = Sweeper(
            store: store, blobs: blobs, clock: ContinuousClock(), now: { time.now }, chance: .system(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let chance = Chance.system()
        let ids: [UploadID] = (0..<3).map { _ in chance.draw { UploadID(at: time.now, using: &$0) } }
        let bounds = UploadBounds(bytesMax: 100, partsMax: 10, keepSeconds: 5000, leaseSeconds: 10)
        var names: [BlobName] = []
        for (place, id) in ids.enumerated() {
            let name = UploadSession.partName(of: id, epoch: 1, start: 0)
            let facts = try await blobs.put([1, 2, 3], as: name)
            names.append(name)
            // The last one belongs to nothing: its node died before it had noted it.
            guard place < 2 else { continue }
            let draft = UploadSessionDraft(id: id, tenant: "ana", length: 3, bounds: bounds)
            _ = try await store.open(draft, quota: UploadQuota(sessionsMax: 9, bytesMax: 999))
            _ = try await store.change(id, by: .take(holder: "a", force: false))
            let part = UploadPart(start: 0, bytes: 3, blob: name, sha256: facts.sha256)
            _ = try await store.change(id, by: .append(part, epoch: 1))
            let upload = Upload(
                id: id, fileName: "a", bytes: 3, sha256: facts.sha256, blob: name, createdAt: time.now)
            if place == 0 { _ = try await store.change(id, by: .finish(upload, epoch: 1)) }
        }
        func standing() async throws -> [Bool] {
            var answer: [Bool] = []
            for name in names { answer.append(try await blobs.size(of: name) != nil) }
            return answer
        }
        try await sweeper.upkeep()
        #expect(try await standing() == [true, true, true])
        time.pass(4000)
        try await sweeper.upkeep()
        #expect(try await standing() == [true, true, false], "only what nothing names and what is old goes")
        time.pass(2000)
        try await sweeper.upkeep()
        #expect(try await standing() == [true, false, false], "what expired goes, what became an upload stays")
    }

    @Test func `a step that fails stops no other, and is told once until it works again`() async throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "sweep-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let (time, book, chance) = (ManualTime(), LogBook(), Chance.system())
        let blobs = try BlobDirectory(root: root, limits: BlobLimits(freeBytesMin: 0))
        let sweeper = Sweeper(
            store: InMemoryStore(now: { time.now }), blobs: blobs, clock: ContinuousClock(), now: { time.now },
            chance: chance, logger: Logger(label: "test") { _ in Handler(book: book) })
        let id: UploadID = chance.draw { UploadID(at: time.now, using: &$0) }
        let lost = UploadSession.partName(of: id, epoch: 1, start: 0)
        _ = try await blobs.put([1], as: lost)
        time.pass(4000)
        // Nothing can be swept in a scratch that is not there.
        try FileManager.default.moveItem(atPath: root + "/scratch", toPath: root + "/aside")
        for _ in 0..<2 { try await sweeper.upkeep() }
        #expect(try await blobs.size(of: lost) == nil, "a later step did its work")
        #expect(book.lines == ["warning scratch"])
        try FileManager.default.moveItem(atPath: root + "/aside", toPath: root + "/scratch")
        for _ in 0..<2 { try await sweeper.upkeep() }
        #expect(book.lines == ["warning scratch", "notice scratch"])
    }
}

/// Which steps were told of, and how.
private final class LogBook: Sendable {
    private let state = Mutex<[String]>([])
    var lines: [String] { state.withLock { $0 } }
    func add(_ line: String) { state.withLock { $0.append(line) } }
}

private struct Handler: LogHandler {
    let book: LogBook
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.notice

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        if let step = event.metadata?["step"] { book.add("\(event.level) \(step)") }
    }
}

private final class ManualTime: Sendable {
    private let passed = Mutex(0.0)
    /// The files are as old as the test, so time begins now.
    var now: Timestamp { systemWallTime().advanced(bySeconds: passed.withLock { $0 }) }
    func pass(_ seconds: Double) { passed.withLock { $0 += seconds } }
}
