package import ClipModel
import Media

/// Looks at the bytes before any decoder does: what they are, whether that is something to open at all, and whether
/// malware is in them.
package enum ScanStage: PipelineStage {
    package static let name = StageName.scan
    package static let version = 1

    /// Where there is a scanner every job is scanned: what its signatures did not know yesterday they may know today.
    package static func ingredients(
        _ inputs: StageInputs, _ versions: ToolVersions
    ) throws(Failure) -> CacheIngredients? {
        guard !versions.scansUploads else { return nil }
        var ingredients = CacheIngredients()
        ingredients["source"] = inputs.upload.sha256
        return ingredients
    }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        let format = await inspect(context)
        var notes: [Note] = []
        if let gate = context.tools.gate {
            // What is refused anyway is scanned all the same: malware in an archive is put away, not only turned down.
            do {
                // The scanner has limits of its own, after which it is waited for.
                context.effort.waitBegins()
                defer { context.effort.waitEnds() }
                notes = try await gate.pass(
                    context.inputs.upload, of: context.inputs.job, in: context.tools.blobs, progress: context.progress)
            } catch let failure as Failure where failure.waits {
                // But it need not wait for that.
                _ = try format.get()
                throw failure
            }
        }
        let known = try format.get()
        return try StageOutput(ScanResult(format: known.rawValue, notes: notes.isEmpty ? nil : notes))
    }

    /// Also of a file that is not there: it may have been put away before.
    private static func inspect(_ context: StageContext) async -> Result<SniffedFormat, any Error> {
        do { return .success(try await inspect(try await context.sourcePath, context.effort)) } catch {
            return .failure(error)
        }
    }

    /// Walks the structure of the file, which may wait for the disk.
    // The compiler of Swift 6.3.1 crashes when it inlines this into its caller ("While splitting coroutine").
    @inline(never) @concurrent private static func inspect(
        _ path: String, _ effort: EffortMeter
    ) async throws(MediaError) -> SniffedFormat {
        try effort.measure { () throws(MediaError) in try Sniffer.inspect(path) }
    }
}
