package import ClipModel

/// Which level of overload a region is on: readings go in, a level comes out.
///
/// It climbs at once, as far as a reading demands, because what comes in too fast does so now. From a queue it comes
/// down one rung at a time, each after `dwell` without a reading that would keep it there, and what keeps it there is
/// lower than what raised it: so readings that swing around a threshold change nothing. What could not be read counts
/// as it was read last, since a sensor that is gone is no recovery.
package struct OverloadLadder: Sendable, Hashable {
    /// | field | unit | default | what it does |
    /// |---|---|---|---|
    /// | `delayBatchSeconds` | seconds of queue | 120 | from here batch jobs wait for the others |
    /// | `sendAwaySeconds` | seconds of queue | 300 | from here new jobs go to a region with more room |
    /// | `deferNewSeconds` | seconds of queue | 1800 | from here new jobs are begun later |
    /// | `refuseSeconds` | seconds of queue | 7200 | from here nothing new is taken in |
    /// | `fallsAtPercent` | percent of each | 50 | a level is left below this part of what raised it |
    /// | `dwell` | duration | 30 s | how long a level stands at least |
    /// | `diskFreeBytesMin` | bytes | 512 MiB | with less free nothing new is taken in; with a quarter more, again |
    /// | `memoryPressurePercent` | percent | 10 | from here batch jobs wait |
    package struct Thresholds: Sendable, Hashable {
        package var delayBatchSeconds: Double
        package var sendAwaySeconds: Double
        package var deferNewSeconds: Double
        package var refuseSeconds: Double
        package var fallsAtPercent: Int
        package var dwell: Duration
        package var diskFreeBytesMin: Int64
        package var memoryPressurePercent: Double

        package init(
            delayBatchSeconds: Double = 120, sendAwaySeconds: Double = 300, deferNewSeconds: Double = 1800,
            refuseSeconds: Double = 7200, fallsAtPercent: Int = 50, dwell: Duration = .seconds(30),
            diskFreeBytesMin: Int64 = 512 << 20, memoryPressurePercent: Double = 10
        ) {
            precondition(
                0 < delayBatchSeconds && delayBatchSeconds < sendAwaySeconds && sendAwaySeconds < deferNewSeconds
                    && deferNewSeconds < refuseSeconds, "levels out of order")
            precondition((1...99).contains(fallsAtPercent), "\(fallsAtPercent) % is no hysteresis")
            self.delayBatchSeconds = delayBatchSeconds
            self.sendAwaySeconds = sendAwaySeconds
            self.deferNewSeconds = deferNewSeconds
            self.refuseSeconds = refuseSeconds
            self.fallsAtPercent = fallsAtPercent
            self.dwell = dwell
            self.diskFreeBytesMin = diskFreeBytesMin
            self.memoryPressurePercent = memoryPressurePercent
        }

        /// Seconds of queue that raise to a level; `normal` needs none.
        package func raises(_ level: OverloadLevel) -> Double {
            switch level {
            case .normal: 0
            case .delayBatch: delayBatchSeconds
            case .sendAway: sendAwaySeconds
            case .deferNew: deferNewSeconds
            case .refuse: refuseSeconds
            }
        }

        /// Seconds of queue below which a level is left.
        package func leaves(_ level: OverloadLevel) -> Double { raises(level) * Double(fallsAtPercent) / 100 }
    }

    /// What was measured. Nil: it could not be.
    package struct Reading: Sendable, Hashable {
        /// Until a job that comes now is done.
        package var queueSeconds: Double?
        package var diskFreeBytes: Int64?
        /// Share of the last ten seconds in which something waited for memory.
        package var memoryPressurePercent: Double?

        package init(
            queueSeconds: Double? = nil, diskFreeBytes: Int64? = nil, memoryPressurePercent: Double? = nil
        ) {
            self.queueSeconds = queueSeconds
            self.diskFreeBytes = diskFreeBytes
            self.memoryPressurePercent = memoryPressurePercent
        }
    }

    /// What a level is owed to.
    package enum Cause: Sendable, Hashable { case queue, disk, memory }

    package struct Change: Sendable, Hashable {
        package let from: OverloadLevel
        package let to: OverloadLevel
        package let cause: Cause?

        package init(from: OverloadLevel, to: OverloadLevel, cause: Cause?) {
            self.from = from
            self.to = to
            self.cause = cause
        }
    }

    package private(set) var level = OverloadLevel.normal
    /// Nil at `normal`.
    package private(set) var cause: Cause?
    /// The newest of everything that could be read.
    package private(set) var reading = Reading()
    package let thresholds: Thresholds
    /// When a reading last kept the level where it is.
    private var keptAt = Duration.zero

    package init(_ thresholds: Thresholds = Thresholds()) { self.thresholds = thresholds }

    /// A round of measuring has ended. `moment` never goes back.
    package mutating func received(_ new: Reading, at moment: Duration) -> Change? {
        reading.queueSeconds = new.queueSeconds ?? reading.queueSeconds
        reading.diskFreeBytes = new.diskFreeBytes ?? reading.diskFreeBytes
        reading.memoryPressurePercent = new.memoryPressurePercent ?? reading.memoryPressurePercent
        let raised = demand(isFalling: false), kept = demand(isFalling: true)
        let before = level
        if raised.level > level {
            (level, cause, keptAt) = (raised.level, raised.cause, moment)
        } else if kept.level >= level {
            keptAt = moment
            if level > .normal { cause = kept.cause }
        } else if moment - keptAt >= thresholds.dwell {
            // What a disk or the memory raised has nothing to do with the queue: it is left at once for what the
            // others ask.
            (level, keptAt) = (cause == .queue ? level.below : kept.level, moment)
            cause = level == .normal ? nil : kept.cause ?? cause
        }
        return level == before ? nil : Change(from: before, to: level, cause: cause)
    }

    /// After how long it makes sense to come back while nothing is taken in: when the queue will have fallen far
    /// enough, in whole seconds from 10 to 3600. What a disk does nobody can tell.
    package var retryAfterSeconds: Int {
        guard cause == .queue, let queue = reading.queueSeconds else { return Self.retryAfterSecondsDefault }
        return Int(min(3600, max(10, queue - thresholds.leaves(.refuse))).rounded(.up))
    }

    package static let retryAfterSecondsDefault = 30

    /// The highest level that any reading demands, by the thresholds for going up or those for staying.
    private func demand(isFalling: Bool) -> (level: OverloadLevel, cause: Cause?) {
        var demand: (level: OverloadLevel, cause: Cause?) = (.normal, nil)
        func add(_ level: OverloadLevel, _ cause: Cause) { if level > demand.level { demand = (level, cause) } }
        if let queue = reading.queueSeconds {
            let reached = OverloadLevel.allCases.last {
                queue >= (isFalling ? thresholds.leaves($0) : thresholds.raises($0))
            }
            add(reached ?? .normal, .queue)
        }
        if let free = reading.diskFreeBytes {
            let least = thresholds.diskFreeBytesMin
            if free < (isFalling ? least + least / 4 : least) { add(.refuse, .disk) }
        }
        if let pressure = reading.memoryPressurePercent {
            let limit = thresholds.memoryPressurePercent
            if pressure >= (isFalling ? limit * Double(thresholds.fallsAtPercent) / 100 : limit) {
                add(.delayBatch, .memory)
            }
        }
        return demand
    }
}
