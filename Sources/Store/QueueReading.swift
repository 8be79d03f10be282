package import ClipModel

/// What waits and who could do it, by region, at one moment of the store's own time: what overload is judged by.
///
/// Work is in thread-seconds. A job's is its cost (`FairShare.estimate`) times `effort`, less what its stages have
/// run already, so the stages that are not open yet count too. Of a job that is revised, what is left are its open
/// revisions, each at what a clip costs (`FairShare.secondsPerClip`), less what their stages have run. A job that its
/// client's limit holds back has no stages and does not count: nobody else waits for it.
package struct QueueReading: Sendable, Hashable {
    package struct RegionQueue: Sendable, Hashable {
        package let region: Region
        /// Left to do in jobs that may be worked on now.
        package let openSeconds: Double
        /// Left to do in jobs that were taken in and are begun later.
        package let deferredSeconds: Double
        /// Stages that may be claimed now.
        package let readyStages: Int
        package let deferredJobs: Int
        /// How long the oldest of the ready stages has waited. By design that of a batch job may wait long.
        package let oldestWaitSeconds: Double
        /// Of living nodes that take new work.
        package let threads: Int

        package init(
            region: Region, openSeconds: Double = 0, deferredSeconds: Double = 0, readyStages: Int = 0,
            deferredJobs: Int = 0, oldestWaitSeconds: Double = 0, threads: Int = 0
        ) {
            self.region = region
            self.openSeconds = openSeconds
            self.deferredSeconds = deferredSeconds
            self.readyStages = readyStages
            self.deferredJobs = deferredJobs
            self.oldestWaitSeconds = oldestWaitSeconds
            self.threads = threads
        }
    }

    /// In the order of their names: those with work or with living nodes.
    package let regions: [RegionQueue]
    /// Thread-seconds for one second of cost: over the newest `StoreLimits.effortJobs` jobs that ended well, without
    /// what was revised of them later; else `effortGuess`.
    package let effort: Double

    package init(regions: [RegionQueue], effort: Double = Self.effortGuess) {
        self.regions = regions
        self.effort = effort
    }

    /// Where a cluster begins, before any job has ended: what `StageCost` says of a second that is listened to and
    /// looked through.
    package static let effortGuess = 0.31

    package func queue(of region: Region) -> RegionQueue? { regions.first { $0.region == region } }

    /// Until a job that comes now into this region is done, if its nodes do nothing else and nobody helps them: all
    /// work over all threads. Where the region has no thread, the threads of all others count, because they take it
    /// over; nil where there is none at all.
    package func expectedSeconds(in region: Region) -> Double? {
        guard let own = queue(of: region) else { return threads == 0 ? nil : 0 }
        let work = own.openSeconds + own.deferredSeconds
        if own.threads > 0 { return work / Double(own.threads) }
        let all = regions.reduce(0) { $0 + $1.openSeconds + $1.deferredSeconds }
        return threads == 0 ? nil : all / Double(threads)
    }

    private var threads: Int { regions.reduce(0) { $0 + $1.threads } }
}
