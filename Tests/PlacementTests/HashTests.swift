import Foundation
import Placement
import Testing

@Suite struct HashTests {
    /// SipHash-2-4 of the bytes 0, 1, 2, ... under the key 00 01 ... 0f: from the reference implementation, as OpenSSL
    /// 3 gives them too.
    static let vectors: [(count: Int, hash: UInt64)] = [
        (0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (2, 0x0d6c_8009_d9a9_4f5a),
        (3, 0x8567_6696_d7fb_7e2d), (4, 0xcf27_94e0_2771_87b7), (5, 0x1876_5564_cd99_a68d),
        (6, 0xcbc9_466e_58fe_e3ce), (7, 0xab02_00f5_8b01_d137), (8, 0x93f5_f579_9a93_2462),
        (9, 0x9e00_82df_0ba9_e4b0), (10, 0x7a5d_bbc5_94dd_b9f3), (11, 0xf4b3_2f46_226b_ada7),
        (12, 0x751e_8fbc_860e_e5fb), (13, 0x14ea_5627_c084_3d90), (14, 0xf723_ca90_8e7a_f2ee),
        (15, 0xa129_ca61_49be_45e5), (16, 0x3f2a_cc7f_57c2_9bdb), (17, 0x699a_e9f5_2cbe_4794),
        (31, 0x32d8_92fa_d841_c342), (63, 0x958a_324c_eb06_4572),
    ]

    private var keyed: SipHash { SipHash(keyLow: 0x0706_0504_0302_0100, keyHigh: 0x0f0e_0d0c_0b0a_0908) }

    @Test(arguments: vectors)
    func `siphash gives what its authors publish`(count: Int, hash: UInt64) {
        var siphash = keyed
        for byte in 0..<count { siphash.absorb(UInt8(byte)) }
        #expect(siphash.finished() == hash)
        // The same bytes as text, which goes eight at a time.
        var text = keyed
        text.absorb(String(decoding: (0..<UInt8(count)).map(\.self), as: UTF8.self))
        #expect(text.finished() == hash)
    }

    @Test func `words may begin at any byte`() {
        for before in 0..<8 {
            var bytewise = keyed
            var wordwise = keyed
            for byte in 0..<before {
                bytewise.absorb(UInt8(byte))
                wordwise.absorb(UInt8(byte))
            }
            let word: UInt64 = 0x8877_6655_4433_2211
            for place in 0..<8 { bytewise.absorb(UInt8(truncatingIfNeeded: word >> (8 * place))) }
            wordwise.absorb(word)
            #expect(bytewise.finished() == wordwise.finished(), "after \(before) bytes")
        }
    }

    @Test func `fields do not run together`() {
        func hash(_ fields: [String]) -> UInt64 {
            var siphash = keyed
            for field in fields { siphash.absorb(field: field) }
            return siphash.finished()
        }
        #expect(Set([["ab", "c"], ["a", "bc"], ["abc"], ["", "abc"], ["abc", ""]].map(hash)).count == 5)
    }

    @Test func `mixing is that of SplitMix64`() {
        // The first outputs of SplitMix64 from the seed 1234567, as published with Java's SplittableRandom.
        var state: UInt64 = 1_234_567
        let outputs = (0..<3).map { _ in
            state &+= 0x9e37_79b9_7f4a_7c15
            return mixed(state)
        }
        #expect(outputs == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }
}

@Suite struct LogarithmTests {
    /// floor(2^44 log2(1 + i/256)), worked out with 200 bits.
    static let entries: [(Int, UInt64)] = [
        (0, 0), (1, 98_948_115_834), (2, 197_511_966_174), (63, 5_583_981_754_195), (64, 5_663_418_938_182),
        (127, 10_224_588_766_346), (128, 10_290_769_141_693), (200, 14_652_356_083_722), (255, 17_542_566_948_328),
    ]

    @Test(arguments: entries)
    func `the entries of the table are exact`(index: Int, expected: UInt64) {
        // A hash that lies on an entry: no interpolation. depth = 64 - log2(hash).
        let hash = (UInt64(256) + UInt64(index)) << 55
        #expect(BinaryLogarithm.shared.depth(of: hash) == BinaryLogarithm.one - expected)
    }

    @Test func `the ends of the range are where they belong`() {
        let logarithm = BinaryLogarithm.shared
        #expect(logarithm.depth(of: 0) == 64 * BinaryLogarithm.one)
        #expect(logarithm.depth(of: 1) == 64 * BinaryLogarithm.one)
        #expect(logarithm.depth(of: 2) == 63 * BinaryLogarithm.one)
        #expect(logarithm.depth(of: 1 << 63) == BinaryLogarithm.one)
        #expect(logarithm.depth(of: .max) <= 1)
    }

    @Test func `it is as near to the true logarithm as it says`() {
        var random = SeededGenerator(seed: 7)
        var worst = 0.0
        for number in 0..<200_000 {
            // Small numbers too, and those near a power of two, where the table changes pages.
            let hash = (random.next() >> UInt64(number % 60)) | 1
            let depth = Double(BinaryLogarithm.shared.depth(of: hash)) / Double(BinaryLogarithm.one)
            worst = max(worst, abs(depth - (64 - log2(Double(hash)))))
        }
        #expect(worst < 0x1p-26, "off by \(worst)")
        #expect(worst > 0x1p-40, "the comparison compares nothing")
    }

    @Test func `it never rises with the hash by more than its last bits`() {
        for index in 0..<256 {
            let border = (UInt64(256) + UInt64(index)) << 55
            guard border > 1 << 63 else { continue }
            let (below, above) = (
                BinaryLogarithm.shared.depth(of: border - 1), BinaryLogarithm.shared.depth(of: border)
            )
            #expect(above <= below + 2, "at entry \(index)")
        }
    }
}
