/// How fast one connection must go, and whether it does: a value without a clock. Times are seconds of any one clock.
///
/// A slow client is no enemy, but one that holds a connection and sends next to nothing looks the same as ten thousand
/// that do so on purpose. So each thing a client can be waited for has a limit of its own:
/// the head of a request, its body, the next request, and the taking of an answer.
package struct ConnectionPace: Sendable {
    package struct Limits: Sendable, Hashable {
        /// From the first byte of a request, or of a handshake, to the end of the request's head. Default 10.
        package var headSeconds: Double = 10
        /// Without a request. Default 75.
        package var idleSeconds: Double = 75
        /// Of a body that is waited for, over any `bodyWindowSeconds` of waiting. Default 200.
        package var bodyBytesPerSecondMin: Double = 200
        package var bodyWindowSeconds: Double = 30
        /// In which a client takes none of an answer. Default 60.
        package var stuckSeconds: Double = 60

        package init() {}
    }

    /// Why a connection is closed; the label of a metric.
    package enum Fault: String, Sendable, Hashable, CaseIterable {
        case headTooSlow = "head_too_slow"
        case bodyTooSlow = "body_too_slow"
        case idle
        case notReading = "not_reading"
    }

    /// An HTTP/2 connection that is idle is first asked to go (GOAWAY); this is for those that do not.
    private static let goodbyeSeconds = 5.0

    /// What is known of one request body while it arrives.
    private struct Body {
        var bytes = 0
        var waitedSeconds = 0.0
        /// Since when the node has wanted more. Nil: it has enough for now, and the client is not to blame.
        var wantedSince: Double?

        func waited(_ now: Double) -> Double { waitedSeconds + (wantedSince.map { now - $0 } ?? 0) }
    }

    private let limits: Limits
    private var isMultiplexed = false
    private var openRequests = 0
    private var quietSince: Double
    private var headBegan: Double?
    private var bodies: [Int: Body] = [:]
    private var stuckSince: [Int: Double] = [:]

    package init(_ limits: Limits, now: Double) {
        self.limits = limits
        quietSince = now
    }

    // MARK: Events

    /// Bytes came in, of whatever kind.
    package mutating func bytesArrived(now: Double) {
        if openRequests == 0, bodies.isEmpty, headBegan == nil { headBegan = now }
    }

    /// The TLS handshake is over. On HTTP/2 connections there is traffic without requests, so that from here only the
    /// limit without one counts.
    package mutating func negotiated(isMultiplexed: Bool, now: Double) {
        self.isMultiplexed = isMultiplexed
        headBegan = nil
        quietSince = now
    }

    /// A request's head is here. `stream` tells requests of one connection apart.
    package mutating func requestBegan(_ stream: Int, now: Double) {
        openRequests += 1
        headBegan = nil
        bodies[stream] = Body()
    }

    /// The node asks for more of a body.
    package mutating func bodyWanted(_ stream: Int, now: Double) {
        if bodies[stream] != nil, bodies[stream]?.wantedSince == nil { bodies[stream]?.wantedSince = now }
    }

    package mutating func bodyArrived(_ stream: Int, bytes: Int) { bodies[stream]?.bytes += bytes }

    /// What was asked for has been handed on; nothing more is wanted until `bodyWanted`.
    package mutating func bodySatisfied(_ stream: Int, now: Double) {
        guard let since = bodies[stream]?.wantedSince else { return }
        bodies[stream]?.waitedSeconds += now - since
        bodies[stream]?.wantedSince = nil
    }

    package mutating func bodyEnded(_ stream: Int, now: Double) {
        bodies[stream] = nil
        if openRequests == 0 { quietSince = now }
    }

    /// The answer has been written, or will never be.
    package mutating func requestEnded(_ stream: Int, now: Double) {
        openRequests = max(0, openRequests - 1)
        if openRequests == 0 { quietSince = now }
    }

    package mutating func streamClosed(_ stream: Int) {
        bodies[stream] = nil
        stuckSince[stream] = nil
    }

    /// Whether the client takes what is written.
    package mutating func writable(_ isWritable: Bool, stream: Int, now: Double) {
        if isWritable { stuckSince[stream] = nil } else if stuckSince[stream] == nil { stuckSince[stream] = now }
    }

    // MARK: Verdict

    /// Why the connection has to go, or nil. Asked every second or so.
    package mutating func fault(now: Double) -> Fault? {
        if let since = stuckSince.values.min(), now - since > limits.stuckSeconds { return .notReading }
        for (stream, body) in bodies {
            let waited = body.waited(now)
            guard waited >= limits.bodyWindowSeconds else { continue }
            guard Double(body.bytes) >= limits.bodyBytesPerSecondMin * waited else { return .bodyTooSlow }
            bodies[stream] = Body(wantedSince: body.wantedSince == nil ? nil : now)
        }
        guard openRequests == 0, bodies.isEmpty else { return nil }
        if !isMultiplexed, let began = headBegan, now - began > limits.headSeconds { return .headTooSlow }
        let allowed = limits.idleSeconds + (isMultiplexed ? Self.goodbyeSeconds : 0)
        return now - quietSince > allowed ? .idle : nil
    }
}
