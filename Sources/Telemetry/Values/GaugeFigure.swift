/// One gauge on any number of nodes. Whether their sum, their mean or their extremes mean something depends on what is
/// measured, so all are kept.
package struct GaugeFigure: Hashable, Sendable {
    private var total: FixedSum
    package private(set) var minimum: Double
    package private(set) var maximum: Double
    /// How many nodes it is of.
    package private(set) var nodes: UInt64

    /// What one node shows. Values beyond `FixedSum.valueMax` count as that.
    ///
    /// - Parameter value: finite.
    package init(_ value: Double) {
        let value = min(max(value, -FixedSum.valueMax), FixedSum.valueMax)
        total = FixedSum(value)
        minimum = value
        maximum = value
        nodes = 1
    }

    package var sum: Double { nodes == 1 ? minimum : total.value }
    package var mean: Double { sum / Double(nodes) }

    package mutating func merge(_ other: GaugeFigure) {
        total += other.total
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        nodes = nodes.plus(other.nodes)
    }
}

extension GaugeFigure: Codable {
    private enum CodingKeys: String, CodingKey {
        case total = "s"
        case minimum = "l"
        case maximum = "g"
        case nodes = "n"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        total = try container.decode(FixedSum.self, forKey: .total)
        minimum = try container.decode(Double.self, forKey: .minimum)
        maximum = try container.decode(Double.self, forKey: .maximum)
        nodes = try container.decode(UInt64.self, forKey: .nodes)
        guard minimum.isFinite, maximum.isFinite, minimum <= maximum, nodes > 0 else {
            throw DecodingError.dataCorruptedError(
                forKey: .minimum, in: container, debugDescription: "not a gauge")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(total, forKey: .total)
        try container.encode(minimum, forKey: .minimum)
        try container.encode(maximum, forKey: .maximum)
        try container.encode(nodes, forKey: .nodes)
    }
}
