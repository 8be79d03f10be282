package import ClipModel

/// Words and lines, which have times of the source, as if the source had never had what was cut out of the clip: then
/// all that is made of them (groups, reading speed, files) is as for any other clip.
extension KeptSpans {
    /// Those that are left, at the times at which they are said in the source.
    package func heard(_ words: [Word], of clip: TimeRange) -> [Word] {
        // The middle decides, as it does at the borders of a clip.
        words.filter { shows($0.range.middle - clip.start) }
    }

    /// Those heard in `clip`, which begins at the same time and lasts `seconds`.
    package func tightened(_ words: [Word], of clip: TimeRange) -> [Word] {
        heard(words, of: clip).map { word in
            var shown = word
            shown.start = clip.start + tightened(word.start - clip.start)
            shown.end = max(shown.start, clip.start + tightened(word.end - clip.start))
            return shown
        }
    }

    /// Lines that a client wrote. One that stands over nothing but what was cut out is gone.
    package func tightened(_ captions: [ClipEdits.Caption], of clip: TimeRange) -> [ClipEdits.Caption] {
        captions.compactMap { caption in
            let range = TimeRange(start: caption.start - clip.start, end: max(caption.start, caption.end) - clip.start)
            guard let shown = tightened(range), shown.duration >= min(range.duration, ClipEdits.secondsMin) else {
                return nil
            }
            var line = caption
            (line.start, line.end) = (clip.start + shown.start, clip.start + shown.end)
            return line
        }
    }
}
