/// One place for a speech worker: what its process is doing, and when something must be done about it.
///
/// Times are seconds on the pool's clock.
package struct SpeechChild: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        /// No process, and none before this time. Becomes `starting`.
        case absent(until: Double)
        /// The process loads its model. Becomes `ready` by its first report, `absent` when it ends.
        case starting(since: Double)
        /// Warm, without work. Becomes `busy`, or `closing` after the idle time.
        case ready(since: Double)
        /// Works on `request`; `heard` is its last sign of life. Becomes `ready`, `closing`, `stopping` or `absent`.
        case busy(request: Int, heard: Double)
        /// Was told to stop; its caller is gone already. Becomes `ready` when it answers, else is killed.
        case stopping(request: Int, since: Double)
        /// Its input is closed: it goes by itself. Becomes `absent`.
        case closing(since: Double)
        /// Was sent SIGKILL. `request` is lost with it. Becomes `absent`.
        case killed(request: Int?, wasStarting: Bool)
    }

    /// What is due now.
    package enum Due: Hashable, Sendable { case close, kill }

    package private(set) var state = State.absent(until: 0)
    /// Requests that this process has answered.
    private var served = 0
    /// Processes in a row that ended before they had answered anything.
    package private(set) var failures = 0

    package init() {}

    package var isAbsent: Bool {
        if case .absent = state { true } else { false }
    }

    package var isReady: Bool {
        if case .ready = state { true } else { false }
    }

    package var isStarting: Bool {
        if case .starting = state { true } else { false }
    }

    /// Whether a new process may be started.
    package func canStart(at now: Double) -> Bool {
        if case .absent(let until) = state { until <= now } else { false }
    }

    package mutating func started(at now: Double) {
        precondition(isAbsent, "started a child that is \(state)")
        state = .starting(since: now)
        served = 0
    }

    package mutating func becameReady(at now: Double) {
        if isStarting { state = .ready(since: now) }
    }

    package mutating func assigned(_ request: Int, at now: Double) {
        precondition(isReady, "gave work to a child that is \(state)")
        state = .busy(request: request, heard: now)
    }

    /// A sign of life for `request`. False when it is not the one that counts.
    package mutating func heard(of request: Int, at now: Double) -> Bool {
        guard case .busy(request, _) = state else { return false }
        state = .busy(request: request, heard: now)
        return true
    }

    /// `request` was answered. `close` is due when the process has served its time.
    package mutating func answered(_ request: Int, at now: Double, requestsMax: Int) -> Due? {
        switch state {
        case .busy(request, _), .stopping(request, _): break
        default: return nil
        }
        served += 1
        failures = 0
        guard served < requestsMax else {
            state = .closing(since: now)
            return .close
        }
        state = .ready(since: now)
        return nil
    }

    package mutating func told(toStop request: Int, at now: Double) -> Bool {
        guard case .busy(request, _) = state else { return false }
        state = .stopping(request: request, since: now)
        return true
    }

    package mutating func due(at now: Double, _ limits: SpeechConfiguration) -> Due? {
        switch state {
        case .starting(let since) where now - since > limits.startSecondsMax: return kill()
        case .busy(_, let heard) where now - heard > limits.silentSecondsMax: return kill()
        case .stopping(_, let since) where now - since > limits.cancelSecondsMax: return kill()
        case .closing(let since) where now - since > limits.closeSecondsMax: return kill()
        case .ready(let since) where now - since > limits.idleSecondsMax:
            state = .closing(since: now)
            return .close
        default: return nil
        }
    }

    /// The process ended, by itself or not. Returns the request that is lost with it, if its caller still waits.
    package mutating func ended(at now: Double, _ limits: SpeechConfiguration) -> Int? {
        let lost: Int?
        let isFailure: Bool
        switch state {
        case .busy(let request, _): (lost, isFailure) = (request, true)
        case .killed(let request, let wasStarting): (lost, isFailure) = (request, request != nil || wasStarting)
        case .starting: (lost, isFailure) = (nil, true)
        // A worker that dies without work is replaced when there is some; but not at full speed.
        case .ready: (lost, isFailure) = (nil, true)
        case .stopping, .closing, .absent: (lost, isFailure) = (nil, false)
        }
        failures = isFailure ? failures + 1 : 0
        let doublings = Double(max(0, min(failures, 16) - 1))
        let pause = failures == 0 ? 0 : min(limits.backOffSecondsMax, limits.backOffSecondsMin * exp2(doublings))
        state = .absent(until: now + pause)
        return lost
    }

    private mutating func kill() -> Due {
        switch state {
        case .busy(let request, _): state = .killed(request: request, wasStarting: false)
        case .starting: state = .killed(request: nil, wasStarting: true)
        default: state = .killed(request: nil, wasStarting: false)
        }
        return .kill
    }
}

/// 2 to the power of a small whole number; spares an import.
private func exp2(_ power: Double) -> Double { Double(1 << Int(power)) }
