import ClipModel
import Media

/// A clip as it is rendered: as its borders say, or in the time that is left when pauses and fillers are cut out.
///
/// Framings, words and edits come in the time of the source, so that what was found once serves with and without
/// `tighten`; here, and nowhere else, they change clocks.
struct Tightened {
    /// In the source.
    let clip: TimeRange
    /// Nil: all of it.
    let kept: KeptSpans?
    /// Begins with `clip` and is as long as what is left: where words and captions now have their times.
    let shown: TimeRange
    let framing: Framing
    let words: [Word]
    /// What a client wrote; nil: nothing.
    let captions: [ClipEdits.Caption]?
    /// What a client framed, in seconds from the start of the finished clip.
    let chosen: [TimeRange]

    init(clip: TimeRange, kept: KeptSpans?, framing: Framing, words: [Word], edits: ClipEdits) {
        self.clip = clip
        self.kept = kept
        let scenes = (edits.scenes ?? []).map { TimeRange(start: $0.start - clip.start, end: $0.end - clip.start) }
        guard let kept else {
            (shown, self.framing, self.words, captions) = (clip, framing, words, edits.captions)
            chosen = scenes
            return
        }
        shown = kept.tightened(clip: clip)
        self.framing = framing.tightened(by: kept)
        self.words = kept.tightened(words, of: clip)
        captions = edits.captions.map { kept.tightened($0, of: clip) }
        chosen = scenes.compactMap { kept.tightened($0) }
    }

    /// Raised when other stretches are cut out of the same clip.
    private static let version = 2

    /// What decides which stretches those are, beyond what decides the rendering anyway.
    static func ingredient(_ inputs: StageInputs) throws(Failure) -> String {
        let secondsMin = Tightening.secondsMin(of: try inputs.clipRange(), inputs.options)
        let words = try inputs.identity(of: StageKey(.transcript)), sound = try inputs.identity(of: StageKey(.audio))
        return "\(version) \(words) \(sound) \(secondsMin)"
    }

    /// Nil: there is nothing to cut out, or nothing to hear.
    static func kept(
        _ context: StageContext, _ transcript: Transcript, framing: Framing, facts: VideoFacts
    ) async throws -> KeptSpans? {
        let (clip, options) = (try context.inputs.clipRange(), context.inputs.options)
        guard let blob = try context.inputs.body(AudioResult.self).curves else { return nil }
        let curves = try await context.load(SoundCurves.self, blob)
        let cuts = try await context.load([Double].self, context.inputs.body(ShotsResult.self).cuts)
        return await kept(
            of: clip, transcript, curves, scenes: framing.changes(cuts: cuts, of: clip),
            rate: FrameRate.ofClip(sourceAverage: facts.framesPerSecond),
            secondsMin: Tightening.secondsMin(of: clip, options), context)
    }

    @concurrent private static func kept(
        of clip: TimeRange, _ transcript: Transcript, _ curves: SoundCurves, scenes: [Double], rate: FrameRate,
        secondsMin: Double, _ context: StageContext
    ) async -> KeptSpans? {
        context.effort.measure {
            Tightening.kept(
                of: clip, transcript: transcript, curves: curves, scenes: scenes, rate: rate, secondsMin: secondsMin)
        }
    }
}
