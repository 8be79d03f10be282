package import Store

/// A client as operators see it: a row of `GET /admin/v1/clients`.
///
/// Field names are part of the API: add, do not rename.
package struct OperatorClient: Codable, Hashable, Sendable {
    /// `key:` and the name of a key's client, else an address: the `tenant` of its jobs.
    package var client: String
    /// Its share of the work while others wait too, as a multiple of theirs.
    package var weight: Double
    /// Jobs that may be under way at once; absent: as many as the configuration gives to everybody.
    package var jobsMax: Int?
    /// Jobs that are under way, and those that wait until one of them ends.
    package var underWay: Int
    package var held: Int
    /// Seconds of video, by its weight, that its next job queues behind its earlier ones.
    package var aheadSeconds: Double
    /// The name of its plan, if it has one.
    package var plan: String?
    /// Minutes of video that it may have in this month, by whatever decides; absent: no limit.
    package var minutesMax: Int?
    package var minutesUsed: Double

    /// - Parameter minutesMax: what the configuration gives to everybody.
    package init(_ share: ClientShare, minutesMax otherwise: Int?) {
        client = share.tenant
        weight = share.terms.weight
        jobsMax = share.terms.jobsMax
        underWay = share.underWay
        held = share.held
        aheadSeconds = (share.aheadSeconds * 10).rounded() / 10
        plan = share.terms.plan
        minutesMax = share.terms.minutesMax(on: share.plan, otherwise: otherwise)
        minutesUsed = ClientUsage.shown(share.usedSeconds / 60)
    }
}

package struct OperatorClientPage: Codable, Hashable, Sendable {
    package var clients: [OperatorClient]
    /// Send it as `cursor` to get the next page; absent on the last one.
    package var nextCursor: String?
}

/// `POST /admin/v1/clients/terms`
package struct OperatorTerms: Codable, Hashable, Sendable {
    package var client: String
    package var weight: Double
    package var jobsMax: Int?
    package var plan: String?
    /// Of its own; absent: those of its plan, or as everybody.
    package var minutesMax: Int?

    package init(client: String, terms: ClientTerms) {
        self.client = client
        weight = terms.weight
        jobsMax = terms.jobsMax
        plan = terms.plan
        minutesMax = terms.minutesMax
    }
}
