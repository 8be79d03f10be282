import ClipModel
import HTTPTypes
import Hummingbird
import Jobs
import Store

/// How this node and the cluster are: for people, balancers and operators.
struct HealthRoutes: Sendable {
    let jobs: JobService
    let identity: GatewayIdentity
    let gate: AdminGate
    let uploadBytesMax: Int64
    let defences: @Sendable () -> DefenceReport

    var routes: [Route] {
        [
            Route(.get, "/api/health", health),
            Route(.get, "/livez", live),
            Route(.get, "/readyz", ready),
            Route(.get, "/admin/v1/status", status),
        ]
    }

    private struct Report: Encodable {
        /// `ok`, or `down` when the database does not answer.
        let status: String
        let node: NodeID
        let region: Region
        let version: String
        let database: String
        let nodes: [NodeBody]?
        let queue: Queue?
        /// Nil: nobody watches.
        let overload: OverloadBody?
        let limits: Limits
        let defences: DefenceReport
    }

    /// What clients may send, so that they can say so before they try.
    private struct Limits: Encodable { let uploadBytesMax: Int64 }

    private struct NodeBody: Encodable {
        let id: NodeID
        let region: Region
        /// `alive` or `dead`.
        let state: String
        let http: String
        let version: String
        let threads: Int
        let startedAt: Timestamp
        let seenAt: Timestamp
        /// Why it claims nothing though it may: short of memory or disk, or its threads are stuck.
        let pause: NodeCondition.Pause?
        let running: [Running]

        struct Running: Encodable {
            let job: JobID
            let stage: String
            let progress: Double
        }

        init(_ node: Node) {
            id = node.id
            region = node.region
            state = node.isAlive ? "alive" : "dead"
            http = node.http
            version = node.version
            threads = node.threads
            startedAt = node.startedAt
            seenAt = node.seenAt
            pause = node.isAlive ? node.condition.pause : nil
            running =
                node.isAlive
                ? node.running.map { Running(job: $0.job, stage: $0.key.description, progress: $0.fraction) } : []
        }
    }

    private struct Queue: Encodable {
        /// Jobs that no node has begun.
        let jobsWaiting: Int
        let jobsRunning: Int
        let stagesRunning: Int
    }

    @Sendable private func live(_ request: Request, _ context: GatewayContext) async throws -> Response {
        JSONAnswer.make(["status": "ok"])
    }

    @Sendable private func ready(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try await jobs.store.ping()
        return JSONAnswer.make(["status": "ok"])
    }

    @Sendable private func health(_ request: Request, _ context: GatewayContext) async throws -> Response {
        do {
            return JSONAnswer.make(try await report())
        } catch is StoreError {
            let report = Report(
                status: "down", node: identity.node, region: identity.region, version: identity.version,
                database: "unreachable", nodes: nil, queue: nil, overload: overload, limits: limits,
                defences: defences())
            return JSONAnswer.make(report, status: .serviceUnavailable)
        }
    }

    @Sendable private func status(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        return JSONAnswer.make(try await report())
    }

    private func report() async throws -> Report {
        let nodes = try await jobs.store.nodes()
        let running = nodes.filter(\.isAlive).flatMap(\.running)
        var waiting = 0
        if let newest = try await jobs.list(before: nil, limit: 1).first {
            // Whoever waits stands before the newest job, or is the newest job. Jobs that are held for others of their
            // client wait for these, and count only while the newest is one of them.
            waiting = try await jobs.store.queuePosition(of: newest.id) + (newest.status == .pending ? 1 : 0)
        }
        let queue = Queue(
            jobsWaiting: waiting, jobsRunning: Set(running.map(\.job)).count, stagesRunning: running.count)
        return Report(
            status: "ok", node: identity.node, region: identity.region, version: identity.version, database: "ok",
            nodes: nodes.sorted { $0.id < $1.id }.map { NodeBody($0) }, queue: queue, overload: overload,
            limits: limits, defences: defences())
    }

    private var overload: OverloadBody? { jobs.overload.map { OverloadBody($0.state) } }

    private var limits: Limits { Limits(uploadBytesMax: uploadBytesMax) }
}
