import ClipModel
import HTTPTypes
import Hummingbird
import Jobs
import Logging
import Membership
import Placement
import Store

/// `/admin/v1`: the cluster as operators see it, and their orders to nodes.
///
/// What is asked here must be answered when something is broken, and soon: from this node's memory, and from one query
/// to the database that is not waited for longer than `NodeGlance` allows. No peer is ever asked.
struct AdminRoutes: Sendable {
    /// Longest key and kind that can be asked for. Prevents an address from becoming a load.
    static let keyCharactersMax = 1024

    let jobs: JobService
    let gate: AdminGate
    let cluster: ClusterInspection?
    let glance: NodeGlance
    let now: WallTime

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/cluster", report),
            Route(.get, "/admin/v1/health", health),
            Route(.get, "/admin/v1/ring/explain", explain),
            Route(.get, "/admin/v1/ring/diff", difference),
            Route(.get, "/admin/v1/nodes/{node}/decommission", plan),
            Route(.post, "/admin/v1/nodes/{node}/cordon") { try await order(.cordoned, $0, $1) },
            Route(.post, "/admin/v1/nodes/{node}/uncordon") { try await order(.schedulable, $0, $1) },
            Route(.post, "/admin/v1/nodes/{node}/drain") { try await order(.draining, $0, $1) },
        ]
    }

    // MARK: Looking

    @Sendable private func report(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        return JSONAnswer.make(try await report())
    }

    /// 200 in sickness and in health: the question was answered. `isHealthy` tells.
    @Sendable private func health(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        return JSONAnswer.make(try await report().health)
    }

    @Sendable private func explain(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        let (name, kind) = (request.query("key") ?? "", request.query("kind") ?? "")
        let most = Self.keyCharactersMax
        guard !name.isEmpty, name.unicodeScalars.count <= most, kind.unicodeScalars.count <= most else {
            throw Problem(
                .badRequest, code: "invalid_key", detail: "A key has 1 to \(most) characters.",
                hint: "Ask for /admin/v1/ring/explain?key=KEY, with kind= and home= where the key has them.",
                field: "key")
        }
        var home: String?
        if let text = request.query("home"), !text.isEmpty {
            guard let region = Region(text) else {
                throw Problem(
                    .badRequest, code: "invalid_region", detail: "A region has 1 to 63 of a-z, 0-9 and -.",
                    hint: "Leave home out for keys without a home.", field: "home")
            }
            home = region.rawValue
        }
        return JSONAnswer.make(try snapshot().placement.explain(PlacementKey(name, kind: kind, home: home)))
    }

    @Sendable private func difference(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        let placement = try snapshot().placement
        guard let id = request.query("without").flatMap({ MemberID($0) }),
            placement.members.contains(where: { $0.id == id })
        else { throw Problem.noSuchNode }
        return JSONAnswer.make(placement.difference(to: placement.without(id)))
    }

    @Sendable private func plan(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        let snapshot = try snapshot()
        let report = await report(of: snapshot)
        guard let plan = DecommissionPlan.make(try context.node().rawValue, report, snapshot.placement) else {
            throw Problem.noSuchNode
        }
        return JSONAnswer.make(plan)
    }

    // MARK: Orders

    private func order(
        _ schedulability: NodeSchedulability, _ request: Request, _ context: GatewayContext
    ) async throws -> Response {
        try gate.admit(request, to: .change)
        let id = try context.node()
        guard let node = try await jobs.store.setSchedulability(of: id, to: schedulability) else {
            throw Problem.noSuchNode
        }
        context.logger.notice(
            "operator's order to a node",
            metadata: [
                "node": "\(id)", "schedulability": "\(schedulability.rawValue)", "client": "\(context.clientAddress)",
            ])
        return JSONAnswer.make(
            SchedulabilityAnswer(
                node: id.rawValue, schedulability: node.schedulability, isAlive: node.isAlive,
                stages: node.isAlive ? node.running.count : 0))
    }

    // MARK: Inside

    private func snapshot() throws(Problem) -> ClusterSnapshot {
        guard let cluster else {
            throw Problem(
                .serviceUnavailable, code: "no_cluster", detail: "This node takes no part in a cluster.",
                hint: "Ask a node that does.")
        }
        return cluster.snapshot()
    }

    private func report() async throws -> ClusterReport { await report(of: try snapshot()) }

    private func report(of snapshot: ClusterSnapshot) async -> ClusterReport {
        ClusterReport.make(snapshot, await glance.read(), at: now())
    }
}

extension GatewayContext {
    /// The node named in the address. Text that is no name names no node, so the answer is the same.
    fileprivate func node() throws(Problem) -> NodeID {
        guard let id = coreContext.parameters.get("node").flatMap({ NodeID($0) }) else { throw .noSuchNode }
        return id
    }
}

extension Problem {
    static let noSuchNode = Problem(
        .notFound, code: "no_such_node", detail: "No node has this name.",
        hint: "GET /admin/v1/cluster lists the nodes there are.")
}
