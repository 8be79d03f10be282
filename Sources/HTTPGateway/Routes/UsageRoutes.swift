import ClipModel
import HTTPTypes
import Hummingbird
import Store

/// `GET /api/usage`: what a client has used in this month, and what it may.
struct UsageRoutes: Sendable {
    let quota: QuotaGate

    var routes: [Route] { [Route(.get, "/api/usage", show)] }

    @Sendable private func show(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let tenant = request.client(context)
        return JSONAnswer.make(UsageBody(tenant, try await quota.usage(of: tenant)))
    }
}

/// Field names are part of the API: add, do not rename.
struct UsageBody: Encodable, Sendable {
    let client: String
    /// `2026-11`, in UTC.
    let month: String
    let minutesUsed: Double
    /// Null: no limit.
    let minutesMax: Int?
    let resetsAt: Timestamp

    init(_ tenant: String, _ usage: ClientUsage) {
        client = tenant
        month = "\(usage.month)"
        minutesUsed = usage.shownMinutes
        minutesMax = usage.minutesMax
        resetsAt = usage.resetsAt
    }

    private enum CodingKeys: String, CodingKey { case client, month, minutesUsed, minutesMax, resetsAt }

    /// `minutesMax` is there even if it is null: no limit is an answer, and not a field that was forgotten.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(client, forKey: .client)
        try container.encode(month, forKey: .month)
        try container.encode(minutesUsed, forKey: .minutesUsed)
        try container.encode(minutesMax, forKey: .minutesMax)
        try container.encode(resetsAt, forKey: .resetsAt)
    }
}

extension ClientUsage {
    /// Tenths of a minute, rounded down: whoever is shown as having reached the limit has reached it.
    var shownMinutes: Double { Self.shown(minutes) }
    static func shown(_ minutes: Double) -> Double { (minutes * 10).rounded(.down) / 10 }
}

extension Problem {
    static func quotaExhausted(
        _ usedMinutes: Double, _ maxMinutes: Int, _ resetsAt: Timestamp, closesConnection: Bool = false
    ) -> Problem {
        Problem(
            .forbidden, code: "quota_exhausted",
            detail: "\(ClientUsage.shown(usedMinutes)) minutes of video were taken in this month, "
                + "of \(maxMinutes) that are allowed. They begin anew at \(resetsAt).",
            hint: "Nothing was taken in. Wait until then, or ask the operator of this service for more; "
                + "GET /api/usage tells how it stands.",
            closesConnection: closesConnection)
    }
}
