import ClipModel
import Jobs
import Store

/// The `overload` of `/api/health`: how the asked node's region stands.
struct OverloadBody: Encodable, Sendable {
    let level: OverloadLevel
    let since: Timestamp
    let reason: String?
    /// Until a job that comes now is done; nil while nothing could be measured.
    let queueSeconds: Double?
    let regions: [RegionBody]

    struct RegionBody: Encodable, Sendable {
        let region: Region
        let queueSeconds: Double?
        let threads: Int
        let readyStages: Int
        let deferredJobs: Int
        let oldestWaitSeconds: Double
    }

    init(_ state: OverloadState) {
        level = state.level
        since = state.since
        reason = state.reason
        queueSeconds = state.queueSeconds.map(Self.rounded(_:))
        regions = (state.queues?.regions ?? []).map { region in
            RegionBody(
                region: region.region,
                queueSeconds: state.queues?.expectedSeconds(in: region.region).map(Self.rounded(_:)),
                threads: region.threads, readyStages: region.readyStages, deferredJobs: region.deferredJobs,
                oldestWaitSeconds: Self.rounded(region.oldestWaitSeconds))
        }
    }

    /// To tenths: more was not measured.
    private static func rounded(_ seconds: Double) -> Double { (seconds * 10).rounded() / 10 }
}
