import HTTPTypes
import Hummingbird
import Logging
import Store

/// `/admin/v1/plans`: how many minutes of video those clients may have that are granted a plan.
struct AdminPlanRoutes: Sendable {
    let store: any Store
    let gate: AdminGate

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/plans", list),
            Route(.post, "/admin/v1/plans", set),
            Route(.post, "/admin/v1/plans/remove", remove),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        return JSONAnswer.make(OperatorPlanList(plans: try await store.plans().map { OperatorPlan($0) }))
    }

    @Sendable private func set(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .change)
        let plan = Plan(
            name: try request.planName(), minutesMax: try request.number("minutesMax", { Int($0) }))
        if let problem = plan.problem {
            throw Problem(
                .unprocessableContent, code: "invalid_plan", detail: "\(problem).",
                hint: "Leave out minutesMax for a plan without a limit.")
        }
        guard try await store.setPlan(plan) else {
            throw Problem(
                .conflict, code: "too_many_plans", detail: "There are \(StoreLimits.plansMax) plans already.",
                hint: "Remove one that no client has, or give clients minutes of their own.")
        }
        context.logger.notice(
            "operator set a plan",
            metadata: [
                "plan": "\(plan.name)", "minutes.max": "\(plan.minutesMax.map(String.init) ?? "no limit")",
                "client": "\(context.clientAddress)",
            ])
        return JSONAnswer.make(OperatorPlan(plan))
    }

    @Sendable private func remove(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .change)
        switch try await store.removePlan(try request.planName()) {
        case .removed(let plan):
            context.logger.notice(
                "operator removed a plan",
                metadata: ["plan": "\(plan.name)", "client": "\(context.clientAddress)"])
            return JSONAnswer.make(OperatorPlan(plan))
        case .inUse(let clients):
            throw Problem(
                .conflict, code: "plan_in_use", detail: "\(clients) clients have this plan.",
                hint: "Give them another first: POST /admin/v1/clients/terms; GET /admin/v1/clients names them.")
        case .noSuchPlan:
            throw Problem(
                .notFound, code: "no_such_plan", detail: "No plan has this name.",
                hint: "GET /admin/v1/plans lists the plans there are.", field: "name")
        }
    }
}

extension Request {
    fileprivate func planName() throws(Problem) -> String {
        guard let name = query("name"), Plan(name: name, minutesMax: nil).problem == nil else {
            throw Problem(
                .badRequest, code: "invalid_name",
                detail: "name must have 1 to \(Plan.nameCharactersMax) of a-z, 0-9, '.', '_' and '-'.",
                hint: "Name a plan, as basic or pro.2027.", field: "name")
        }
        return name
    }
}
