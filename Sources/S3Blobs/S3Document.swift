import Foundation
import FoundationXML

/// An XML answer of S3 as a tree. Namespaces and attributes mean nothing in them.
struct S3Document: Sendable {
    let name: String
    fileprivate(set) var text = ""
    fileprivate(set) var children: [S3Document] = []

    /// Nil when it is no XML, or deeper than any answer of S3.
    static func parse(_ bytes: [UInt8]) -> S3Document? {
        let parser = XMLParser(data: Data(bytes))
        parser.shouldResolveExternalEntities = false
        let builder = Builder()
        parser.delegate = builder
        guard parser.parse() else { return nil }
        return builder.root
    }

    /// The text of the first child of this name.
    subscript(name: String) -> String? { children.first { $0.name == name }?.text }

    func all(_ name: String) -> [S3Document] { children.filter { $0.name == name } }

    private final class Builder: NSObject, XMLParserDelegate {
        private static let depthMax = 16
        private(set) var root: S3Document?
        private var open: [S3Document] = []

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            open.append(S3Document(name: name))
            if open.count > Self.depthMax { parser.abortParsing() }
        }

        func parser(_ parser: XMLParser, foundCharacters text: String) {
            if !open.isEmpty { open[open.count - 1].text += text }
        }

        func parser(
            _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
        ) {
            guard let closed = open.popLast() else { return }
            if open.isEmpty { root = closed } else { open[open.count - 1].children.append(closed) }
        }
    }

    /// `&`, `<`, `>` and `"` as XML writes them.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
