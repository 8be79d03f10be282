import Membership
import Placement
import Testing

@Suite struct WorkTests {
    @Test(arguments: seeds)
    func `spill respects the cap, passes over only the full, and fills evenly`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let members = equalMembers(Int.random(in: 2...9, using: &random)).map {
            member($0.id.rawValue, weight: Int.random(in: 1...8, using: &random))
        }
        let factor = [100, 110, 125, 200].randomElement(using: &random)!
        let placement = Placement(members, policy: PlacementPolicy(loadFactorPercent: factor))
        let weightTotal = members.reduce(0) { $0 + $1.weight }
        var loads: [MemberID: Int] = [:]
        for number in 1...2000 {
            // One key in two is asked for again and again: without spill its owner would take them all.
            let key = PlacementKey(number.isMultiple(of: 2) ? "hot" : "k\(number)", home: "eu")
            let place = placement.placeForNewWork(key, loads: loads)!
            let ranking = placement.ranking(of: key)
            #expect(ranking[place.passedOver] == place.member)
            // ceil(c (m + 1) w / W): the least whole number that is not below.
            func isFull(_ id: MemberID, _ load: Int) -> Bool {
                let weight = members.first { $0.id == id }!.weight
                return load * 100 * weightTotal >= factor * number * weight
            }
            // Minimal: everybody before it is full.
            for id in ranking.prefix(place.passedOver) { #expect(isFull(id, loads[id, default: 0])) }
            #expect(place.load == loads[place.member, default: 0])
            #expect(!isFull(place.member, place.load))
            #expect(isFull(place.member, place.cap) && !isFull(place.member, place.cap - 1))
            loads[place.member, default: 0] += 1
        }
    }

    @Test func `a key that everybody asks for fills its owner to the cap and then the next`() {
        let placement = placement(equalMembers(4))
        let hot = PlacementKey("hot", home: "eu")
        var loads: [MemberID: Int] = [:]
        for _ in 0..<1000 { loads[placement.placeForNewWork(hot, loads: loads)!.member, default: 0] += 1 }
        // 125 % of a quarter is 312.5: the caps of the first two rose to 313 with the last two units.
        #expect(placement.ranking(of: hot).map { loads[$0, default: 0] } == [313, 313, 312, 62])
    }

    @Test func `nothing spills while loads are fair`() {
        let placement = placement(equalMembers(4))
        let fair = Dictionary(uniqueKeysWithValues: placement.members.map { ($0.id, 25) })
        for key in keys(200) {
            let place = placement.placeForNewWork(key, loads: fair)
            #expect(place?.passedOver == 0 && place?.member == placement.owner(of: key))
        }
    }

    @Test func `only those who are alive and schedulable get new work`() {
        let placement = placement([
            member("open"), member("cordoned", .cordoned), member("draining", .draining),
            member("suspect", status: .suspect), member("unreachable", status: .unreachable),
        ])
        for key in keys(50) {
            #expect(placement.placeForNewWork(key, loads: [.named("open"): 1000])?.member == .named("open"))
        }
    }

    @Test func `the suspected get new work only while nobody else would`() {
        let placement = placement([
            member("cordoned", .cordoned), member("suspect", status: .suspect),
            member("both", status: .suspect, .cordoned),
        ])
        #expect(placement.placeForNewWork(PlacementKey("k"), loads: [:])?.member == .named("suspect"))
        let nobody = self.cordonedOnly
        #expect(nobody.placeForNewWork(PlacementKey("k"), loads: [:]) == nil)
        #expect(nobody.owner(of: PlacementKey("k")) != nil)
    }

    private var cordonedOnly: Placement { placement([member("a", .cordoned), member("b", .cordoned)]) }

    @Test func `wild loads are bent`() {
        let placement = placement(equalMembers(3))
        let place = placement.placeForNewWork(
            PlacementKey("k", home: "eu"), loads: [.named("n1"): .max, .named("n2"): .min, .named("n3"): .max])
        #expect(place?.member == .named("n2") && place?.load == 0)
        let strangers = placement.placeForNewWork(PlacementKey("k", home: "eu"), loads: [.named("gone"): .max])
        #expect(strangers?.passedOver == 0)
    }
}
