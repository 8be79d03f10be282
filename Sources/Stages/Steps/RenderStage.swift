import Blobs
package import ClipModel
import Media

/// Makes the clip: cropped, captioned, at an even loudness, as one MP4, with its captions as files beside it.
package enum RenderStage: PipelineStage {
    package static let name = StageName.render
    package static let version = 2

    package static func ingredients(
        _ inputs: StageInputs, _ versions: ToolVersions
    ) throws(Failure) -> CacheIngredients? {
        let options = inputs.options
        var ingredients = CacheIngredients()
        ingredients["reframe"] = try inputs.identity(of: StageKey(.reframe, inputs.key.index))
        ingredients["clip"] = "\(try inputs.clipRange())"
        ingredients["subtitles"] = options.subtitles.rawValue
        if options.subtitles != .off {
            ingredients["transcript"] = try inputs.identity(of: StageKey(.transcript))
        }
        if options.subtitles == .burned { ingredients["captionStyle"] = options.captionStyle.rawValue }
        if options.subtitles != .off, let captions = inputs.edits.captions { ingredients["captions"] = "\(captions)" }
        ingredients["watermark"] = options.watermark
        ingredients["ffmpeg"] = versions.ffmpeg
        return ingredients
    }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        let (inputs, options) = (context.inputs, context.inputs.options)
        let clip = try inputs.clipRange()
        let reframe = try inputs.body(ReframeResult.self, inputs.key.index)
        let framing = try await context.load(Framing.self, reframe.framing)
        let facts = try inputs.body(ProbeResult.self).facts
        let transcript = try await context.load(Transcript.self, inputs.body(TranscriptResult.self).transcript)
        let captions = context.effort.measure {
            inputs.edits.captions.map { CaptionTrack(edited: $0, heard: transcript.words, clip: clip) }
                ?? CaptionTrack(words: transcript.words, clip: clip)
        }

        var assPath: String?
        let style = options.subtitles == .burned ? options.captionStyle : nil
        if style != nil || options.watermark != nil {
            let text = context.effort.measure {
                captions.ass(
                    style: style, size: options.aspect.pixels, faces: framing.faces, framing: framing,
                    watermark: options.watermark, sourceSize: facts.displaySize)
            }
            assPath = try await context.write(text, to: "captions.ass")
        }
        let plan = RenderPlan(
            sourcePath: try await context.sourcePath, facts: facts, clip: clip,
            framing: framing, size: options.aspect.pixels, assPath: assPath,
            fontsDirectory: context.toolbox.configuration.fontsDirectory, threads: context.threads,
            outputPath: context.scratch + "/clip.mp4")
        try await Renderer.run(plan, toolbox: context.toolbox, progress: context.progress)

        let (video, file) = try await context.keep("clip.mp4")
        var body = RenderResult(video: video, videoBytes: file.bytes, videoSHA256: file.sha256)
        if options.subtitles != .off, inputs.edits.captions.map({ !$0.isEmpty }) ?? !transcript.words.isEmpty {
            body.srt = try await context.keep(Array(captions.srt().utf8), as: "clip.srt")
            body.vtt = try await context.keep(Array(captions.vtt().utf8), as: "clip.vtt")
        }
        return try StageOutput(body, blobs: [video, body.srt, body.vtt].compactMap { $0 })
    }
}
