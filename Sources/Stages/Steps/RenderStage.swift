import Blobs
package import ClipModel
import Media

/// Makes the clip: framed, captioned, at an even loudness, as one MP4, with its captions as files beside it. What was
/// made is measured here, where it can still be made again with a safer framing (`ClipGate`).
package enum RenderStage: PipelineStage {
    package static let name = StageName.render
    package static let version = 3

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
        if options.subtitles == .burned {
            ingredients["captionStyle"] = options.captionStyle.rawValue
            ingredients["captionFonts"] = "\(versions.captionFonts)"
            if CaptionTrack.marksKeywords(options.captionStyle) {
                ingredients.add(keywords: options.keywords)
            }
        }
        if options.tellsSpeakers { ingredients["speakerColors"] = "true" }
        if options.subtitles != .off, let captions = inputs.edits.captions { ingredients["captions"] = "\(captions)" }
        ingredients["watermark"] = options.watermark
        if options.denoise { ingredients["denoise"] = try inputs.identity(of: StageKey(.audio)) }
        if options.tighten { ingredients["tighten"] = try Tightened.ingredient(inputs) }
        ingredients["ffmpeg"] = versions.ffmpeg
        ingredients["faceModel"] = versions.faceModel
        return ingredients
    }

    package static func run(_ context: StageContext) async throws -> StageOutput {
        let (inputs, options) = (context.inputs, context.inputs.options)
        let clip = try inputs.clipRange()
        let reframe = try inputs.body(ReframeResult.self, inputs.key.index)
        let found = try await context.load(Framing.self, reframe.framing)
        let facts = try inputs.body(ProbeResult.self).facts
        let transcript = try await context.load(Transcript.self, inputs.body(TranscriptResult.self).transcript)
        let kept = options.tighten ? try await Tightened.kept(context, transcript, framing: found, facts: facts) : nil
        let tight = Tightened(
            clip: clip, kept: kept, framing: found, words: transcript.words, edits: inputs.edits)
        let captions = context.effort.measure {
            let captions =
                tight.captions.map {
                    CaptionTrack(
                        edited: $0, heard: tight.words, clip: tight.shown, language: transcript.language,
                        keywords: options.keywords)
                }
                ?? CaptionTrack(
                    words: tight.words, clip: tight.shown, language: transcript.language, keywords: options.keywords)
            return options.tellsSpeakers ? captions.spoken(by: tight.framing.turns ?? []) : captions
        }

        var gate = ClipGate(tight.framing, source: facts.displaySize, chosen: tight.chosen)
        var action = gate.start()
        var attempts = 0
        while case .render(let framing) = action {
            let verdict = try await attempt(
                context, framing, facts: facts, tight, captions: captions, file: file(of: attempts))
            attempts += 1
            action = gate.checked(verdict)
        }
        guard case .publish(let attempt) = action else { preconditionFailure("a gate that neither renders nor ends") }

        let (video, file) = try await context.keep(file(of: attempt))
        var body = RenderResult(
            video: video, videoBytes: file.bytes, videoSHA256: file.sha256, figures: gate.figures(of: attempt))
        body.figures?.kept = kept?.inSource(of: clip)
        if gate.framing(of: attempt) != found {
            body.framing = try await context.keep(json: gate.framing(of: attempt), as: "framing.json")
        }
        if options.subtitles != .off, inputs.edits.captions.map({ !$0.isEmpty }) ?? !transcript.words.isEmpty {
            body.srt = try await context.keep(Array(captions.srt().utf8), as: "clip.srt")
            body.vtt = try await context.keep(Array(captions.vtt().utf8), as: "clip.vtt")
        }
        if isUnwritable(captions, context) { body.captionsUnwritable = true }
        return try StageOutput(body, blobs: [video, body.framing, body.srt, body.vtt].compactMap { $0 })
    }

    private static func file(of attempt: Int) -> String { attempt == 0 ? "clip.mp4" : "clip-again.mp4" }

    /// Of the progress that is shown: a second attempt is rare, and starts where the first ended.
    private static let renderShare = 0.85

    /// Renders into a file of the scratch directory and measures it.
    private static func attempt(
        _ context: StageContext, _ framing: Framing, facts: VideoFacts, _ tight: Tightened, captions: CaptionTrack,
        file: String
    ) async throws -> ClipVerdict {
        let options = context.inputs.options
        var assPath: String?
        let fonts = context.tools.versions.captionFonts
        let isBurned = options.subtitles == .burned && !isUnwritable(captions, context)
        let style = isBurned ? options.captionStyle : nil
        if style != nil || options.watermark != nil {
            let text = context.effort.measure {
                captions.ass(
                    style: style, size: options.aspect.pixels, faces: framing.faces, framing: framing,
                    watermark: options.watermark, sourceSize: facts.displaySize, fonts: fonts)
            }
            assPath = try await context.write(text, to: "captions.ass")
        }
        var plan = RenderPlan(
            sourcePath: try await context.sourcePath, facts: facts, clip: tight.clip,
            framing: framing, size: options.aspect.pixels, assPath: assPath,
            fontsDirectory: context.toolbox.configuration.fontsDirectory, threads: context.threads,
            outputPath: context.scratch + "/" + file)
        if options.denoise, let curves = try context.inputs.body(AudioResult.self).curves {
            plan.noise = NoiseReduction(try await context.load(SoundCurves.self, curves), clip: tight.clip)
        }
        plan.kept = tight.kept
        try await Renderer.run(plan, toolbox: context.toolbox) { context.progress(renderShare * $0) }
        return try await ClipCheck.run(
            path: plan.outputPath, facts: facts, clip: tight.shown, size: plan.size, framing: framing,
            captionsOverFaces: style.flatMap { style in
                context.effort.measure {
                    captions.hiddenFaceShare(
                        style: style, size: plan.size, framing: framing, sourceSize: facts.displaySize, fonts: fonts)
                }
            },
            faceModelPath: context.toolbox.configuration.faceModelPath, toolbox: context.toolbox,
            threads: context.threads
        ) { context.progress(renderShare + (1 - renderShare) * $0) }
    }

    /// Empty boxes in place of letters are worse than none.
    private static func isUnwritable(_ captions: CaptionTrack, _ context: StageContext) -> Bool {
        context.inputs.options.subtitles == .burned && context.tools.versions.captionFonts.lacks(captions)
    }
}
