import Foundation
import Media
import Testing

/// Runs `body`, which must throw a `MediaError` with `code`; returns it.
@discardableResult
func expect(
    _ code: MediaError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async -> MediaError? {
    do {
        try await body()
        Issue.record("nothing was thrown, \(code) was expected", sourceLocation: sourceLocation)
        return nil
    } catch let error as MediaError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record("\(error) was thrown, \(code) was expected", sourceLocation: sourceLocation)
        return nil
    }
}

/// How many processes have all of `arguments` in their command line.
/// - Parameter program: what they run; nil: whatever it is, so that what stands before a tool counts as well.
func runningTools(_ program: String? = nil, with arguments: String...) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").count { entry in
        // A process may end between the listing and the look: then it does not count.
        guard Int(entry) != nil, let line = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline") else {
            return false
        }
        let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return arguments.allSatisfy(words.contains) && (program == nil || words.first == program)
    }
}

/// Whether all that have `arguments` in their command line are gone, or go in a moment: a process that was killed dies
/// when the kernel comes to it, which on a machine busy with other tests is after the call that killed it returned.
func noToolIsLeft(with arguments: String) throws -> Bool {
    var looks = 0
    while try runningTools(with: arguments) > 0, looks < 5000 { looks += 1 }
    return try runningTools(with: arguments) == 0
}
