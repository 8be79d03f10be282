/// A strong entity tag (RFC 9110 section 8.8.3): here always the SHA-256 of the bytes.
package struct EntityTag: Sendable, Hashable {
    /// With its quotes, as it stands in headers.
    package let text: String

    package init(sha256: String) { text = "\"\(sha256)\"" }

    /// Whether `If-None-Match` names this tag, compared weakly as the RFC asks.
    package func matches(ifNoneMatch header: String?) -> Bool {
        guard let header else { return false }
        return header.split(separator: ",").contains { candidate in
            var tag = candidate.drop { $0 == " " || $0 == "\t" }
            while tag.last == " " || tag.last == "\t" { tag.removeLast() }
            if tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
            return tag == "*" || tag == text
        }
    }

    /// Whether a `Range` may be honoured: there is no `If-Range`, or it names exactly this tag. A weak tag and a date
    /// never match, because only a strong tag proves that the parts belong to the same bytes.
    package func permitsRange(ifRange header: String?) -> Bool { header.map { $0 == text } ?? true }
}
