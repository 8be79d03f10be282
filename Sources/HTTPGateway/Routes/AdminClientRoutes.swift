import HTTPTypes
import Hummingbird
import Logging
import Store

/// `/admin/v1/clients`: who has how much in the house, and what operators grant them.
struct AdminClientRoutes: Sendable {
    static let listLimitDefault = 100
    static let listLimitMax = 500

    let store: any Store
    let gate: AdminGate
    /// What the configuration gives to everybody.
    let minutesMax: Int?

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/clients", list),
            Route(.post, "/admin/v1/clients/terms", setTerms),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        let limit = try request.limit(Self.listLimitDefault, most: Self.listLimitMax)
        // One more than asked for tells whether there is another page.
        let found = try await store.clients(after: try request.text("cursor"), limit: limit + 1)
        let page = found.prefix(limit).map { OperatorClient($0, minutesMax: minutesMax) }
        return JSONAnswer.make(
            OperatorClientPage(clients: page, nextCursor: found.count > limit ? page.last?.client : nil))
    }

    /// What is left out goes back to what everybody gets.
    @Sendable private func setTerms(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .change)
        guard let client = try request.text("client") else {
            throw Problem(
                .badRequest, code: "invalid_client", detail: "client is missing.",
                hint: "Name key:NAME or an address, as GET /admin/v1/clients and the tenant of jobs show them.",
                field: "client")
        }
        let terms = ClientTerms(
            weight: try request.number("weight", Double.init) ?? 1, jobsMax: try request.number("jobsMax", { Int($0) }),
            plan: try request.text("plan"), minutesMax: try request.number("minutesMax", { Int($0) }))
        if let problem = terms.problem {
            throw Problem(
                .unprocessableContent, code: "invalid_terms", detail: "\(problem).",
                hint: "Leave out what should be as for everybody.")
        }
        guard case .set = try await store.setTerms(of: client, to: terms) else {
            throw Problem(
                .notFound, code: "no_such_plan", detail: "No plan has this name.",
                hint: "GET /admin/v1/plans lists the plans there are.", field: "plan")
        }
        context.logger.notice(
            "operator's terms for a client",
            metadata: [
                "tenant": "\(client)", "weight": "\(terms.weight)",
                "jobs.max": "\(terms.jobsMax.map(String.init) ?? "as everybody")", "plan": "\(terms.plan ?? "none")",
                "minutes.max": "\(terms.minutesMax.map(String.init) ?? "as the plan")",
                "client": "\(context.clientAddress)",
            ])
        return JSONAnswer.make(OperatorTerms(client: client, terms: terms))
    }
}

extension Request {
    func number<Number>(_ name: String, _ read: (String) -> Number?) throws(Problem) -> Number? {
        guard let text = query(name) else { return nil }
        guard let number = read(text) else {
            throw Problem(
                .badRequest, code: "invalid_\(name)", detail: "\(name) must be a number.",
                hint: "Leave it out to get what everybody gets.", field: name)
        }
        return number
    }
}
