/// Binary logarithms in whole numbers, so that every machine finds the very same ones.
///
/// `log2` of the C library differs in its last bit between libraries and processors, and one bit is enough for two
/// nodes to disagree about an owner. This one is specified to the last bit (docs/placement.md, "The logarithm"):
///
/// - Numbers have `fractionBits` = 44 bits behind the point.
/// - `table[i]`, i in 0...257, is the logarithm of 1 + i/256, cut off; made by squaring, one bit at a time.
/// - Between two entries: Newton's interpolation through three of them. Off by at most 2^-26 from the true logarithm.
package struct BinaryLogarithm: Sendable {
    package static let fractionBits: UInt64 = 44
    package static let one: UInt64 = 1 << fractionBits

    /// Making the table takes longer than a thousand look-ups, and it never changes.
    package static let shared = BinaryLogarithm()

    private let table: [UInt64]

    package init() { table = (0...257).map { Self.entry($0) } }

    /// How far down the unit interval `hash` is: -log2((hash or 1) / 2^64), in 0...64 with 44 bits behind the point.
    ///
    /// For a hash that is spread evenly this is an exponential variable (in bits), which weighted rendezvous hashing
    /// compares between members.
    @inline(__always)
    package func depth(of hash: UInt64) -> UInt64 {
        // The logarithm of zero would be infinite: zero is taken for one.
        let number = hash | (hash == 0 ? 1 : 0)
        let zeros = UInt64(number.leadingZeroBitCount)
        // The mantissa: a one, eight bits that choose the entry, 55 that tell how far towards the next.
        let mantissa = number &<< zeros
        let index = Int(mantissa &>> 55 & 0xff)
        let fraction = mantissa &<< 9
        let first = table[index], second = table[index + 1], third = table[index + 2]
        let step = second &- first
        // The logarithm bends down, so the second step is the smaller.
        let bend = step &- (third &- second)
        let straight = step.multipliedFullWidth(by: fraction).high
        let sag = bend.multipliedFullWidth(by: fraction.multipliedFullWidth(by: ~fraction).high).high &>> 1
        return zeros &* Self.one &+ Self.one &- (first &+ straight &+ sag)
    }

    /// log2(1 + index/256), cut off after 44 bits: square the number, and whenever it passes 2 the bit is one.
    static func entry(_ index: Int) -> UInt64 {
        // One bit before the point, 63 behind it. From 2 on it is halved first, which takes one from the logarithm.
        let isHalved = index >= 256
        var number = UInt64(256 + index) << (isHalved ? 54 : 55)
        var bits: UInt64 = 0
        for place in (0..<fractionBits).reversed() {
            let square = number.multipliedFullWidth(by: number)
            if square.high >> 63 == 1 {
                bits |= 1 << place
                number = square.high
            } else {
                number = square.high << 1 | square.low >> 63
            }
        }
        return isHalved ? one + bits : bits
    }
}
