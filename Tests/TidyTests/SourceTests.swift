import Foundation
import Testing

/// The rules of docs/HACKING.md that a program can see.
@Suite struct SourceTests {
    /// Words that are not written in `Sources/`, why, and the files that may write them all the same.
    static let banned: [(word: String, why: String, except: [String: String])] = [
        ("public ", "the surface between modules is `package`", [:]),
        ("Task {", "every task has a parent: use a group or a Service", [:]),
        ("Task.detached", "every task has a parent: use a group or a Service", [:]),
        ("Task.sleep", "time is an argument: it escapes a virtual clock", [:]),
        ("Date()", "time is an argument", [:]),
        ("print(", "log with metadata, or use Terminal in the command line tool", [:]),
        ("try!", "errors are handled or passed on", [:]),
        ("@unchecked Sendable", "Sendable is derived, never claimed", [:]),
        ("nonisolated(unsafe)", "shared state is an actor or a Mutex", [:]),
        ("fatalError(", "a programmer's mistake is a precondition with its values", [:]),
        ("import XCTest", "tests are Swift Testing", [:]),
    ]

    @Test func `banned words stay out of the sources`() throws {
        var found: [String] = []
        for file in try House.files(under: "Sources", ending: ".swift") {
            for (number, line) in House.code(file).enumerated() {
                for rule in Self.banned where line.contains(rule.word) && rule.except[file.path] == nil {
                    // `import` lists and words that only end like a banned one are not meant.
                    if let before = line.range(of: rule.word)?.lowerBound, before > line.startIndex,
                        line[line.index(before: before)].isLetter
                    {
                        continue
                    }
                    found.append("\(file.path):\(number + 1): \(rule.word) (\(rule.why))")
                }
            }
        }
        #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
    }

    /// Foundation's reads past the list of open files where there are many (see `Child` in Tests/Support); the
    /// benchmarks are a package of their own and open few.
    @Test func `no test starts a program by Foundation`() throws {
        for file in try House.files(under: "Tests", ending: ".swift") where !file.path.hasPrefix("Tests/Benchmarks/") {
            for (number, line) in House.code(file).enumerated() where line.contains(" Process" + "()") {
                Issue.record("\(file.path):\(number + 1) has Foundation's Process: TestSupport has Child")
            }
        }
    }

    @Test func `chance comes from a generator that was handed in`() throws {
        var found: [String] = []
        for file in try House.files(under: "Sources", ending: ".swift") {
            for (number, line) in House.code(file).enumerated() where line.contains(".random(in:") {
                if !line.contains("using:") { found.append("\(file.path):\(number + 1)") }
            }
        }
        #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
    }

    @Test func `files have at most 500 lines and lines at most 120 columns`() throws {
        var found: [String] = []
        for folder in ["Sources", "Tests"] {
            for file in try House.files(under: folder, ending: ".swift") {
                if file.lines.count > 501 { found.append("\(file.path) has \(file.lines.count) lines") }
                for (number, line) in file.lines.enumerated() where line.count > 120 {
                    found.append("\(file.path):\(number + 1) has \(line.count) columns")
                }
            }
        }
        #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
    }

    @Test func `functions have at most 70 lines`() throws {
        var found: [String] = []
        for file in try House.files(under: "Sources", ending: ".swift") {
            let code = House.code(file)
            for (number, line) in code.enumerated() {
                guard line.contains("func ") || line.contains(" init(") || line.hasPrefix("    init(") else { continue }
                // All of it on one line.
                if line.hasSuffix("}"), line.contains("{") { continue }
                let indent = line.prefix { $0 == " " }
                guard let end = code[number...].dropFirst().firstIndex(where: { $0.hasPrefix(indent + "}") }) else {
                    continue
                }
                // A declaration without a body (a protocol's) ends where its neighbour begins, on the same indentation.
                let body = code[number...end].dropFirst()
                let crossesAnother = body.dropLast().contains {
                    $0.hasPrefix(indent) && $0.contains("func ") && !$0.hasPrefix(indent + " ")
                }
                if !crossesAnother, end - number + 1 > 70 {
                    found.append("\(file.path):\(number + 1) has \(end - number + 1) lines")
                }
            }
        }
        #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
    }

    @Test func `models and rules do without Foundation`() throws {
        for module in ["ClipModel", "Membership", "Placement", "WireProtocol"] {
            for file in try House.files(under: "Sources/\(module)", ending: ".swift") {
                #expect(!file.text.contains("import Foundation"), "\(file.path)")
            }
        }
    }

    @Test func `folders are named for what they hold`() throws {
        for file in try House.files(under: "Sources", ending: ".swift") {
            for word in ["Core", "Common", "Utils", "Util", "Shared", "Helpers", "Misc"] {
                #expect(!file.path.split(separator: "/").dropLast().contains(Substring(word)), "\(file.path)")
            }
        }
    }
}
