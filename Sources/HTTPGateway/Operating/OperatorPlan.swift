package import Store

/// A plan as operators see it. Field names are part of the API: add, do not rename.
package struct OperatorPlan: Codable, Hashable, Sendable {
    package var name: String
    /// Minutes of video in a calendar month; absent: no limit.
    package var minutesMax: Int?

    package init(_ plan: Plan) {
        name = plan.name
        minutesMax = plan.minutesMax
    }
}

/// `GET /admin/v1/plans`
package struct OperatorPlanList: Codable, Hashable, Sendable {
    package var plans: [OperatorPlan]
}
