package import ClipModel

/// Chooses the moments of a video that become clips. Pure: the same input gives the same output, on any node.
///
/// Words -> sentences -> topics -> candidates -> signals -> the best that do not overlap. What cannot be found among
/// whole sentences is looked for among clauses and words, and at last in pictures and sound, so that there is always
/// at least one clip, with a note that says why there are not more.
package struct HighlightSelector {
    /// Taken from both limits of a clip's length, in milliseconds: the rendered file is a whole number of frames and
    /// of sound packets, and has to keep to the limits too.
    static let marginMilliseconds = 50
    /// Units of sentences in the second, finer search, in milliseconds.
    static let clauseMillisecondsMax = 2000

    /// `cuts` are the times of hard cuts in seconds and may be empty; so may the transcript, and `curves` be nil.
    /// Scores are comparable inside this video only; highlights come in falling order of score. `spares` are for
    /// somebody who may want others, and cost another search.
    package static func select(
        transcript: Transcript, curves: SoundCurves?, cuts: [Double], durationSeconds: Double, options: JobOptions,
        withSpares: Bool = false
    ) -> HighlightSelection {
        let duration = durationSeconds.isFinite ? max(0, durationSeconds) : 0
        let text = SpeechText(transcript, durationSeconds: duration, language: options.language)
        let selector = HighlightSelector(text: text, curves: curves, cuts: cuts, options: options)
        return selector.selection(withSpares: withSpares)
    }

    private let text: SpeechText
    private let sound: SoundProfile
    private let cuts: [Double]
    private let options: JobOptions
    private let lengths: ClosedRange<Int>
    private let hits: [KeywordMatcher.Hit]

    private init(text: SpeechText, curves: SoundCurves?, cuts: [Double], options: JobOptions) {
        self.text = text
        self.cuts = cuts
        self.options = options
        sound = SoundProfile(curves, text: text)
        lengths = Self.lengths(options.clipSeconds)
        hits = KeywordMatcher(options.keywords).hits(in: text)
    }

    private static func lengths(_ limits: TimeRange) -> ClosedRange<Int> {
        let low = Int((limits.start * 1000).rounded(.up)), high = Int((limits.end * 1000).rounded(.down))
        if high - low > 4 * marginMilliseconds { return (low + marginMilliseconds)...(high - marginMilliseconds) }
        return min(low, high)...max(low, high)
    }

    private func selection(withSpares: Bool) -> HighlightSelection {
        var notes: [Note] = []
        if text.words.isEmpty {
            notes.append(
                Note(code: "no_speech", text: "Nothing is said in this video: clips were chosen by sound and picture."))
        }
        if text.duration < lengths.lowerBound { return wholeVideo(notes) }

        // Half of the room between the limits: so a start always finds an end that fits.
        let coarse = search(longest: (lengths.upperBound - lengths.lowerBound) / 2, lengths: lengths)
        var pool = coarse.sentences()
        var chosen = choose(from: pool)
        if chosen.count < min(options.clipCount, capacity) {
            let fine = search(longest: Self.clauseMillisecondsMax, lengths: lengths)
            pool += fine.sentences()
            chosen = choose(from: pool)
            if chosen.count < min(options.clipCount, capacity) {
                pool += fine.windows()
                chosen = choose(from: pool)
            }
        }
        if chosen.isEmpty {
            // Speech without a breath and limits without room: a border between words is worth more than the minimum.
            let relaxed = max(1000, lengths.lowerBound - 3000)...lengths.upperBound
            chosen = choose(from: search(longest: 1000, lengths: relaxed).sentences())
            notes.append(
                Note(
                    code: "length_relaxed",
                    text: "No stretch between two words has the length asked for; the nearest shorter one was taken."))
        }
        if chosen.isEmpty { return wholeVideo(notes) }
        if chosen.count < options.clipCount { notes.append(fewerClips(than: options.clipCount, chosen: chosen.count)) }
        return HighlightSelection(
            highlights: ranked(chosen), notes: notes,
            interest: InterestCurve(text, sound: sound, weights: coarse.weights).points(pool),
            spares: withSpares ? ranked(choose(from: pool.filter { !$0.overlaps(chosen) })) : [])
    }

    private func search(longest: Int, lengths: ClosedRange<Int>) -> HighlightSearch {
        HighlightSearch(
            text, sound: sound, cuts: cuts, hits: hits, hasKeywords: !options.keywords.isEmpty, longest: longest,
            lengths: lengths)
    }

    /// How many clips of the shortest length the video holds.
    private var capacity: Int { max(1, text.duration / max(1, lengths.lowerBound)) }

    private func choose(from pool: [FoundMoment]) -> [FoundMoment] {
        let items = pool.map {
            IntervalSelection.Item(
                start: $0.candidate.span.start, end: $0.candidate.span.end, value: $0.verdict.score,
                topicStart: $0.topicStart)
        }
        // A third of the even distance between clips: spreads them without ruling any place out.
        let spread = max(0, text.duration / max(1, options.clipCount) - lengths.upperBound) / 3
        return IntervalSelection(items, spread: min(spread, 120_000)).choose(options.clipCount).map { pool[$0] }
    }

    private func ranked(_ found: [FoundMoment]) -> [Highlight] {
        let titles = ClipTitle(text)
        let highlights = found.map { found in
            var signals: [String: Double] = [:]
            for (signal, value) in zip(HighlightSignal.allCases, found.verdict.signals) where isShown(signal, found) {
                signals[signal.rawValue] = rounded(value, 1000)
            }
            let said = Set(hits.filter { contains(found.candidate.words, $0.words) }.map(\.keyword)).sorted()
            var reasons: [String: String] = [:]
            for language in HighlightReason.languages {
                reasons[language] = HighlightReason(language: language).text(
                    found.verdict, keywords: said.map { options.keywords[$0] },
                    ofSpeech: found.candidate.sentences != nil)
            }
            return Highlight(
                range: TimeRange(start: seconds(found.candidate.span.start), end: seconds(found.candidate.span.end)),
                title: titles.title(of: found.candidate.words) ?? Self.timeTitle(found.candidate.span),
                score: rounded(100 * found.verdict.score, 10),
                reason: reasons["en"]!, reasons: reasons, signals: signals)
        }
        return highlights.sorted { ($1.score, $0.range.start) < ($0.score, $1.range.start) }
    }

    private func isShown(_ signal: HighlightSignal, _ found: FoundMoment) -> Bool {
        if signal == .keywords { return !options.keywords.isEmpty && found.candidate.sentences != nil }
        return (found.candidate.sentences == nil ? signal.silentWeight : signal.weight) > 0
    }

    private func contains(_ outer: Range<Int>, _ inner: Range<Int>) -> Bool {
        outer.lowerBound <= inner.lowerBound && inner.upperBound <= outer.upperBound
    }

    /// Used where nothing is said; the same in every language.
    private static func timeTitle(_ span: ClipBorders.Span) -> String {
        func clock(_ milliseconds: Int) -> String {
            let whole = milliseconds / 1000
            func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
            return whole < 3600
                ? "\(whole / 60):\(two(whole % 60))" : "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
        }
        return "\(clock(span.start)) – \(clock(span.end))"
    }

    private func wholeVideo(_ notes: [Note]) -> HighlightSelection {
        let search = search(longest: SentenceSplitter.sentenceMillisecondsMax, lengths: 0...text.duration)
        let whole = search.whole()
        let note =
            text.duration < lengths.lowerBound
            ? Note(
                code: "video_shorter_than_clip",
                text: "The video lasts \(rounded(seconds(text.duration), 10)) s, less than the shortest clip asked for "
                    + "(\(rounded(options.clipSeconds.start, 10)) s): it became one clip as it is.")
            : Note(code: "fewer_clips", text: "No better stretch was found: the whole video became one clip.")
        let curve = InterestCurve(text, sound: sound, weights: search.weights)
        return HighlightSelection(highlights: ranked([whole]), notes: notes + [note], interest: curve.points([whole]))
    }

    private func fewerClips(than asked: Int, chosen: Int) -> Note {
        let shortest = rounded(options.clipSeconds.start, 10), length = rounded(seconds(text.duration), 10)
        let why =
            capacity < asked
            ? "the video lasts \(length) s, which has room for \(capacity) of at least \(shortest) s"
            : "no further stretch of at least \(shortest) s begins and ends between words"
        let clips = chosen == 1 ? "1 clip was" : "\(chosen) clips were"
        return Note(code: "fewer_clips", text: "\(clips) made instead of \(asked): \(why).")
    }

    private func rounded(_ value: Double, _ parts: Double) -> Double { (value * parts).rounded() / parts }
}
