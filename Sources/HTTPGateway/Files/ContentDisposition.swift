/// `Content-Disposition` of a response (RFC 6266).
///
/// A plain ASCII name for everybody, and the exact one as RFC 8187 text where they differ.
package struct ContentDisposition: Sendable, Hashable {
    package let text: String
    package let isInline: Bool

    /// - Parameters:
    ///   - fileName: any text; characters that a file system or a header cannot hold are replaced.
    ///   - inline: to be shown in place, not saved.
    package init(fileName: String, inline: Bool = false) {
        isInline = inline
        let kind = inline ? "inline" : "attachment"
        let name = Self.safe(fileName)
        let ascii = String(name.map { $0.isASCII && $0 != "\"" && $0 != "\\" && $0 != "%" ? $0 : "_" })
        text =
            ascii == name
            ? "\(kind); filename=\"\(ascii)\""
            : "\(kind); filename=\"\(ascii)\"; filename*=UTF-8''\(Self.extended(name))"
    }

    /// A name that can stand in any file system: no separators, no control characters, none of `<>:"|?*`.
    package static func safe(_ name: String) -> String {
        var plain = ""
        for character in DisplayName.normalise(
            name.replacing("/", with: "-").replacing("\\", with: "-"), fallback: "file")
        {
            plain.append("<>:\"|?*".contains(character) ? "_" : character)
        }
        while plain.hasPrefix(".") { plain.removeFirst() }
        return plain.isEmpty ? "file" : plain
    }

    private static func extended(_ name: String) -> String {
        var text = ""
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text
    }
}
