package import ClipModel
package import Store

/// How a region stands, as one of its nodes saw it last. Field names are part of the API: add, do not rename.
package struct OverloadState: Sendable, Hashable {
    package var level: OverloadLevel
    package var since: Timestamp
    /// One sentence with the numbers; nil at `normal`.
    package var reason: String?
    /// Of the node's own region; nil while nothing could be measured.
    package var queueSeconds: Double?
    /// For clients that are refused.
    package var retryAfterSeconds: Int
    /// What refuses is the disk and not the queue.
    package var isDiskFull: Bool
    /// Nil before the first answer of the store.
    package var queues: QueueReading?

    package init(
        level: OverloadLevel = .normal, since: Timestamp, reason: String? = nil, queueSeconds: Double? = nil,
        retryAfterSeconds: Int = OverloadLadder.retryAfterSecondsDefault, isDiskFull: Bool = false,
        queues: QueueReading? = nil
    ) {
        self.level = level
        self.since = since
        self.reason = reason
        self.queueSeconds = queueSeconds
        self.retryAfterSeconds = retryAfterSeconds
        self.isDiskFull = isDiskFull
        self.queues = queues
    }
}

extension OverloadState {
    /// Where a new job gets its home, and after how long it may begin.
    package struct Berth: Sendable, Hashable {
        package let region: Region
        package let opensAfterSeconds: Double
    }

    /// - Parameters:
    ///   - home: the region whose state this is.
    ///   - deferSecondsMax: after which a job is begun whatever the level.
    package func berth(
        at home: Region, _ thresholds: OverloadLadder.Thresholds, deferSecondsMax: Double
    ) -> Berth {
        guard level >= .sendAway else { return Berth(region: home, opensAfterSeconds: 0) }
        if let other = roomiest(besides: home, thresholds) { return Berth(region: other, opensAfterSeconds: 0) }
        return Berth(region: home, opensAfterSeconds: level >= .deferNew ? deferSecondsMax : 0)
    }

    /// The region with nodes that take work and the shortest queue, if that is worth the way: half as long as here at
    /// most, and itself well below the level from which jobs are sent away, so that two never send to each other.
    private func roomiest(besides home: Region, _ thresholds: OverloadLadder.Thresholds) -> Region? {
        guard let queues, let here = queueSeconds else { return nil }
        let most = min(thresholds.leaves(.sendAway), here / 2)
        let others = queues.regions.filter { $0.region != home && $0.threads > 0 }.compactMap { other in
            queues.expectedSeconds(in: other.region).map { (region: other.region, seconds: $0) }
        }
        return others.filter { $0.seconds < most }.min {
            ($0.seconds, $0.region.rawValue) < ($1.seconds, $1.region.rawValue)
        }?.region
    }
}
