import Foundation
import Testing

/// The tree of the project, found from where this file stands.
enum House {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct SourceFile: CustomTestStringConvertible {
        let path: String
        let text: String
        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        /// The first folder under `Sources` or `Tests`.
        var module: String { String(path.split(separator: "/")[1]) }
        var testDescription: String { path }
    }

    static func files(under folder: String, ending suffix: String) throws -> [SourceFile] {
        let base = root.appending(path: folder)
        guard let walker = FileManager.default.enumerator(atPath: base.path) else { return [] }
        var found: [SourceFile] = []
        // Packages of their own under Tests build beside their sources.
        for case let name as String in walker where name.hasSuffix(suffix) && !name.contains(".build/") {
            let text = try String(contentsOf: base.appending(path: name), encoding: .utf8)
            found.append(SourceFile(path: "\(folder)/\(name)", text: text))
        }
        try #require(!found.isEmpty, "no \(suffix) files under \(folder): the test looks in the wrong place")
        return found.sorted { $0.path < $1.path }
    }

    /// Swift text without comments and the contents of string literals, line by line, so that words in prose do not
    /// count.
    static func code(_ file: SourceFile) -> [String] {
        var inBlock = false, inText = false
        return file.lines.map { line in
            var out = ""
            var rest = line[...]
            while let character = rest.first {
                if inText {
                    if rest.hasPrefix("\"\"\"") {
                        inText = false
                        rest = rest.dropFirst(3)
                    } else {
                        rest = rest.dropFirst()
                    }
                } else if inBlock {
                    inBlock = !rest.hasPrefix("*/")
                    rest = rest.dropFirst(inBlock ? 1 : 2)
                } else if rest.hasPrefix("//") {
                    return out
                } else if rest.hasPrefix("/*") {
                    inBlock = true
                    rest = rest.dropFirst(2)
                } else if rest.hasPrefix("\"\"\"") {
                    inText = true
                    rest = rest.dropFirst(3)
                } else if character == "\"" {
                    out += "\"\""
                    rest = rest.dropFirst()
                    while let next = rest.first, next != "\"" { rest = rest.dropFirst(next == "\\" ? 2 : 1) }
                    rest = rest.dropFirst()
                } else {
                    out.append(character)
                    rest = rest.dropFirst()
                }
            }
            return out
        }
    }
}
