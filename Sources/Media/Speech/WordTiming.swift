package import ClipModel

/// Sets words on the sound they belong to.
///
/// First the borders between them are moved to where they are likely (`WordBorders`). A word may still begin with the
/// end of its neighbour, hold a whole pause, or end with the head of the next: within its span it is therefore laid on
/// the longest stretch of sound, starts and ends with that, and what sticks out goes to the neighbour. At last a word
/// beside a pause gets its quiet edge.
package enum WordTiming {
    /// A shorter pause is a closed lip inside a word.
    private static let pauseSecondsMin = 0.14
    /// A stretch of sound up to this long on the far side of a pause is the neighbour's.
    private static let stragglerSecondsMax = 0.2
    package static let wordSecondsMin = 0.04
    /// The longest that a word trails off, and that one is breathed before it sounds. What is quiet for longer is a
    /// room that rings, or a breath.
    private static let trailSecondsMax = 0.3
    private static let breathSecondsMax = 0.1

    /// `origin`: the time in the source of the drafts' zero. Words stay inside `window`, in order, without overlap.
    package static func words(
        of drafts: [WordAssembler.Draft], origin: Double, window: TimeRange, activity: SpeechActivity
    ) -> [Word] {
        guard !drafts.isEmpty else { return [] }
        let told = rawStarts(of: drafts, origin: origin, window: window)
        var starts = WordBorders.starts(of: drafts, told: told, window: window, activity: activity)
        var words: [Word] = []
        for (index, draft) in drafts.enumerated() {
            let limit = index + 1 < starts.count ? starts[index + 1] : rawEnd(draft, origin, starts[index], window)
            let span = TimeRange(start: starts[index], end: max(starts[index], limit))
            let isLate = index == 0 || (endsPhrase(drafts[index - 1]) && !endsPhrase(draft))
            let placed = place(
                span, secondsMax: secondsMax(of: draft.text), isLate: isLate, activity: activity)
            if index + 1 < starts.count, let head = placed.headOfNext { starts[index + 1] = head }
            words.append(
                Word(text: draft.text, start: placed.word.start, end: placed.word.end, probability: draft.probability))
        }
        return withQuietEdges(words, window: window, activity: activity)
    }

    /// The longest that a word may sound: slow speech takes 0.12 s a letter. What is longer is music, noise, or a
    /// pause that is not silent.
    package static func secondsMax(of text: String) -> Double {
        let letters = text.filter { $0.isLetter }.count
        // A digit or an ideograph is a syllable or more.
        let syllables = text.unicodeScalars.filter { $0.properties.isIdeographic || $0.properties.numericType != nil }
        return 0.35 + 0.12 * Double(letters) + 0.3 * Double(syllables.count)
    }

    private static func rawStarts(
        of drafts: [WordAssembler.Draft], origin: Double, window: TimeRange
    ) -> [Double] {
        var last = window.start
        return drafts.map { draft in
            last = min(window.end, max(last, draft.start.map { $0 + origin } ?? last))
            return last
        }
    }

    private static func rawEnd(
        _ draft: WordAssembler.Draft, _ origin: Double, _ start: Double, _ window: TimeRange
    ) -> Double {
        // The attention often reaches the end of the text before the sound of the last word ends.
        let spoken = start + secondsMax(of: draft.text)
        return min(window.end, max(spoken, draft.end.map { $0 + origin } ?? spoken))
    }

    /// Whether a pause is to be expected after the word rather than before it.
    static func endsPhrase(_ draft: WordAssembler.Draft) -> Bool {
        draft.text.last.map { ".,;:!?…。，！？、".contains($0) } ?? false
    }

    /// `isLate`: where a word has far more sound than it can fill (a pause full of noise), it lies at the end of it.
    private static func place(
        _ span: TimeRange, secondsMax: Double, isLate: Bool, activity: SpeechActivity
    ) -> (word: TimeRange, headOfNext: Double?) {
        let sounds = activity.sounds(in: span, pauseMin: pauseSecondsMin)
        guard let core = sounds.indices.max(by: { sounds[$0].duration < sounds[$1].duration }) else {
            let end = min(span.end, span.start + min(secondsMax, 0.3))
            return (TimeRange(start: span.start, end: max(end, span.start)), nil)
        }
        let before = sounds[..<core].reduce(0) { $0 + $1.duration }
        var start = before > stragglerSecondsMax ? sounds[0].start : sounds[core].start
        if isLate { start = max(start, sounds[core].end - secondsMax) }
        var (last, headOfNext) = (sounds.count - 1, Double?.none)
        if last > core, sounds[last].duration <= stragglerSecondsMax, sounds[last].end >= span.end - 0.03 {
            headOfNext = sounds[last].start
            last -= 1
        }
        // Sound after a pause inside the span, too long to be the neighbour's head: words that the model left out.
        let end = min(sounds[core].end, start + secondsMax)
        let room = headOfNext ?? span.end
        return (TimeRange(start: start, end: max(start, min(room, max(end, start + wordSecondsMin)))), headOfNext)
    }

    /// With what is quieter than the threshold at both ends of every pause given to the word beside it.
    private static func withQuietEdges(_ words: [Word], window: TimeRange, activity: SpeechActivity) -> [Word] {
        var words = words
        for next in 0...words.count {
            let before = next > 0 ? words[next - 1].end : window.start
            let after = next < words.count ? words[next].start : window.end
            guard before < after, let silence = activity.silence(in: TimeRange(start: before, end: after)) else {
                continue
            }
            if next > 0 { words[next - 1].end = max(before, min(silence.start, before + trailSecondsMax)) }
            // In a shorter gap it would be the end of the word before.
            guard next < words.count, after - before >= breathSecondsMax else { continue }
            words[next].start = min(after, max(silence.end, after - breathSecondsMax))
        }
        return words
    }
}
