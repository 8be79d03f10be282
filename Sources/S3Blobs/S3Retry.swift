/// When a request is sent again: decorrelated jitter, so that those whom one outage hit do not come back together.
///
/// The pause is drawn between the shortest and three times the last one, and never longer than the longest. A service
/// that asks for less is left alone for longer from the first time on.
struct S3Retry: Sendable {
    enum Step: Sendable, Hashable {
        case again(after: Duration)
        /// At once, with others.
        case renewCredentials
        case giveUp
    }

    static let shortest = Duration.milliseconds(100)
    static let shortestWhenSlowedDown = Duration.seconds(1)
    static let longest = Duration.seconds(10)
    /// A body that arrives broken this often is broken on the way, not by chance.
    static let corruptMax = 3

    private let patience: Duration
    private var last: Duration?
    private var corrupt = 0
    private var hasRenewed = false

    init(patience: Duration) { self.patience = patience }

    /// A request failed. `waited` is the time since the first try, or since anything last arrived; `chance` in 0..<1.
    mutating func failed(_ trouble: S3Trouble, waited: Duration, chance: Double) -> Step {
        switch trouble.kind {
        case .missing, .exists, .denied, .rangeInvalid, .cancelled, .refused, .disk: return .giveUp
        case .credentials:
            if hasRenewed { return .giveUp }
            hasRenewed = true
            return .renewCredentials
        case .corrupt:
            corrupt += 1
            if corrupt >= Self.corruptMax { return .giveUp }
        case .connection, .service, .slowDown: break
        }
        let floor = trouble.kind == .slowDown ? Self.shortestWhenSlowedDown : Self.shortest
        let ceiling = max(floor, min(Self.longest, (last ?? floor) * 3))
        let pause = floor + (ceiling - floor) * chance
        guard waited + pause <= patience else { return .giveUp }
        last = pause
        return .again(after: pause)
    }

    /// Something arrived: what comes now is a new trouble.
    mutating func progressed() {
        last = nil
        hasRenewed = false
    }
}
