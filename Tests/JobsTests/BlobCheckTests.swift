import Blobs
import ClipModel
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
    private static let noon = Timestamp("2026-01-31T12:00:00Z")!

    private func node(_ id: String, epoch: Int, upFor seconds: Double = 600, isAlive: Bool = true) -> Node {
        Node(
            id: NodeID(id)!, region: Region("eu")!, epoch: epoch, http: "http://x", version: "1", threads: 1,
            startedAt: Self.noon.advanced(bySeconds: -seconds), seenAt: Self.noon, isAlive: isAlive, running: [])
    }

    @Test func `only neighbours that live and had time to write their mark are looked for`() {
        let nodes = [
            node("a", epoch: 1), node("b", epoch: 2), node("c", epoch: 3, upFor: 10),
            node("d", epoch: 4, isAlive: false),
        ]
        #expect(BlobSharing.neighbours(of: NodeID("a")!, among: nodes, at: Self.noon).map(\.id) == [NodeID("b")!])
    }

    @Test func `a node without its mark here, or with that of an earlier life, is a stranger until it is seen`() {
        let (b, c) = (node("b", epoch: 2), node("c", epoch: 3))
        var sharing = BlobSharing()
        #expect(sharing.looked(at: [b, c], marks: [b.id: "2", c.id: "3"]) == .nothing)
        #expect(sharing.looked(at: [b, c], marks: [b.id: "1", c.id: nil]) == .found([b.id, c.id]))
        #expect(sharing.looked(at: [b, c], marks: [b.id: "1", c.id: nil]) == .nothing, "said once")
        #expect(sharing.looked(at: [b, c], marks: [b.id: "2", c.id: nil]) == .found([c.id]))
        #expect(sharing.strangers == [c.id])
        #expect(sharing.looked(at: [b], marks: [b.id: "2"]) == .allIsWell)
    }
}
