package import Blobs
package import ClipModel
package import Logging
package import Store
import Synchronization

/// Which of the other nodes keep their blobs somewhere else: each node writes a mark, and looks for those of the
/// others.
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

    package init() {}

    package static func mark(of node: NodeID) -> BlobName { BlobName("\(root)/\(node)")! }

    /// Those whose marks are worth looking at: they say that they have written one, which programs before this one do
    /// not.
    package static func neighbours(of own: NodeID, among nodes: [Node]) -> [Node] {
        nodes.filter { $0.id != own && $0.isAlive && $0.condition.blobStrangers != nil }
    }

    /// This node's own mark stands.
    package mutating func marked() { strangers = strangers ?? [] }

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

/// Writes this node's mark and looks for the others', from the start of the node to its end.
package final class BlobSharingWatch: Sendable {
    private static let markBytesMax = 64
    private static let startInterval = Duration.seconds(2)
    private let own: NodeID
    private let store: any Store
    private let blobs: any BlobStore
    private let interval: Duration
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let state = Mutex(BlobSharing())

    package init(
        node: NodeID, store: any Store, blobs: any BlobStore, interval: Duration = .seconds(60),
        clock: any Clock<Duration>, logger: Logger
    ) {
        own = node
        self.store = store
        self.blobs = blobs
        self.interval = interval
        self.clock = clock
        self.logger = logger
    }

    /// As `BlobSharing.strangers`.
    package var strangers: [NodeID]? { state.withLock { $0.strangers } }

    /// Ends by cancellation only. Looks often until this node has registered and its mark stands.
    package func run() async {
        while !Task.isCancelled {
            do { try await look() } catch {
                logger.debug("marks of nodes were not looked at", metadata: ["error": "\(error)"])
            }
            // Ends early only by cancellation, which the loop sees.
            try? await clock.sleep(for: strangers == nil ? min(interval, Self.startInterval) : interval)
        }
    }

    /// One round.
    package func look() async throws {
        let nodes = try await store.nodes()
        // Before this node has registered it has no life to write about.
        guard let life = nodes.first(where: { $0.id == own && $0.isAlive })?.epoch else { return }
        if try await mark(of: own) != life {
            _ = try await blobs.put(Array("\(life)".utf8), as: BlobSharing.mark(of: own))
        }
        state.withLock { $0.marked() }
        let neighbours = BlobSharing.neighbours(of: own, among: nodes)
        var marks: [NodeID: Int] = [:]
        for node in neighbours { marks[node.id] = try await mark(of: node.id) }
        switch state.withLock({ $0.looked(at: neighbours, marks: marks) }) {
        case .found(let strangers):
            logger.error(
                "nodes do not share their blobs: work of theirs fails here, and downloads do",
                metadata: ["nodes": "\(strangers.map(\.rawValue).joined(separator: " "))"])
        case .allIsWell: logger.notice("all nodes share their blobs")
        case .nothing: break
        }
    }

    /// Nil: it has none here.
    private func mark(of node: NodeID) async throws -> Int? {
        do {
            let bytes = try await blobs.bytes(of: BlobSharing.mark(of: node), limitBytes: Self.markBytesMax)
            return Int(String(decoding: bytes, as: UTF8.self))
        } catch {
            if error.code == .missing { return nil }
            throw error
        }
    }
}
