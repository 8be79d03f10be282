package import Blobs
package import ClipModel
package import Logging
package import Store
import Synchronization

/// Whether a node reaches its blobs, and which of the other nodes keep theirs somewhere else: each node writes a mark,
/// and looks for those of the others.
///
/// A value: what was seen goes in, what is to be said comes out.
package struct BlobSharing: Sendable, Hashable {
    /// Where the marks stand.
    package static let root = BlobName("cluster/nodes")!

    package enum Change: Sendable, Hashable {
        case found([NodeID]), allIsWell, nothing
    }

    /// Living nodes whose marks are not where this node's blobs are; nil: this node has no mark itself yet.
    package private(set) var strangers: [NodeID]?

    /// The blobs are out of reach since then.
    package private(set) var outage: NodeCondition.Outage?

    package init() {}

    package static func mark(of node: NodeID) -> BlobName { BlobName("\(root)/\(node)")! }

    /// Those whose marks are worth looking at: they say that they have written one, which programs before this one do
    /// not.
    package static func neighbours(of own: NodeID, among nodes: [Node]) -> [Node] {
        nodes.filter { $0.id != own && $0.isAlive && $0.condition.blobStrangers != nil }
    }

    /// This node's own mark stands.
    package mutating func marked() { strangers = strangers ?? [] }

    /// The blobs answered. The outage that this ends.
    package mutating func reached() -> NodeCondition.Outage? {
        defer { outage = nil }
        return outage
    }

    /// The blobs did not answer. True when that is news.
    package mutating func failed(_ reason: String, at now: Timestamp) -> Bool {
        defer { outage = NodeCondition.Outage(reason: reason, since: outage?.since ?? now) }
        return outage == nil
    }

    /// - Parameter marks: what stands in the mark of each neighbour: its life when it wrote it.
    package mutating func looked(at neighbours: [Node], marks: [NodeID: Int]) -> Change {
        let before = strangers ?? []
        // A mark of an earlier life proves nothing: the folder may be a copy. A later life is only not known here yet.
        let strangers = neighbours.filter { (marks[$0.id] ?? .min) < $0.epoch }.map(\.id).sorted()
        self.strangers = strangers
        guard strangers != before else { return .nothing }
        return strangers.isEmpty ? .allIsWell : .found(strangers)
    }
}

/// Looks whether the blobs are in reach, writes this node's mark and looks for the others', from the start of the node
/// to its end.
package final class BlobSharingWatch: Sendable {
    private static let markBytesMax = 64
    private static let startInterval = Duration.seconds(2)
    /// Of so many rounds one looks at the marks of the others.
    private static let roundsPerLook = 4
    private let own: NodeID
    private let store: any Store
    private let blobs: any BlobStore
    private let interval: Duration
    private let clock: any Clock<Duration>
    private let now: WallTime
    private let logger: Logger
    private let state = Mutex(BlobSharing())

    package init(
        node: NodeID, store: any Store, blobs: any BlobStore, interval: Duration = .seconds(15),
        clock: any Clock<Duration>, now: @escaping WallTime, logger: Logger
    ) {
        own = node
        self.store = store
        self.blobs = blobs
        self.interval = interval
        self.clock = clock
        self.now = now
        self.logger = logger
    }

    package var view: BlobSharing { state.withLock { $0 } }

    /// Ends by cancellation only. Looks often until this node has registered and its mark stands.
    package func run() async {
        var round = 0
        while !Task.isCancelled {
            let hasMark = view.strangers != nil
            do {
                if hasMark, round % Self.roundsPerLook != 0 { try await glance() } else { try await look() }
            } catch {
                logger.debug("marks of nodes were not looked at", metadata: ["error": "\(error)"])
            }
            round += 1
            // Ends early only by cancellation, which the loop sees.
            try? await clock.sleep(for: hasMark ? interval : min(interval, Self.startInterval))
        }
    }

    /// A round that looks only whether the blobs are in reach.
    package func glance() async throws {
        let hasMark = view.strangers != nil
        try await reaching { blobs throws(BlobError) in
            // A bucket that was removed and a share that is no longer mounted answer too: that nothing is there.
            guard try await blobs.size(of: BlobSharing.mark(of: own)) != nil || !hasMark else {
                throw BlobError(.unavailable, "its own mark is gone")
            }
        }
    }

    /// A whole round.
    package func look() async throws {
        let nodes = try await store.nodes()
        // Before this node has registered it has no life to write about.
        guard let life = nodes.first(where: { $0.id == own && $0.isAlive })?.epoch else { return }
        let neighbours = BlobSharing.neighbours(of: own, among: nodes)
        let marks = try await reaching { blobs throws(BlobError) in
            if try await mark(of: own) != life {
                _ = try await blobs.put(Array("\(life)".utf8), as: BlobSharing.mark(of: own))
            }
            state.withLock { $0.marked() }
            var marks: [NodeID: Int] = [:]
            for node in neighbours { marks[node.id] = try await mark(of: node.id) }
            return marks
        }
        switch state.withLock({ $0.looked(at: neighbours, marks: marks) }) {
        case .found(let strangers):
            logger.error(
                "nodes do not share their blobs: work of theirs fails here, and downloads do",
                metadata: ["nodes": "\(strangers.map(\.rawValue).joined(separator: " "))"])
        case .allIsWell: logger.notice("all nodes share their blobs")
        case .nothing: break
        }
    }

    /// Says once when the blobs go out of reach, and once when they are back.
    private func reaching<Answer>(
        _ body: (any BlobStore) async throws(BlobError) -> Answer
    ) async throws(BlobError) -> Answer {
        do throws(BlobError) {
            let answer = try await body(blobs)
            if let outage = state.withLock({ $0.reached() }) {
                logger.notice(
                    "the blobs are in reach again",
                    metadata: ["outage.seconds": "\(Int(now().seconds(since: outage.since)))"])
            }
            return answer
        } catch {
            // A node that stops gives up what it waits for.
            if !Task.isCancelled, state.withLock({ $0.failed("\(error)", at: now()) }) {
                logger.error(
                    "the blobs are out of reach: work waits for them, and downloads fail",
                    metadata: ["error": "\(error)"])
            }
            throw error
        }
    }

    /// Nil: it has none here.
    private func mark(of node: NodeID) async throws(BlobError) -> Int? {
        do throws(BlobError) {
            let bytes = try await blobs.bytes(of: BlobSharing.mark(of: node), limitBytes: Self.markBytesMax)
            return Int(String(decoding: bytes, as: UTF8.self))
        } catch {
            if error.code == .missing { return nil }
            throw error
        }
    }
}
