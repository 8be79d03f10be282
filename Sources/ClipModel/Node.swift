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
    /// False once its lease has run out or it said goodbye.
    package let isAlive: Bool
    /// Progress of the stages it runs right now.
    package let running: [StageProgress]

    package init(
        id: NodeID, region: Region, epoch: Int, http: String, version: String, threads: Int, startedAt: Timestamp,
        seenAt: Timestamp, isAlive: Bool, running: [StageProgress]
    ) {
        self.id = id
        self.region = region
        self.epoch = epoch
        self.http = http
        self.version = version
        self.threads = threads
        self.startedAt = startedAt
        self.seenAt = seenAt
        self.isAlive = isAlive
        self.running = running
    }
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
