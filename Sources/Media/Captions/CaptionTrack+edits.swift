package import ClipModel

/// Captions as a client wrote them, and what it may write over.
extension CaptionTrack {
    /// - Parameters:
    ///   - edited: In seconds of the source, in order. What lies outside of `clip` is left out, and what reaches over a
    ///     border is cut there.
    ///   - heard: Of the transcript. A line that has as many words as were heard in its time keeps their times, so that
    ///     a mended letter does not cost the step with the voice; else its words share its time by their letters.
    ///   - language: And `keywords`: as of captions that were heard.
    package init(
        edited: [ClipEdits.Caption], heard: [Word], clip: TimeRange, language: String = "und", keywords: [String] = []
    ) {
        let heard = CaptionWord.nearby(heard, clip)
        let groups = edited.compactMap { caption -> CaptionGroup? in
            guard let shown = TimeRange(start: caption.start, end: caption.end).clamped(to: clip) else { return nil }
            let texts = Self.words(of: caption.text)
            guard !texts.isEmpty else { return nil }
            let times = Self.times(of: texts, heard: CaptionWord.words(heard, in: shown), seconds: shown.duration)
            let offset = shown.start - clip.start
            let words = zip(texts, times).map {
                CaptionWord(text: $0, start: offset + $1.start, end: offset + $1.end)
            }
            return CaptionGroup(
                words: words, firstLine: Self.firstLine(texts), start: offset, end: offset + shown.duration)
        }
        self.init(
            shown: groups.flatMap(\.words), lines: groups, clipSeconds: clip.duration, language: language,
            keywords: keywords)
    }

    /// The lines as a client may edit them: in seconds of the source.
    ///
    /// - Parameter kept: Of a track in tight time. Then a line may reach over what was cut out.
    package func captions(of clip: TimeRange, kept: KeptSpans? = nil) -> [ClipEdits.Caption] {
        func inSource(_ time: Double) -> Double { clip.start + (kept?.clipTime(time) ?? time) }
        var last = 0.0
        return cues().map { cue in
            // What is sent back unchanged must be good: in order, and none shorter than one may be.
            let start = max(last, inSource(cue.start).rounded(toPlaces: 3))
            let end = max(start + ClipEdits.secondsMin, inSource(cue.end)).rounded(toPlaces: 3)
            last = end
            return ClipEdits.Caption(start: start, end: end, text: SpokenText.join(cue.words.map(\.text)))
        }
    }

    /// Words with a space between them; of scripts that have none every letter, as where it is heard. What
    /// `SpokenText.join` would not put together again stays together.
    private static func words(of text: String) -> [String] {
        text.split { $0.isWhitespace && $0 != "\u{A0}" }.flatMap { part -> [String] in
            part.reduce(into: []) { words, character in
                let text = String(character)
                if let last = words.indices.last,
                    SpokenText.isSpaced(words[last], text)
                        || SpokenText.attachesToPrevious(text) || words[last].last.map(SpokenText.isOpening) ?? false
                {
                    words[last] += text
                } else {
                    words.append(text)
                }
            }
        }
    }

    private static func times(of texts: [String], heard: [CaptionWord], seconds: Double) -> [TimeRange] {
        if heard.count == texts.count { return heard.map { TimeRange(start: $0.start, end: max($0.start, $0.end)) } }
        let letters = texts.map { Double(max(1, $0.count)) }
        let all = letters.reduce(0, +)
        var passed = 0.0
        return letters.map { count in
            defer { passed += count }
            return TimeRange(start: seconds * passed / all, end: seconds * (passed + count) / all)
        }
    }

    /// How many words stand on the first of two lines, so that they are about as long; all of them when one will do.
    private static func firstLine(_ texts: [String]) -> Int {
        let all = SpokenText.join(texts).count
        guard all > CaptionGrouping.subtitles.columnsMax, texts.count > 1 else { return texts.count }
        return (1..<texts.count).min { one, other in
            func unevenness(_ count: Int) -> Int { abs(2 * SpokenText.join(Array(texts.prefix(count))).count - all) }
            return unevenness(one) < unevenness(other)
        } ?? texts.count
    }
}
