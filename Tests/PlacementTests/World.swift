import Membership
import Placement

/// Chance that a seed repeats.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return mixed(state)
    }
}

/// Seeds of the property tests. A seed that found something is added here with what it found.
let seeds: [UInt64] = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]

extension MemberID {
    static func named(_ name: String) -> MemberID {
        guard let id = MemberID(name) else { preconditionFailure("\(name) is not a member's name") }
        return id
    }
}

/// Members in the shape that most tests need.
func member(
    _ name: String, region: String = "eu", zone: String = "", weight: Int = 1, status: MemberStatus = .alive,
    _ schedulability: Schedulability = .schedulable
) -> PlacementMember {
    PlacementMember(
        id: .named(name), region: region, zone: zone, weight: weight, status: status, schedulability: schedulability)
}

/// `count` equal members of one region: n1, n2, ...
func equalMembers(_ count: Int, region: String = "eu") -> [PlacementMember] {
    (1...count).map { member("n\($0)", region: region) }
}

func placement(_ members: [PlacementMember], salt: String = "test") -> Placement {
    Placement(members, policy: PlacementPolicy(salt: salt))
}

/// Keys as they occur: identifiers that differ in their last characters only.
func keys(_ count: Int, home: String? = "eu") -> [PlacementKey] {
    (0..<count).map { PlacementKey("job_01k\($0)", kind: "job-coordinator", home: home) }
}

/// A cluster of 2 to 12 members in up to three regions and three zones, with weights from 1 to 8, mostly well.
func randomMembers(_ random: inout SeededGenerator) -> [PlacementMember] {
    (0..<Int.random(in: 2...12, using: &random)).map { number in
        let status: MemberStatus = [.alive, .alive, .alive, .alive, .suspect, .unreachable].randomElement(
            using: &random)!
        let intent: Schedulability =
            [.schedulable, .schedulable, .schedulable, .cordoned, .draining].randomElement(using: &random)!
        return member(
            "n\(number)", region: ["eu", "us", "ap"].randomElement(using: &random)!,
            zone: ["a", "b", "c"].randomElement(using: &random)!, weight: Int.random(in: 1...8, using: &random),
            status: status, intent)
    }
}

/// Every home a key may have in a random cluster, and one that nobody lives in.
let homes: [String?] = [nil, "eu", "us", "ap", "sa"]
