package import Media

/// What stands between uploads and decoders on this node, as `/api/health` tells it. Words, no versions and no
/// addresses: everybody may ask.
package struct DefenceReport: Codable, Hashable, Sendable {
    package enum Antivirus: String, Codable, Hashable, Sendable {
        /// Uploads are not scanned.
        case off
        case on
        /// The scanner does not answer: jobs wait for it, or are opened without a scan, as the operator chose.
        case awayJobsWait = "away_jobs_wait"
        case awayJobsGoOn = "away_jobs_go_on"
    }

    package var antivirus: Antivirus
    /// What media tools may see (`sandbox.kind`); nil: not told.
    package var sandbox: Sandbox.Kind?

    package init(antivirus: Antivirus = .off, sandbox: Sandbox.Kind? = nil) {
        self.antivirus = antivirus
        self.sandbox = sandbox
    }
}
