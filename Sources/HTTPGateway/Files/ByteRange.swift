/// The ranges of bytes a request may ask for (RFC 9110 section 14), resolved against a size.
package enum ByteRange: Sendable, Hashable {
    /// No usable `Range`: the whole, with 200.
    case whole
    /// A part, with 206.
    case part(Range<Int64>)
    /// More than one, none of which touches another, with 206 and `multipart/byteranges`.
    case parts([Range<Int64>])
    /// Nothing of what was asked for exists: 416.
    case unsatisfiable

    /// Parts of one answer. Whoever wants more gets the whole: many small parts cost more than they save (RFC 9110
    /// section 17.15).
    package static let partsMax = 16
    /// Ranges that lie less apart are joined: the head of another part would be longer (`ByteRangeParts`).
    package static let gapBytesMin: Int64 = 80
    /// Ranges of one header that are looked at; more of them are ignored unread.
    package static let askedMax = 1024
    /// Digits of a position; more than any file needs, few enough never to overflow 64 bits.
    private static let digitsMax = 18

    package init(header: String?, size: Int64) {
        precondition(size >= 0, "a size of \(size) bytes cannot be")
        self = header.map { Self.resolve($0, size: size) } ?? .whole
    }

    private static func resolve(_ header: String, size: Int64) -> ByteRange {
        let halves = header.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, trimmed(halves[0]).lowercased() == "bytes" else { return .whole }
        // Empty elements of a list mean nothing (section 5.6.1.2).
        let asked = halves[1].split(separator: ",", maxSplits: askedMax).map(trimmed).filter { !$0.isEmpty }
        guard !asked.isEmpty, asked.count <= askedMax else { return .whole }
        var found: [Range<Int64>] = []
        for text in asked {
            // One that cannot be read makes all of the header void.
            guard let range = range(text, size: size) else { return .whole }
            if !range.isEmpty { found.append(range) }
        }
        let parts = joined(found)
        guard let first = parts.first else { return .unsatisfiable }
        if parts.count == 1 { return .part(first) }
        return parts.count <= partsMax ? .parts(parts) : .whole
    }

    /// Nil: it cannot be read. Empty: there is nothing of it.
    private static func range(_ text: Substring, size: Int64) -> Range<Int64>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else { return nil }
        let (first, last) = (trimmed(ends[0]), trimmed(ends[1]))
        if first.isEmpty { return position(last).map { max(0, size - $0)..<size } }
        guard let start = position(first) else { return nil }
        guard !last.isEmpty else { return min(start, size)..<size }
        guard let end = position(last), start <= end else { return nil }
        return min(start, size)..<min(end + 1, size)
    }

    /// Joins what overlaps, touches or lies nearly together. The rest stays in the client's order; what was joined
    /// stands where the first of it did. `n log n`, because strangers choose the ranges.
    private static func joined(_ ranges: [Range<Int64>]) -> [Range<Int64>] {
        var joined: [(range: Range<Int64>, place: Int)] = []
        let ascending = ranges.enumerated().sorted { $0.element.lowerBound < $1.element.lowerBound }
        for (place, range) in ascending {
            if let last = joined.last, range.lowerBound - last.range.upperBound < gapBytesMin {
                let end = max(last.range.upperBound, range.upperBound)
                joined[joined.count - 1] = (last.range.lowerBound..<end, min(last.place, place))
            } else {
                joined.append((range, place))
            }
        }
        return joined.sorted { $0.place < $1.place }.map(\.range)
    }

    private static func position(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.count <= digitsMax else { return nil }
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int64(text)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0 == " " || $0 == "\t" }
        guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return start[...last]
    }
}
