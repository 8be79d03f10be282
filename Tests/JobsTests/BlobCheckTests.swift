import Blobs
import ClipModel
import Foundation
import Jobs
import Store
import Testing

@Suite struct BlobCheckTests {
    private static let hour = Timestamp("2026-01-31T12:00:00Z")!

    private func named(_ names: [(String, Int64?)]) -> [NamedBlob] {
        names.map { NamedBlob(name: BlobName($0.0)!, bytes: $0.1) }
    }

    private func stored(_ names: [(String, Int64)], age: Double = 7200) -> [ListedBlob] {
        names.map { ListedBlob(name: BlobName($0.0)!, bytes: $0.1, changedAt: Self.hour.advanced(bySeconds: -age)) }
    }

    /// Feeds both sides in pages of every size, and expects the same each time.
    private func findings(_ named: [NamedBlob], _ stored: [ListedBlob]) -> [BlobComparison.Finding] {
        var answers: Set<[BlobComparison.Finding]> = []
        for size in 1...4 {
            var comparison = BlobComparison()
            var (left, right) = (named[...], stored[...])
            var found: [BlobComparison.Finding] = []
            while !comparison.isDone {
                if comparison.needsStored {
                    comparison.add(stored: Array(right.prefix(size)))
                    right = right.dropFirst(size)
                }
                if comparison.needsNamed {
                    comparison.add(named: Array(left.prefix(size)))
                    left = left.dropFirst(size)
                }
                found += comparison.compare(orphansBefore: Self.hour.advanced(bySeconds: -3600))
            }
            answers.insert(found)
        }
        #expect(answers.count == 1, "the size of the pages does not matter")
        return answers.first ?? []
    }

    @Test func `what both have is fine, with the size that was noted or without one`() {
        #expect(findings(named([("a", 1), ("b", nil)]), stored([("a", 1), ("b", 7)])).isEmpty)
        #expect(findings([], []).isEmpty)
    }

    @Test func `missing, wrong and orphaned ones are told apart, wherever they stand`() {
        let found = findings(
            named([("a", 1), ("c", 3), ("d", 4), ("f", nil), ("z", 9)]),
            stored([("b", 2), ("c", 3), ("d", 5), ("e", 6), ("f", 1)]))
        #expect(
            found.map { "\($0.kind.rawValue) \($0.name)" }
                == ["missing a", "orphaned b", "wrong_size d", "orphaned e", "missing z"])
        #expect(found[2].expectedBytes == 4 && found[2].storedBytes == 5)
        #expect(findings(named([("a", 1)]), []).map(\.kind) == [.missing])
        #expect(findings([], stored([("a", 1)])).map(\.kind) == [.orphaned])
    }

    @Test func `young blobs that nobody names are work under way, and marks of nodes are ours`() {
        #expect(findings([], stored([("a", 1)], age: 60)).isEmpty)
        #expect(findings([], stored([("cluster/nodes/eu-1", 1)])).isEmpty)
    }
}

@Suite struct BlobSharingTests {
    private func node(
        _ id: String, epoch: Int, isAlive: Bool = true, condition: NodeCondition = NodeCondition(blobStrangers: [])
    ) -> Node {
        Node(
            id: NodeID(id)!, region: Region("eu")!, epoch: epoch, http: "http://x", version: "1", threads: 1,
            startedAt: systemWallTime(), seenAt: systemWallTime(), isAlive: isAlive, condition: condition, running: [])
    }

    @Test func `only neighbours that live and say that they have written their mark are looked for`() {
        let nodes = [
            node("a", epoch: 1), node("b", epoch: 2), node("c", epoch: 3, condition: NodeCondition()),
            node("d", epoch: 4, isAlive: false),
        ]
        #expect(BlobSharing.neighbours(of: NodeID("a")!, among: nodes).map(\.id) == [NodeID("b")!])
    }

