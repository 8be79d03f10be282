package import ClipModel

/// The captions of one clip: the same words, grouped for reading (SRT, VTT) and for burning into the picture (ASS).
package struct CaptionTrack: Hashable, Sendable {
    /// In seconds from the start of the clip.
    let words: [CaptionWord]
    let clipSeconds: Double
    /// What a client wrote, line by line; nil: the words are grouped as is best.
    let lines: [CaptionGroup]?

    /// `words` have times of the source; those outside `clip` are left out.
    package init(words: [Word], clip: TimeRange) {
        self.words = CaptionWord.words(words, in: clip)
        clipSeconds = clip.duration
        lines = nil
    }

    init(words: [CaptionWord], lines: [CaptionGroup], clipSeconds: Double) {
        self.words = words
        self.lines = lines
        self.clipSeconds = clipSeconds
    }

    /// Nothing is said in the clip.
    package var isEmpty: Bool { words.isEmpty }

    /// SubRip, in clip time. Empty text when nothing is said.
    package func srt() -> String {
        var text = ""
        for (index, cue) in cues().enumerated() {
            text += "\(index + 1)\n\(clock(cue.start, fraction: ",")) --> \(clock(cue.end, fraction: ","))\n"
            // SRT knows no escapes: only what would end the cue or be taken for times has to go.
            text += cue.lines.map { line(of: $0).replacing("-->", with: "→") }.joined(separator: "\n") + "\n\n"
        }
        return text
    }

    /// WebVTT, in clip time.
    package func vtt() -> String {
        var text = "WEBVTT\n\n"
        for cue in cues() {
            text += "\(clock(cue.start, fraction: ".")) --> \(clock(cue.end, fraction: "."))\n"
            text += cue.lines.map { Self.escapedForVTT(line(of: $0)) }.joined(separator: "\n") + "\n\n"
        }
        return text
    }

    /// Advanced SubStation Alpha for libass, word by word, for a picture of `size`.
    ///
    /// With `style` nil only the watermark is drawn; with neither there is a valid script without events. `faces` are
    /// in display pixels of the source and `framing` says what of it is shown: the captions move to the band where they
    /// cover fewer of them. `sourceSize` is needed for that only where the whole picture is fitted into the frame.
    package func ass(
        style: JobOptions.CaptionStyle?, size: PixelSize, faces: [FaceSighting] = [], framing: Framing? = nil,
        watermark: String? = nil, sourceSize: PixelSize? = nil
    ) -> String {
        let placement = CaptionPlacement(size)
        let shown = FaceMapping(framing, size: size, sourceSize: sourceSize).shown(faces)
        let script = CaptionScript(
            size: size, placement: placement, band: placement.band(avoiding: shown), clipSeconds: clipSeconds)
        return script.text(words: words, style: style, watermark: watermark)
    }

    func cues() -> [CaptionGroup] {
        lines ?? CaptionGrouping.subtitles.groups(words, clipSeconds: clipSeconds)
    }

    func line(of words: ArraySlice<CaptionWord>) -> String { SpokenText.join(words.map(\.text)) }

    private static func escapedForVTT(_ text: String) -> String {
        // `>` too: a cue must not hold `-->`.
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    private func clock(_ seconds: Double, fraction: Character) -> String {
        let all = max(0, Int((seconds * 1000).rounded()))
        func digits(_ value: Int, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let whole = all / 1000
        return "\(digits(whole / 3600, 2)):\(digits(whole / 60 % 60, 2)):\(digits(whole % 60, 2))\(fraction)"
            + digits(all % 1000, 3)
    }
}
