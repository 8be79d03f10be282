/// `multipart/byteranges` (RFC 9110 section 14.6): what stands before each range of an answer, and behind the last.
package struct ByteRangeParts: Sendable, Hashable {
    package let ranges: [Range<Int64>]
    /// Of the file.
    private let size: Int64
    /// Of each part.
    private let type: String
    private let boundary: String

    /// - Parameter boundary: nothing that can stand in the file by accident, or because somebody wants it to: see
    ///   `boundary(using:)`.
    package init(_ ranges: [Range<Int64>], of size: Int64, type: String, boundary: String) {
        precondition(!ranges.isEmpty, "an answer of no parts cannot be")
        self.ranges = ranges
        self.size = size
        self.type = type
        self.boundary = boundary
    }

    /// Of the answer.
    package var contentType: String { "multipart/byteranges; boundary=\(boundary)" }

    /// Of the whole body.
    package var length: Int64 {
        let heads = ranges.indices.reduce(0) { $0 + head(of: $1).utf8.count }
        return ranges.reduce(Int64(heads + end.utf8.count)) { $0 + Int64($1.count) }
    }

    package func head(of index: Int) -> String {
        let range = ranges[index]
        return (index == 0 ? "" : "\r\n") + "--\(boundary)\r\nContent-Type: \(type)\r\n"
            + "Content-Range: bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)\r\n\r\n"
    }

    package var end: String { "\r\n--\(boundary)--\r\n" }

    /// 128 bits, drawn anew for each answer: who wrote the file could not know them.
    package static func boundary(using generator: inout some RandomNumberGenerator) -> String {
        let numbers = (0..<2).map { _ in generator.next() as UInt64 }
        return "part-"
            + hexadecimal(numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } })
    }
}
