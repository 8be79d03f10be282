import Foundation
import Testing

@Suite struct DocumentTests {
    @Test func `links between documents lead somewhere`() throws {
        var broken: [String] = []
        let pages = try House.files(under: "docs", ending: ".md") + [readme()]
        for page in pages {
            let folder = House.root.appending(path: page.path).deletingLastPathComponent()
            for match in page.text.matches(of: /\]\(([^)\s]+)\)/) {
                let target = String(match.1)
                if target.contains("://") || target.hasPrefix("#") || target.hasPrefix("mailto:") { continue }
                let file = target.split(separator: "#", maxSplits: 1)[0]
                let path = folder.appending(path: String(file)).standardizedFileURL.path
                if !FileManager.default.fileExists(atPath: path) { broken.append("\(page.path): \(target)") }
            }
        }
        #expect(broken.isEmpty, "\(broken.joined(separator: "\n"))")
    }

    @Test func `decisions are numbered without gaps`() throws {
        let names = try House.files(under: "docs/decisions", ending: ".md").map {
            String($0.path.split(separator: "/").last!)
        }
        for (number, name) in names.enumerated() {
            let digits = String(number + 1)
            #expect(name.hasPrefix(String(repeating: "0", count: 4 - digits.count) + digits + "-"), "\(name)")
        }
    }

    @Test func `a test that holds a defence is there`() throws {
        let page = try String(contentsOf: House.root.appending(path: "docs/security.md"), encoding: .utf8)
        let files = try House.files(under: "Tests", ending: ".swift").map { $0.path.split(separator: "/").last }
        let named = Set(page.matches(of: /`([A-Za-z]+Tests)`/).map { String($0.1) })
        #expect(named.count > 20, "\(named.count)")
        for name in named.sorted() {
            #expect(files.contains { $0 == "\(name).swift" }, "docs/security.md names \(name)")
        }
        for match in page.matches(of: /`((?:Tests|cluster)\/[A-Za-z]+)`/) {
            let path = House.root.appending(path: String(match.1)).path
            #expect(FileManager.default.fileExists(atPath: path), "docs/security.md names \(match.1)")
        }
    }

    @Test func `the settings page is what the program prints`() throws {
        let page = try String(contentsOf: House.root.appending(path: "docs/configuration.md"), encoding: .utf8)
        let settings = try String(
            contentsOf: House.root.appending(path: "Sources/Node/Setting.swift"), encoding: .utf8)
        for match in settings.matches(of: /"([a-z]+\.[A-Za-z]+)"/) {
            #expect(page.contains("`\(match.1)`"), "\(match.1) is not in docs/configuration.md")
        }
    }

    @Test func `a TODO has an issue number`() throws {
        let kinds = [
            ("Sources", ".swift"), ("Tests", ".swift"), ("Tests", ".py"), ("cluster", ".sh"), ("cluster", ".py"),
        ]
        for (folder, suffix) in kinds {
            for file in try House.files(under: folder, ending: suffix) where !file.path.hasPrefix("Tests/TidyTests") {
                for line in file.lines where line.contains("TODO") || line.contains("FIXME") {
                    #expect(line.contains(/TODO\(#\d+\)/), "\(file.path): \(line)")
                }
            }
        }
    }

    private func readme() throws -> House.SourceFile {
        House.SourceFile(
            path: "README.md",
            text: try String(contentsOf: House.root.appending(path: "README.md"), encoding: .utf8))
    }
}