    @Test func `a node without its mark here, or with that of an earlier life, is a stranger until it is seen`() {
        let (b, c) = (node("b", epoch: 2), node("c", epoch: 3))
        var sharing = BlobSharing()
        #expect(sharing.strangers == nil, "nobody looks for the mark of a node that has not written it")
        sharing.marked()
        #expect(sharing.strangers == [])
        #expect(sharing.looked(at: [b, c], marks: [b.id: 2, c.id: 4]) == .nothing)
        #expect(sharing.looked(at: [b, c], marks: [b.id: 1]) == .found([b.id, c.id]))
        #expect(sharing.looked(at: [b, c], marks: [b.id: 1]) == .nothing, "said once")
        #expect(sharing.looked(at: [b, c], marks: [b.id: 2]) == .found([c.id]))
        sharing.marked()
        #expect(sharing.strangers == [c.id])
        #expect(sharing.looked(at: [b], marks: [b.id: 2]) == .allIsWell)
    }

    @Test func `an outage begins once, keeps its beginning, and ends once`() {
        let (first, later) = (Timestamp(millisecondsSinceEpoch: 1000), Timestamp(millisecondsSinceEpoch: 9000))
        var sharing = BlobSharing()
        let (never, isNews) = (sharing.reached(), sharing.failed("no route", at: first))
        let isStillNews = sharing.failed("timed out", at: later)
        #expect(never == nil && isNews && !isStillNews)
        #expect(sharing.outage == NodeCondition.Outage(reason: "timed out", since: first))
        let (ended, again) = (sharing.reached(), sharing.reached())
        #expect(ended?.since == first && again == nil && sharing.outage == nil)
        let isNewsAgain = sharing.failed("no route", at: later)
        #expect(isNewsAgain && sharing.outage?.since == later)
    }

    @Test func `nodes with one folder find each other, and one with another folder is told of by both sides`()
        async throws
    {
        let root = FileManager.default.temporaryDirectory.appending(path: "sharing-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let store = InMemoryStore(now: systemWallTime)
        let shared = try BlobDirectory(root: root + "/shared", limits: BlobLimits(freeBytesMin: 0))
        let aside = try BlobDirectory(root: root + "/aside", limits: BlobLimits(freeBytesMin: 0))
        var (watches, lives): ([BlobSharingWatch], [NodeLife]) = ([], [])
        for (name, blobs) in [("one", shared), ("two", shared), ("far", aside)] {
            let id = NodeID(name)!
            watches.append(
                BlobSharingWatch(
                    node: id, store: store, blobs: blobs, clock: ContinuousClock(), now: systemWallTime, logger: quiet))
            try await watches[watches.count - 1].look()
            let draft = NodeDraft(
                id: id, region: Region("eu")!, http: "http://x", version: "1", threads: 1, leaseSeconds: 60)
            lives.append(try await store.register(draft))
        }
        #expect(watches.map(\.view.strangers) == [nil, nil, nil], "before it is registered a node has no life")
        for _ in 0..<2 {
            for (watch, life) in zip(watches, lives) {
                try await watch.look()
                _ = await store.heartbeat(
                    life, running: [], condition: NodeCondition(blobStrangers: watch.view.strangers))
            }
        }
        let (one, two, far) = (NodeID("one")!, NodeID("two")!, NodeID("far")!)
        #expect(watches.map(\.view.strangers) == [[far], [far], [one, two]])
    }

    @Test func `a folder that answers and has lost the mark of its node is out of reach`() async throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "sharing-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let store = InMemoryStore(now: systemWallTime)
        let blobs = try BlobDirectory(root: root, limits: BlobLimits(freeBytesMin: 0))
        let id = NodeID("one")!
        let watch = BlobSharingWatch(
            node: id, store: store, blobs: blobs, clock: ContinuousClock(), now: systemWallTime, logger: quiet)
        try await watch.glance()
        _ = try await store.register(
            NodeDraft(id: id, region: Region("eu")!, http: "http://x", version: "1", threads: 1, leaseSeconds: 60))
        try await watch.look()
        try await watch.glance()
        #expect(watch.view.outage == nil)
        // As when the share is no longer mounted: the folder below it is empty.
        try FileManager.default.removeItem(atPath: root + "/objects")
        await #expect(throws: BlobError.self) { try await watch.glance() }
        #expect(watch.view.outage?.reason.contains("its own mark is gone") == true)
        try await watch.look()
        #expect(watch.view.outage == nil, "a whole round writes it again")
    }
}
