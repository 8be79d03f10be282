/// Compact: counts are varints one after the other, and a run of empty buckets is a zero and its length. A sketch of a
/// thousand values takes some 200 bytes.
extension DDSketch: Codable {
    private enum CodingKeys: String, CodingKey {
        case relativeError = "e"
        case bucketsMax = "b"
        case zeroCount = "z"
        case total = "s"
        case lowest = "l"
        case highest = "g"
        case firstIndex = "f"
        case counts = "c"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(accuracy.relativeError, forKey: .relativeError)
        try container.encode(accuracy.bucketsMax, forKey: .bucketsMax)
        let parts = parts
        guard !isEmpty else { return }
        try container.encode(parts.zeroCount, forKey: .zeroCount)
        try container.encode(parts.total, forKey: .total)
        try container.encode(parts.lowest, forKey: .lowest)
        try container.encode(parts.highest, forKey: .highest)
        try container.encode(parts.firstIndex, forKey: .firstIndex)
        try container.encode(CountRuns.encode(parts.counts), forKey: .counts)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let relativeError = try container.decode(Double.self, forKey: .relativeError)
        let bucketsMax = try container.decode(Int.self, forKey: .bucketsMax)
        guard SketchAccuracy.isValid(relativeError, bucketsMax) else {
            throw DecodingError.dataCorruptedError(
                forKey: .bucketsMax, in: container, debugDescription: "not an accuracy of a sketch")
        }
        let accuracy = SketchAccuracy(relativeError: relativeError, bucketsMax: bucketsMax)
        guard container.contains(.counts) else {
            self.init(accuracy)
            return
        }
        let bytes = try container.decode([UInt8].self, forKey: .counts)
        guard let counts = CountRuns.decode(bytes, countMax: bucketsMax) else {
            throw DecodingError.dataCorruptedError(
                forKey: .counts, in: container, debugDescription: "not the counts of a sketch")
        }
        let parts = Parts(
            zeroCount: try container.decode(UInt64.self, forKey: .zeroCount),
            total: try container.decode(FixedSum.self, forKey: .total),
            lowest: try container.decode(Double.self, forKey: .lowest),
            highest: try container.decode(Double.self, forKey: .highest),
            firstIndex: try container.decode(Int.self, forKey: .firstIndex), counts: counts)
        guard let sketch = DDSketch(parts, accuracy) else {
            throw DecodingError.dataCorruptedError(
                forKey: .counts, in: container, debugDescription: "not the parts of a sketch")
        }
        self = sketch
    }
}

/// Numbers as varints of seven bits, the lowest first; zeros as a zero and how many.
enum CountRuns {
    static func encode(_ counts: [UInt64]) -> [UInt8] {
        var bytes: [UInt8] = []
        var zeros: UInt64 = 0
        func endRun() {
            guard zeros > 0 else { return }
            bytes.append(0)
            append(zeros)
            zeros = 0
        }
        func append(_ number: UInt64) {
            var rest = number
            while rest > 0x7f {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
        for number in counts {
            if number == 0 {
                zeros += 1
            } else {
                endRun()
                append(number)
            }
        }
        endRun()
        return bytes
    }

    /// Nil for what `encode` does not write, or more than `countMax` numbers: checked before they take memory.
    static func decode(_ bytes: [UInt8], countMax: Int) -> [UInt64]? {
        var counts: [UInt64] = []
        var place = 0
        func next() -> UInt64? {
            var number: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) where place < bytes.count {
                let byte = bytes[place]
                place += 1
                if shift == 63, byte > 1 { return nil }
                number |= UInt64(byte & 0x7f) << shift
                if byte & 0x80 == 0 { return number }
            }
            return nil
        }
        while place < bytes.count {
            guard let number = next() else { return nil }
            var run: UInt64 = 1
            if number == 0 {
                guard let length = next(), length > 0 else { return nil }
                run = length
            }
            guard run <= UInt64(countMax - counts.count) else { return nil }
            counts.append(contentsOf: repeatElement(number, count: Int(run)))
        }
        return counts
    }
}
