import Crypto
import Foundation
import Testing

/// Migrations are contiguous, and never changed once landed: databases out there have already run them.
@Suite struct MigrationTests {
    /// `GOLDEN=rewrite` writes the list anew; only a new line at its end may be committed.
    static let list = House.root.appending(path: "Tests/TidyTests/Migrations.sha256")

    @Test func `migrations are contiguous and as they were when they landed`() throws {
        let files = try House.files(under: "Sources/PostgresStore/Migrations", ending: ".sql")
        var lines: [String] = []
        for (index, file) in files.enumerated() {
            let name = String(file.path.split(separator: "/").last!)
            let number = String(index + 1)
            #expect(name.hasPrefix("m" + String(repeating: "0", count: 4 - number.count) + number + "_"), "\(name)")
            let digest = SHA256.hash(data: Data(file.text.utf8)).map { byte in
                let hex = String(byte, radix: 16)
                return hex.count == 1 ? "0" + hex : hex
            }.joined()
            lines.append("\(digest)  \(name)")
        }
        if ProcessInfo.processInfo.environment["GOLDEN"] == "rewrite" {
            try (lines.joined(separator: "\n") + "\n").write(to: Self.list, atomically: true, encoding: .utf8)
        }
        let landed = try String(contentsOf: Self.list, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(lines == landed, "a landed migration was changed, or a new one is not in the list (GOLDEN=rewrite)")
    }
}
