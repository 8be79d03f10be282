/// What an identifier names: gives it the prefix that tells one kind from another in logs and URLs.
package protocol IdentifierKind: Sendable {
    static var prefix: String { get }
}

/// `prefix_` and a ULID in lower-case Crockford base32: sorts by creation time, safe in a URL and as a file name.
///
/// Source: the ULID specification (48 bits of milliseconds, 80 bits of chance). Parsing accepts nothing else, so an
/// identifier that exists can never carry a path separator or a dot.
package struct Identifier<Kind: IdentifierKind>: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: String

    /// A fresh identifier for something that comes into being at `now`.
    package init(at now: Timestamp, using random: inout some RandomNumberGenerator) {
        let clock = UInt64(clamping: now.millisecondsSinceEpoch)
        let high = UInt64.random(in: .min ... .max, using: &random)
        let low = UInt64.random(in: .min ... .max, using: &random)
        var text = Kind.prefix + "_"
        for digit in stride(from: 45, through: 0, by: -5) { text.unicodeScalars.append(crockford(clock >> digit)) }
        for digit in stride(from: 35, through: 0, by: -5) { text.unicodeScalars.append(crockford(high >> digit)) }
        for digit in stride(from: 35, through: 0, by: -5) { text.unicodeScalars.append(crockford(low >> digit)) }
        rawValue = text
    }

    /// The identifier that `text` spells, or nil when it is not exactly one of this kind.
    package init?(_ text: String) {
        let prefix = Kind.prefix + "_"
        guard text.utf8.count == prefix.utf8.count + 26, text.hasPrefix(prefix) else { return nil }
        guard text.utf8.dropFirst(prefix.utf8.count).allSatisfy(isCrockford) else { return nil }
        rawValue = text
    }

    /// By the clock of the node that made it.
    package var madeAt: Timestamp {
        let milliseconds = ulid.utf8.prefix(10).reduce(Int64(0)) { $0 << 5 | crockfordBits($1) }
        return Timestamp(millisecondsSinceEpoch: milliseconds)
    }

    /// The part after the prefix.
    package var ulid: Substring { rawValue.dropFirst(Kind.prefix.count + 1) }
    package var description: String { rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

package enum UploadKind: IdentifierKind { package static var prefix: String { "upload" } }
package enum JobKind: IdentifierKind { package static var prefix: String { "job" } }
package enum ResultKind: IdentifierKind { package static var prefix: String { "result" } }
package typealias UploadID = Identifier<UploadKind>
package typealias JobID = Identifier<JobKind>
package typealias ResultID = Identifier<ResultKind>

/// One clip of one job: `clip_<ulid of the job>_<ordinal>`, so the job is known from the clip without a look-up.
package struct ClipID: Hashable, Sendable, CustomStringConvertible {
    package let job: JobID
    /// 0-based, in order of rank.
    package let ordinal: Int

    package init(job: JobID, ordinal: Int) {
        precondition((0..<1000).contains(ordinal), "clip ordinal \(ordinal) is outside 0..<1000")
        self.job = job
        self.ordinal = ordinal
    }

    package init?(_ text: String) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "clip", let job = JobID("job_" + parts[1]) else { return nil }
        guard let ordinal = Int(parts[2]), (0..<1000).contains(ordinal), String(ordinal) == parts[2] else { return nil }
        self.init(job: job, ordinal: ordinal)
    }

    package var rawValue: String { "clip_\(job.ulid)_\(ordinal)" }
    package var description: String { rawValue }
}

/// A node's name, as the operator chose it: 1 to 63 of `a-z`, `0-9`, `-`.
package struct NodeID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: String

    package init?(_ text: String) {
        guard isLabel(text) else { return nil }
        rawValue = text
    }

    package var description: String { rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A place where nodes are near each other: 1 to 63 of `a-z`, `0-9`, `-`.
package struct Region: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String

    package init?(_ text: String) {
        guard isLabel(text) else { return nil }
        rawValue = text
    }

    package var description: String { rawValue }
}

/// Where bytes stand in the blob store: segments of `A-Z a-z 0-9 . _ -` joined by `/`, none of them starting with a
/// dot.
package struct BlobName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let charactersMax = 512
    package let rawValue: String

    package init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= Self.charactersMax else { return nil }
        for segment in text.split(separator: "/", omittingEmptySubsequences: false) {
            guard let first = segment.utf8.first, first != UInt8(ascii: ".") else { return nil }
            guard segment.utf8.allSatisfy(isBlobCharacter) else { return nil }
        }
        rawValue = text
    }

    package var description: String { rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

private let crockfordDigits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

private func crockford(_ bits: UInt64) -> Unicode.Scalar {
    Unicode.Scalar(crockfordDigits[Int(bits & 31)])
}

/// What `digit`, which is one, stands for.
private func crockfordBits(_ digit: UInt8) -> Int64 {
    Int64(crockfordDigits.firstIndex(of: digit)!)
}

private func isCrockford(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "i"), UInt8(ascii: "l"), UInt8(ascii: "o"), UInt8(ascii: "u"): false
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    default: false
    }
}

private func isLabel(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count)
        && text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"): true
            default: false
            }
        }
}

private func isBlobCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
}
