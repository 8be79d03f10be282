/// What the headers of one part say.
package struct MultipartPart: Sendable, Hashable {
    /// The form field it belongs to.
    package let name: String
    /// As the client wrote it, any characters at all; nil when the part is not a file. For display only.
    package let fileName: String?
    package let contentType: String?

    package init(name: String, fileName: String?, contentType: String?) {
        self.name = name
        self.fileName = fileName
        self.contentType = contentType
    }

    /// Reads the header block of a part, without the empty line that ends it.
    package init(headerBlock: some Collection<UInt8>) throws(MultipartError) {
        var disposition: HeaderValue?
        var contentType: String?
        // RFC 7578 has no folded headers; a raw line break inside a quoted file name, which some clients send, reads as
        // a line without a colon and belongs to the line before it.
        var lines: [String] = []
        for line in String(decoding: headerBlock, as: UTF8.self).split(
            separator: "\r\n", omittingEmptySubsequences: true)
        {
            if isHeaderLine(line) {
                lines.append(String(line))
            } else {
                guard !lines.isEmpty else { throw .malformedHeader }
                lines[lines.count - 1] += "\r\n" + line
            }
        }
        for line in lines {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            let value = line[line.index(after: colon)...]
            switch line[..<colon].lowercased() {
            case "content-disposition": disposition = HeaderValue(value)
            case "content-type": contentType = trimmed(value)
            default: break
            }
        }
        guard let disposition, disposition.value == "form-data", let name = disposition.parameters["name"] else {
            throw .unnamedPart
        }
        self.name = browserDecoded(name)
        // RFC 7578 forbids `filename*`, yet clients send it: where it is present it is the more exact of the two.
        fileName =
            disposition.parameters["filename*"].flatMap(extendedDecoded)
            ?? disposition.parameters["filename"].map(browserDecoded)
        self.contentType = contentType
    }
}

/// A header value with parameters: `form-data; name="file"; filename="a.mp4"`.
package struct HeaderValue: Sendable, Hashable {
    /// The part before the first semicolon, in lower case.
    package let value: String
    /// By lower-case name; the first of two wins.
    package let parameters: [String: String]

    package init(_ text: some StringProtocol) {
        var rest = Array(text.unicodeScalars)[...]
        value = trimmed(String(String.UnicodeScalarView(Self.take(&rest, until: ";")))).lowercased()
        var parameters: [String: String] = [:]
        while !rest.isEmpty {
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            let name = trimmed(String(String.UnicodeScalarView(Self.take(&rest, until: "=", ";")))).lowercased()
            guard rest.first == "=" else { continue }
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            let value: String
            if rest.first == "\"" {
                value = Self.quoted(&rest)
                _ = Self.take(&rest, until: ";")
            } else {
                value = trimmed(String(String.UnicodeScalarView(Self.take(&rest, until: ";"))))
            }
            if !name.isEmpty, parameters[name] == nil { parameters[name] = value }
        }
        self.parameters = parameters
    }

    private static func take(
        _ rest: inout ArraySlice<Unicode.Scalar>, until stops: Unicode.Scalar...
    ) -> ArraySlice<Unicode.Scalar> {
        let end = rest.firstIndex { stops.contains($0) } ?? rest.endIndex
        defer { rest = rest[end...] }
        return rest[..<end]
    }

    /// Reads a quoted string. A backslash escapes only a quote or a backslash in front of a quote: older browsers send
    /// `C:\videos\talk.mp4` as it is.
    private static func quoted(_ rest: inout ArraySlice<Unicode.Scalar>) -> String {
        var text = String.UnicodeScalarView()
        rest = rest.dropFirst()
        while let scalar = rest.popFirst() {
            if scalar == "\"" { break }
            if scalar == "\\", let next = rest.first, next == "\"" || next == "\\" {
                text.append(next)
                rest = rest.dropFirst()
            } else {
                text.append(scalar)
            }
        }
        return String(text)
    }
}

/// Undoes what the HTML standard makes browsers do to names: only `"`, CR and LF are percent-encoded.
private func browserDecoded(_ text: String) -> String {
    var result = ""
    var rest = text[...]
    while let percent = rest.firstIndex(of: "%") {
        result += rest[..<percent]
        let code = rest[percent...].prefix(3)
        switch code.uppercased() {
        case "%22": result += "\""
        case "%0D": result += "\r"
        case "%0A": result += "\n"
        default: result += code.prefix(1)
        }
        let known = ["%22", "%0D", "%0A"].contains(code.uppercased())
        rest = rest[rest.index(percent, offsetBy: known ? 3 : 1)...]
    }
    return result + rest
}

/// RFC 8187: `UTF-8''na%C3%AFve.mp4`. Nil when it is not UTF-8 in that form.
private func extendedDecoded(_ text: String) -> String? {
    let pieces = text.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
    guard pieces.count == 3, pieces[0].lowercased() == "utf-8" else { return nil }
    var bytes: [UInt8] = []
    var rest = Array(pieces[2].utf8)[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
            return nil
        }
        bytes.append(value)
        rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
}

private func isHeaderLine(_ line: Substring) -> Bool {
    guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), colon != line.startIndex else { return false }
    return line[..<colon].utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

private func trimmed(_ text: some StringProtocol) -> String {
    func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }
    let scalars = text.unicodeScalars.drop(while: isBlank)
    guard let last = scalars.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(String.UnicodeScalarView(scalars[...last]))
}
