import Hummingbird
package import Store

/// `/admin/v1/tally`: how the jobs of the last days ended, over all nodes, each counted once.
struct AdminTallyRoutes: Sendable {
    static let daysDefault = 7
    static let daysMax = 400

    let store: any Store
    let gate: AdminGate

    var routes: [Route] { [Route(.get, "/admin/v1/tally", show)] }

    @Sendable private func show(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        let days = try request.days()
        return JSONAnswer.make(TallyAnswer(days: days, rows: try await store.tally(days: days)))
    }
}

/// Field names are part of the API: add, do not rename.
package struct TallyAnswer: Codable, Hashable, Sendable {
    /// How many days back it looks, today (UTC) included.
    package var days: Int
    package var rows: [TallyRow]
}

extension Request {
    fileprivate func days() throws(Problem) -> Int {
        guard let text = query("days") else { return AdminTallyRoutes.daysDefault }
        guard let days = Int(text), (1...AdminTallyRoutes.daysMax).contains(days) else {
            throw Problem(
                .badRequest, code: "invalid_days", detail: "days must be from 1 to \(AdminTallyRoutes.daysMax).",
                hint: "Leave it out to get \(AdminTallyRoutes.daysDefault).", field: "days")
        }
        return days
    }
}
