import Limits
import Membership
import Placement

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a seed replays.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return mixed(state)
    }
}

let millisecond: Nanoseconds = 1_000_000
let second: Nanoseconds = 1_000_000_000

func policy(
    _ name: String = "api", limit: Int, per window: Duration = .seconds(1), burst: Int? = nil, cost: Int = 1,
    onFailure: LimitPolicy.OnFailure = .local, lentUnitsMax: Int? = nil
) throws -> LimitPolicy {
    try LimitPolicy(
        name, limit: limit, per: window, burst: burst, cost: cost, onFailure: onFailure, lentUnitsMax: lentUnitsMax)
}

/// A name that is known to be one.
func member(_ name: String) -> MemberID {
    guard let id = MemberID(name) else { preconditionFailure("\(name) is no member's name") }
    return id
}

func key(_ subject: String, policy: Int = 0) -> LimitKey {
    guard let key = LimitKey(policy: policy, subject: subject) else { preconditionFailure("\(subject) is no subject") }
    return key
}

func placement(_ names: [String]) -> Placement {
    Placement(names.map { PlacementMember(id: member($0), region: "eu") }, policy: PlacementPolicy())
}

/// The limit as it is meant, without a bucket: in every window of length w, at most `burst` + `extra` units and what
/// comes back in w. Everything that was admitted is kept, and every window is looked at, without dividing.
struct EveryWindow {
    let limit: Int
    let window: Nanoseconds
    let burst: Int
    private(set) var admitted: [(at: Nanoseconds, units: Int)] = []

    init(limit: Int, window: Nanoseconds, burst: Int) {
        self.limit = limit
        self.window = window
        self.burst = burst
    }

    /// Whether no window that ends now would be passed: sum - burst <= w limit / window, without dividing.
    func allows(_ units: Int, at now: Nanoseconds) -> Bool {
        worst(at: now) + Int128(units) * Int128(window) <= Int128(burst) * Int128(window)
    }

    /// How many more.
    func room(at now: Nanoseconds) -> Int {
        Int((Int128(burst) * Int128(window) - worst(at: now)) / Int128(window))
    }

    mutating func admit(_ units: Int, at now: Nanoseconds) { admitted.append((now, units)) }

    /// The most that any window up to now holds above what came back in it, times `window`.
    private func worst(at now: Nanoseconds) -> Int128 {
        var worst: Int128 = 0, sum = 0
        for (time, taken) in admitted.reversed() {
            sum += taken
            worst = max(worst, Int128(sum) * Int128(window) - Int128(now - time) * Int128(limit))
        }
        return worst
    }
}
