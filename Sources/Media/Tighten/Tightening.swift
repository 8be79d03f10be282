package import ClipModel

/// Decides what is cut out of a clip so that it is shorter and denser: long pauses, down to a rest, and fillers.
///
/// A pause is where no word is and where it was measured to be silent: words are given a little late or early, and not
/// everything that is silent to a recogniser is silent. A filler goes with the pauses around it. What an audience does
/// is left alone. All cuts stand on borders of frames, on the side of the pause.
package struct Tightening {
    package struct Limits: Hashable, Sendable {
        /// A pause that lasts longer, in seconds, is brought down to...
        package var pauseSecondsMax = 0.6
        /// ...so much, half of it on either side of the joint; behind a sentence a little more is left.
        package var restSeconds = 0.25
        package var sentenceRestSeconds = 0.4
        /// How far a filler must be from the words around it: nearer, a cut would take a part of them along.
        package var apartSecondsMin = 0.12
        /// The same of a filler that is also a word.
        package var aloneSecondsMin = 0.3
        /// So far around a filler what is not known to be silent is taken for it: shorter pauses are not measured.
        package var bridgeSecondsMax = 0.35
        /// Of a pause less is not worth a joint.
        package var cutSecondsMin = 0.2
        /// Between two joints, or a joint and a cut of the picture: what is shorter flashes by.
        package var keptSecondsMin = 0.4
        /// Laughter begins and fades away before and after it is told from silence.
        package var reactionSeconds = 0.3
        /// Each joint takes a branch of the sound's filters, in one argument of a command line.
        package var jointsMax = 150

        package init() {}
    }

    /// What a clip may be shortened to. A clip that is shorter than its preset already was made so by hand.
    package static func secondsMin(of clip: TimeRange, _ options: JobOptions) -> Double {
        let least = options.clipSeconds.start
        return clip.duration >= least - 0.05 ? least : min(least, Self.handMadeSecondsMin)
    }

    /// The shortest clip that can be asked for.
    private static let handMadeSecondsMin = 3.0

    /// What is left of `clip`; nil: all of it.
    ///
    /// - Parameters:
    ///   - scenes: When the picture changes, in clip time: cuts, and leaps of the camera.
    ///   - rate: Of the clip.
    ///   - secondsMin: It does not get shorter. Fillers go first, then the longest pauses.
    package static func kept(
        of clip: TimeRange, transcript: Transcript, curves: SoundCurves, scenes: [Double], rate: FrameRate,
        secondsMin: Double, limits: Limits = Limits()
    ) -> KeptSpans? {
        let text = SpeechText(transcript, durationSeconds: curves.durationSeconds, language: "auto")
        let pauses = SpeechPauses(text, curves: curves, clip: clip, limits: limits)
        let frameCount = max(1, rate.frames(in: clip.duration))
        let least = Int((secondsMin * rate.perSecond - 0.001).rounded(.up))
        // The picture changes with a frame: the nearest, as the renderer has it. Else a frame of the scene before would
        // be left between a joint and a cut that it was moved onto.
        let changes = scenes.map { rate.frames(in: $0) }.filter { 0 < $0 && $0 < frameCount }
        let times = changes.map { rate.seconds(of: $0) }
        let plan = JointPlan(
            pauses.stretches.compactMap { $0.avoiding(times, limits) }, scenes: changes, frameCount: frameCount,
            rate: rate, limits: limits)
        let kept = plan.kept(framesMin: least)
        guard !kept.isEmpty, kept != [0..<frameCount] else { return nil }
        return KeptSpans(
            kept.map { TimeRange(start: rate.seconds(of: $0.lowerBound), end: rate.seconds(of: $0.upperBound)) })
    }
}

/// A stretch that can be cut out of a clip, in clip time.
struct LooseStretch: Hashable, Sendable {
    var cut: TimeRange
    /// Where the cut may be moved to: no word is in it.
    let room: TimeRange
    /// What must be in the cut; nil: it is a pause and nothing else.
    let filler: TimeRange?
    /// Nothing of the clip is before it, or behind it.
    var opens = false
    var ends = false

    /// The same with no moment of a scene left between it and the joint; nil where that cannot be.
    ///
    /// A cut of the picture near by becomes the joint, where it lies in the pause: a joint in a cut is not seen. Else
    /// the pause keeps so much of itself that the scene stands long enough.
    func avoiding(_ scenes: [Double], _ limits: Tightening.Limits) -> LooseStretch? {
        var (start, end) = (cut.start, cut.end)
        let nearSeconds = limits.keptSecondsMin
        var isMoved = false
        if !ends, let scene = scenes.filter({ end < $0 && $0 < end + nearSeconds }).min() {
            if scene <= room.end {
                if filler == nil, !opens { start += scene - end }
                (end, isMoved) = (scene, true)
            } else {
                guard filler == nil else { return nil }
                end = scene - nearSeconds
            }
        }
        if !opens, let scene = scenes.filter({ start - nearSeconds < $0 && $0 < start }).max() {
            if scene >= room.start {
                let later = end - (start - scene)
                // What is cut out of a scene must not come back behind the joint.
                let isClear = !scenes.contains { later < $0 && $0 <= end }
                if filler == nil, !ends, !isMoved, isClear { end = later }
                start = scene
            } else {
                guard filler == nil else { return nil }
                start = scene + nearSeconds
            }
        }
        guard end - start >= (filler == nil ? limits.cutSecondsMin : 0), end > start else { return nil }
        var moved = self
        moved.cut = TimeRange(start: start, end: end)
        return moved
    }
}
