/// A sum of measured values in whole billionths.
///
/// A sum of `Double`s depends on the order of its parts in the last bits, so two nodes that merge the same figures in
/// different orders would disagree about them. This one is exact to half a billionth for each value, whatever the
/// order.
package struct FixedSum: Hashable, Sendable {
    /// Values beyond this count as this; a quintillion. 100 billion of them fit into a sum.
    package static let valueMax = 1e18
    private static let scale = 1e9

    package private(set) var billionths: Int128 = 0

    package init() {}

    /// - Parameter value: finite.
    package init(_ value: Double) {
        let scaled = (min(max(value, -Self.valueMax), Self.valueMax) * Self.scale).rounded()
        // Almost every value fits into a word, for which the conversion is one instruction.
        billionths = abs(scaled) < 0x1p62 ? Int128(Int64(scaled)) : Int128(scaled)
    }

    init(billionths: Int128) { self.billionths = billionths }

    package var value: Double { Double(billionths) / Self.scale }

    /// Stops at the ends: a peer may send what it likes.
    package static func + (left: FixedSum, right: FixedSum) -> FixedSum {
        let (sum, overflow) = left.billionths.addingReportingOverflow(right.billionths)
        return FixedSum(billionths: overflow ? (right.billionths > 0 ? .max : .min) : sum)
    }

    package static func += (left: inout FixedSum, right: FixedSum) { left = left + right }
}

/// As two words: not every coder knows numbers of 128 bits.
extension FixedSum: Codable {
    private enum CodingKeys: String, CodingKey {
        case high = "h"
        case low = "l"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let high = try container.decode(Int64.self, forKey: .high)
        let low = try container.decode(UInt64.self, forKey: .low)
        billionths = Int128(high) << 64 | Int128(low)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Int64(truncatingIfNeeded: billionths >> 64), forKey: .high)
        try container.encode(UInt64(truncatingIfNeeded: billionths), forKey: .low)
    }
}

extension UInt64 {
    /// Counts stop at the end instead of trapping: they come from peers too.
    func plus(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
