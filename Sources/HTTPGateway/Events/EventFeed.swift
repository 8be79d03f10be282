package import ClipModel

/// Decides what an event stream of one job reads and sends, and when it is over.
///
/// The shell wakes it, by a signal of the store or by the clock, and does what it answers. It never misses an event,
/// because it asks the store for "everything after the last id I sent"; a signal only makes it ask sooner.
package struct EventFeed: Sendable {
    package struct Pace: Sendable, Hashable {
        /// How often progress is looked at while the job runs, in seconds.
        package var progressSeconds: Double
        /// How often events are asked for without a signal, in seconds: the backstop for a signal that was lost.
        package var pollSeconds: Double
        /// How often something is written to an idle stream, in seconds; below the idle limits of common proxies.
        package var heartbeatSeconds: Double

        package init(progressSeconds: Double = 1, pollSeconds: Double = 5, heartbeatSeconds: Double = 15) {
            precondition(progressSeconds > 0 && pollSeconds > 0 && heartbeatSeconds > 0, "a pace must be positive")
            self.progressSeconds = progressSeconds
            self.pollSeconds = pollSeconds
            self.heartbeatSeconds = heartbeatSeconds
        }
    }

    /// What is due now.
    package struct Work: OptionSet, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }

        /// Read the events after `lastEventID`.
        package static let events = Work(rawValue: 1)
        /// Read the job and send it if it changed.
        package static let progress = Work(rawValue: 2)
        /// Write a comment.
        package static let heartbeat = Work(rawValue: 4)
    }

    /// The newest event that was sent, or the one the client named.
    package private(set) var lastEventID: Int64
    private let pace: Pace
    private var eventsReadAt: Double
    private var progressReadAt: Double
    private var writtenAt: Double
    private var restsUntil = 0.0
    private var isDirty = true
    private var hasEnded = false

    /// - Parameter now: seconds on any clock that never goes back.
    package init(after lastEventID: Int64, pace: Pace = Pace(), now: Double) {
        self.lastEventID = lastEventID
        self.pace = pace
        eventsReadAt = now
        progressReadAt = now
        writtenAt = now
    }

    /// The store said that something may have changed.
    package mutating func signalled() { isDirty = true }

    package func due(now: Double) -> Work {
        var work: Work = []
        if now >= restsUntil {
            if isDirty || now - eventsReadAt >= pace.pollSeconds { work.insert(.events) }
            if now - progressReadAt >= pace.progressSeconds { work.insert(.progress) }
        }
        if now - writtenAt >= pace.heartbeatSeconds { work.insert(.heartbeat) }
        return work
    }

    /// Events were read and sent. `isPageFull`: there may be more behind them.
    package mutating func sent(_ events: [Event], isPageFull: Bool, now: Double) {
        if let newest = events.last?.id {
            precondition(newest > lastEventID, "event \(newest) is not newer than \(lastEventID)")
            lastEventID = newest
            writtenAt = now
        }
        isDirty = isPageFull
        eventsReadAt = now
    }

    /// The job was read; `isChanged`: it differs from what was sent last, and was sent.
    package mutating func read(_ status: Job.Status, isChanged: Bool, now: Double) {
        progressReadAt = now
        if isChanged { writtenAt = now }
        // The status and its event are written in one transaction, so a job that was seen ended has its last event in
        // the store by now: one more reading finds it.
        if status.hasEnded, !hasEnded { isDirty = true }
        hasEnded = status.hasEnded
    }

    /// The store could not answer: nothing is read again for the length of one look at progress.
    package mutating func postpone(now: Double) { restsUntil = now + pace.progressSeconds }

    package mutating func wroteHeartbeat(now: Double) { writtenAt = now }

    /// Everything there is was sent, and nothing more will come.
    package var isOver: Bool { hasEnded && !isDirty }
}
