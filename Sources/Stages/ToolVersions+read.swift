package import Blobs
import ClipModel
package import Media

extension ToolVersions {
    /// Asks the tools what they are. Reads the models once (150 MB take about half a second), so a node does this when
    /// it starts and not for every stage.
    package static func read(
        _ toolbox: Toolbox, blobs: any BlobStore, scansUploads: Bool = false
    ) async throws -> ToolVersions {
        let configuration = toolbox.configuration
        let command = ToolCommand(.ffmpeg, ["-version"], limits: configuration.probeLimits)
        let output = try await toolbox.run(command).checked()
        let line = output.standardOutput.prefix { $0 != UInt8(ascii: "\n") }
        return ToolVersions(
            ffmpeg: String(decoding: line, as: UTF8.self),
            speechModel: try await digest(configuration.whisperModelPath, missing: .speechModelMissing),
            faceModel: try await digest(configuration.faceModelPath, missing: .faceModelMissing),
            scansUploads: scansUploads, captionFonts: try await fonts(toolbox, blobs))
    }

    private static func fonts(_ toolbox: Toolbox, _ blobs: any BlobStore) async throws -> CaptionFonts {
        try await blobs.withScratch(named: "fonts", evenWhenFull: true) { directory in
            let script = directory + "/fonts.ass"
            try await blobs.writeScratch(Array(CaptionFonts.question.utf8), to: script)
            return try await CaptionFonts.find(toolbox, asking: script)
        }
    }

    private static func digest(_ path: String, missing: MediaError.Code) async throws -> String {
        do { return try await FileDigest.sha256(ofFileAt: path).sha256 } catch {
            throw error.code == .missing
                ? MediaError(missing, "there is no file at the configured path").failure : error
        }
    }
}
