/// The name of a file as people may see it: what a client sent, made harmless.
///
/// It never becomes part of a path or a command; this keeps it from breaking a line of text, a header or a page.
package enum DisplayName {
    /// As many bytes as most file systems allow.
    package static let bytesMax = 255

    /// The last path component of `raw` without control characters, at most `bytesMax` bytes long; the extension is
    /// kept when the rest is shortened.
    package static func normalise(_ raw: String?, fallback: String = "video") -> String {
        let last = (raw ?? "").split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? ""
        var scalars = String.UnicodeScalarView()
        for scalar in last.unicodeScalars where !isHidden(scalar) { scalars.append(scalar) }
        var name = String(scalars)
        while name.first == " " { name.removeFirst() }
        while name.last == " " { name.removeLast() }
        guard name.contains(where: { $0 != "." }) else { return fallback }
        return shortened(name)
    }

    private static func shortened(_ name: String) -> String {
        guard name.utf8.count > bytesMax else { return name }
        let dot = name.lastIndex(of: ".") ?? name.endIndex
        let ending = name[dot...].utf8.count <= 16 ? name[dot...] : ""
        var stem = name[..<(ending.isEmpty ? name.endIndex : dot)]
        while stem.utf8.count + ending.utf8.count > bytesMax { stem.removeLast() }
        return String(stem + ending)
    }

    /// Control characters and marks that turn the direction of writing around (`gpj.exe` shown as `exe.jpg`).
    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: true
        case .format: scalar != "\u{200D}"
        default: false
        }
    }
}
