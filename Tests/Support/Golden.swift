import Foundation

/// Texts that are kept under `Tests/Golden` and may only change on purpose: command lines, wire names.
///
/// `GOLDEN=rewrite` writes what the tests say now; the difference is then read and explained before it is committed.
package enum Golden {
    /// What is wrong with `actual`, or nil when it is the kept text of that name.
    package static func mismatch(_ actual: String, name: String) throws -> String? {
        let file = directory.appending(path: name + ".txt")
        if ProcessInfo.processInfo.environment["GOLDEN"] == "rewrite" {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            try Data(actual.utf8).write(to: file)
            return nil
        }
        guard let kept = try? String(contentsOf: file, encoding: .utf8) else {
            return "\(name) is not kept yet; run with GOLDEN=rewrite and read what it writes"
        }
        if kept == actual { return nil }
        let (old, new) = (kept.split(separator: "\n"), actual.split(separator: "\n"))
        let changes = new.difference(from: old).map { change in
            switch change {
            case .remove(let line, let text, _): "- \(line + 1): \(text)"
            case .insert(let line, let text, _): "+ \(line + 1): \(text)"
            }
        }
        return "\(name) differs from what is kept:\n" + changes.joined(separator: "\n")
    }

    /// The text of a command line: the program, then one argument to a line.
    package static func text(ofCommand program: String, _ arguments: [String]) -> String {
        ([program] + arguments.map { "    " + $0 }).joined(separator: "\n") + "\n"
    }

    private static let directory =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Golden")
}
