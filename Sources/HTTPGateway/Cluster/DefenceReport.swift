package import Media

/// What stands between uploads and decoders on this node, and who counts what clients may ask, as `/api/health` tells
/// it. Words, no versions and no addresses: everybody may ask.
package struct DefenceReport: Codable, Hashable, Sendable {
    package enum Antivirus: String, Codable, Hashable, Sendable {
        /// Uploads are not scanned.
        case off
        case on
        /// The scanner does not answer: jobs wait for it, or are opened without a scan, as the operator chose.
        case awayJobsWait = "away_jobs_wait"
        case awayJobsGoOn = "away_jobs_go_on"
    }

    package enum Limits: String, Codable, Hashable, Sendable {
        /// Limits are counted in the operator's Redis.
        case redis
        /// It does not answer: the cluster counts them itself meanwhile.
        case redisAway = "redis_away"
    }

    package var antivirus: Antivirus
    /// What media tools may see (`sandbox.kind`); nil: not told.
    package var sandbox: Sandbox.Kind?
    /// Nil: by the cluster itself, as always without a Redis.
    package var limits: Limits?

    package init(antivirus: Antivirus = .off, sandbox: Sandbox.Kind? = nil, limits: Limits? = nil) {
        self.antivirus = antivirus
        self.sandbox = sandbox
        self.limits = limits
    }
}
