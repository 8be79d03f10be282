import Membership
import Placement
import Testing

/// Numbers that every implementation of docs/placement.md must find. They were worked out by another program in another
/// language, written from that page. A change of any of them is a change of the algorithm: it needs a new name in
/// `PlacementPolicy.algorithmID`, or nodes of two releases would send each other's keys astray.
@Suite struct VectorTests {
    static let depths: [(hash: UInt64, depth: UInt64)] = [
        (0x0000_0000_0000_0001, 1_125_899_906_842_624), (0x0000_0000_0000_0002, 1_108_307_720_798_208),
        (0x0000_0000_0000_0003, 1_098_016_951_656_515), (0x0123_4567_89ab_cdef, 137_461_492_542_560),
        (0x7fff_ffff_ffff_ffff, 17_592_186_044_417), (0x8000_0000_0000_0000, 17_592_186_044_416),
        (0xb504_f333_f9de_6484, 8_796_093_035_133), (0xdead_beef_cafe_f00d, 3_539_200_925_697),
        (0xffff_ffff_ffff_ffff, 1),
    ]

    @Test(arguments: depths)
    func `a hash lies as deep as it must`(hash: UInt64, depth: UInt64) {
        #expect(BinaryLogarithm.shared.depth(of: hash) == depth)
    }

    static let sample = Placement(
        [
            member("n1", zone: "a"), member("n2", zone: "b", weight: 2), member("n3", zone: "a", weight: 4),
            member("u1", region: "us", zone: "a"), member("u2", region: "us", zone: "b", weight: 3),
            member("s1", region: "sa"),
        ], policy: PlacementPolicy(salt: "tijera", fallbackRegions: ["ap": ["sa", "us"]]))

    @Test func `policy and view have their names`() {
        #expect(Self.sample.policy.algorithmID == "rendezvous-1/432f9b28c85c71f0")
        #expect(Self.sample.digest == 0x7a45_3944_7d24_7a0c)
    }

    static let rankings: [(kind: String, name: String, hash: String, rankings: [String])] = [
        (
            "", "", "7f32e9b86196656e",
            ["n3 n2 n1 s1 u1 u2", "s1 u1 u2 n3 n2 n1", "n3 n2 n1 s1 u1 u2", "u1 n3 n2 u2 n1 s1"]
        ),
        (
            "job-coordinator", "job_01k9z3m8q2v7x4c5b6n7m8q9w0", "5546f764cf9d3905",
            ["n1 n3 n2 s1 u2 u1", "s1 u2 u1 n1 n3 n2", "n1 n3 n2 s1 u2 u1", "n1 u2 n3 s1 n2 u1"]
        ),
        (
            "rate-limiter", "203.0.113.7", "f0b21f2813dfa36d",
            ["n3 n2 n1 s1 u2 u1", "s1 u2 u1 n3 n2 n1", "s1 n3 n2 n1 u2 u1", "u2 n3 n2 s1 u1 n1"]
        ),
        (
            "rate-limiter", "ñandú", "23288ffb1471d0c4",
            ["n3 n2 n1 u1 u2 s1", "s1 u1 u2 n3 n2 n1", "u1 u2 n3 n2 n1 s1", "u1 n3 n2 u2 n1 s1"]
        ),
        (
            "a", "bcdefgh", "8f048d0d49fb7aae",
            ["n3 n2 n1 u2 u1 s1", "s1 u2 u1 n3 n2 n1", "u2 u1 n3 n2 n1 s1", "u2 n3 n2 u1 n1 s1"]
        ),
    ]

    @Test(arguments: rankings)
    func `a key is ranked as it must be`(kind: String, name: String, hash: String, rankings: [String]) {
        // At home, with configured fallbacks, in a region that nobody knows, and without a home.
        for (home, ranking) in zip(["eu", "ap", "af", nil], rankings) {
            let key = PlacementKey(name, kind: kind, home: home)
            #expect(Self.sample.ranking(of: key).map(\.rawValue).joined(separator: " ") == ranking)
            #expect(Self.sample.explain(key).hash == hash)
        }
    }

    @Test func `six thousand rankings are as they must be`() {
        var all = SipHash(keyLow: 1, keyHigh: 2)
        for number in 0..<1000 {
            for home in ["eu", "us", "sa", "ap", "af", nil] {
                let key = PlacementKey("job_01k\(number)", kind: "job-coordinator", home: home)
                for member in Self.sample.ranking(of: key) { all.absorb(field: member.rawValue) }
            }
        }
        #expect(hexadecimal(all.finished()) == "d39eaa5ead2b15fb")
    }
}
