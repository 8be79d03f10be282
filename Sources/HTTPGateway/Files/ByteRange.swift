/// The one range of bytes a request may ask for (RFC 9110 section 14), resolved against a size.
///
/// Players ask for one range at a time. A list of ranges is answered with the whole, which the RFC allows and which
/// keeps `multipart/byteranges` out of here.
package enum ByteRange: Sendable, Hashable {
    /// No usable `Range`: the whole, with 200.
    case whole
    /// A part, with 206.
    case part(Range<Int64>)
    /// Nothing of what was asked for exists: 416.
    case unsatisfiable

    /// Digits of a position; more than any file needs, few enough never to overflow 64 bits.
    private static let digitsMax = 18

    package init(header: String?, size: Int64) {
        precondition(size >= 0, "a size of \(size) bytes cannot be")
        self = header.map { Self.resolve($0, size: size) } ?? .whole
    }

    private static func resolve(_ header: String, size: Int64) -> ByteRange {
        let halves = header.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, trimmed(halves[0]).lowercased() == "bytes" else { return .whole }
        let ends = halves[1].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else { return .whole }
        let (first, last) = (trimmed(ends[0]), trimmed(ends[1]))
        if first.isEmpty {
            guard let suffix = position(last) else { return .whole }
            guard suffix > 0, size > 0 else { return .unsatisfiable }
            return .part(max(0, size - suffix)..<size)
        }
        guard let start = position(first) else { return .whole }
        guard !last.isEmpty else { return start < size ? .part(start..<size) : .unsatisfiable }
        guard let end = position(last), start <= end else { return .whole }
        return start < size ? .part(start..<min(end + 1, size)) : .unsatisfiable
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
