/// A node as the database knows it: one row, renewed by one statement per heartbeat.
package struct Node: Hashable, Sendable, Codable {
    package let id: NodeID
    package let region: Region
    /// Raised by every start.
    package let epoch: Int
    /// Base URL of its HTTP port.
    package let http: String
    package let version: String
    /// Threads it may give to tools at one time.
    package let threads: Int
    package let startedAt: Timestamp
    package let seenAt: Timestamp
    /// How long ago that was when the row was read, by the database's clock alone.
    package let seenAgo: Duration
    /// Its life as a member of the cluster; 0 when it is none.
    package let memberEpoch: UInt64
    /// False once its lease has run out or it said goodbye.
    package let isAlive: Bool
    /// Whether its last life said goodbye. One that is neither alive nor has left is dead.
    package let hasLeft: Bool
    /// What the operator wants of it.
    package let schedulability: NodeSchedulability
    /// How it is by its own account.
    package let condition: NodeCondition
    /// Progress of the stages it runs right now.
    package let running: [StageProgress]

    package init(
        id: NodeID, region: Region, epoch: Int, http: String, version: String, threads: Int, startedAt: Timestamp,
        seenAt: Timestamp, seenAgo: Duration = .zero, memberEpoch: UInt64 = 0, isAlive: Bool, hasLeft: Bool = false,
        schedulability: NodeSchedulability = .schedulable, condition: NodeCondition = NodeCondition(),
        running: [StageProgress]
    ) {
        self.id = id
        self.region = region
        self.epoch = epoch
        self.http = http
        self.version = version
        self.threads = threads
        self.startedAt = startedAt
        self.seenAt = seenAt
        self.seenAgo = seenAgo
        self.memberEpoch = memberEpoch
        self.isAlive = isAlive
        self.hasLeft = hasLeft
        self.schedulability = schedulability
        self.condition = condition
        self.running = running
    }
}

/// What the operator wants of a node. Kept in the database, so that it outlives the node and whoever was told.
package enum NodeSchedulability: String, Hashable, Sendable, Codable, CaseIterable {
    /// Takes new work.
    case schedulable
    /// Claims nothing new and finishes what it has.
    case cordoned
    /// Claims nothing new, finishes what it has or hands it back, and gives its keys to others.
    case draining
}

/// How far a running stage has come.
package struct StageProgress: Hashable, Sendable, Codable {
    package let job: JobID
    package let key: StageKey
    package let epoch: Int
    /// 0 to 1.
    package let fraction: Double

    package init(job: JobID, key: StageKey, epoch: Int, fraction: Double) {
        self.job = job
        self.key = key
        self.epoch = epoch
        self.fraction = fraction
    }
}
