package import ClipModel

/// The captions of one clip: the same words, grouped for reading (SRT, VTT) and for burning into the picture (ASS).
package struct CaptionTrack: Hashable, Sendable {
    /// In seconds from the start of the clip.
    private(set) var words: [CaptionWord]
    let clipSeconds: Double
    /// What a client wrote, line by line; nil: the words are grouped as is best.
    private(set) var lines: [CaptionGroup]?
    /// ISO 639-1 as far as it is known.
    private let language: String
    private let phrasing: CaptionPhrasing

    /// `words` have times of the source; those outside `clip` are left out. Without a `language` the words tell. The
    /// `keywords` stand out where a style lets words do that.
    package init(words: [Word], clip: TimeRange, language: String = "und", keywords: [String] = []) {
        self.init(
            shown: CaptionWord.words(words, in: clip), lines: nil, clipSeconds: clip.duration, language: language,
            keywords: keywords)
    }

    init(
        shown words: [CaptionWord], lines: [CaptionGroup]?, clipSeconds: Double, language: String, keywords: [String]
    ) {
        var words = words
        let isKnown = !language.isEmpty && language != "und"
        self.language = isKnown ? language : LanguageProfile.guess(words.map(\.text)) ?? "und"
        phrasing = CaptionPhrasing(language: self.language)
        for index in CaptionEmphasis(language: self.language, keywords: keywords).marked(words) {
            words[index].isEmphasised = true
        }
        self.words = words
        self.lines = lines
        self.clipSeconds = clipSeconds
    }

    /// The same with words that know who says them: the colours of burned words, and the voices of WebVTT.
    ///
    /// - Parameter turns: Who speaks when, in seconds of the clip. Where not two of them say the words, the words are
    ///   left as they are: there is nobody to be told apart from.
    package func spoken(by turns: [Framing.Turn]) -> CaptionTrack {
        let speakers = CaptionSpeakers(turns).speakers(of: words)
        guard Set(speakers.compactMap(\.self)).count > 1 else { return self }
        var told = self
        for index in words.indices { told.words[index].speaker = speakers[index] }
        guard let lines else { return told }
        var rest = told.words[...]
        told.lines = lines.map { line in
            var line = line
            line.words = Array(rest.prefix(line.words.count))
            rest = rest.dropFirst(line.words.count)
            return line
        }
        return told
    }

    /// Whether a style lets keywords stand out.
    package static func marksKeywords(_ style: JobOptions.CaptionStyle) -> Bool {
        let design = CaptionDesign(style)
        return design.emphasis != nil || design.underlay?.emphasis != nil
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

    /// WebVTT, in clip time; with voices where it is known who speaks.
    package func vtt() -> String {
        var text = "WEBVTT\n\n"
        for cue in cues() {
            text += "\(clock(cue.start, fraction: ".")) --> \(clock(cue.end, fraction: "."))\n"
            text += cue.lines.map(voiced).joined(separator: "\n") + "\n\n"
        }
        return text
    }

    /// Advanced SubStation Alpha for libass, word by word, for a picture of `size`.
    ///
    /// With `style` nil only the watermark is drawn; with neither there is a valid script without events. `faces` are
    /// in display pixels of the source and `framing` says what of it is shown: the captions move to the band where they
    /// cover fewer of them. `sourceSize` is needed for that only where the whole picture is fitted into the frame.
    /// A style whose font is not among `fonts` is drawn in the one that every node has.
    package func ass(
        style: JobOptions.CaptionStyle?, size: PixelSize, faces: [FaceSighting] = [], framing: Framing? = nil,
        watermark: String? = nil, sourceSize: PixelSize? = nil, fonts: CaptionFonts = .all
    ) -> String {
        let design = style.map { self.design($0, fonts) }
        let placement = CaptionPlacement(size, design: design ?? CaptionDesign(.plain))
        let mapping = FaceMapping(framing, size: size, sourceSize: sourceSize)
        let bands = CaptionBands(placement, faces: faces, framing: framing, mapping: mapping)
        return CaptionScript(
            size: size, placement: placement, bands: bands, clipSeconds: clipSeconds, design: design,
            watermark: watermark
        ).text(groups(placement, design))
    }

    /// What burned captions hide of the faces that are seen while they stand: the mean share of a face. Nil without
    /// such faces. The two lines are taken as wide as they may be, so it is rather too much.
    package func hiddenFaceShare(
        style: JobOptions.CaptionStyle, size: PixelSize, framing: Framing, sourceSize: PixelSize,
        fonts: CaptionFonts = .all
    ) -> Double? {
        let design = design(style, fonts)
        let placement = CaptionPlacement(size, design: design)
        let mapping = FaceMapping(framing, size: size, sourceSize: sourceSize)
        let bands = CaptionBands(placement, faces: framing.faces, framing: framing, mapping: mapping)
        let groups = groups(placement, design)
        let shares = framing.faces.flatMap { face -> [Double] in
            guard groups.contains(where: { $0.start <= face.time && face.time < $0.end }) else { return [] }
            let box = placement.box(bands.band(at: face.time))
            return mapping.shown([face]).filter { $0.area > 0 }.map { $0.shareHidden(by: box) }
        }
        return shares.isEmpty ? nil : shares.reduce(0, +) / Double(shares.count)
    }

    private var drawn: [CaptionWord] { words.compactMap(\.withoutEmoji) }

    private func design(_ style: JobOptions.CaptionStyle, _ fonts: CaptionFonts) -> CaptionDesign {
        CaptionDesign(style).able(toShow: drawn, with: fonts)
    }

    private func groups(_ placement: CaptionPlacement, _ design: CaptionDesign?) -> [CaptionGroup] {
        let cased = design?.isUppercase ?? false ? drawn.map(capitals) : drawn
        return CaptionGrouping.burned(columnsMax: placement.columnsMax)
            .groups(cased, clipSeconds: clipSeconds, phrasing: phrasing)
    }

    /// Capitals of Turkish and Azeri keep the dot of the i.
    private func capitals(_ word: CaptionWord) -> CaptionWord {
        var word = word
        let isDotted = language == "tr" || language == "az"
        word.text = (isDotted ? word.text.replacing("i", with: "İ") : word.text).uppercased()
        return word
    }

    func cues() -> [CaptionGroup] {
        lines ?? CaptionGrouping.subtitles.groups(words, clipSeconds: clipSeconds, phrasing: phrasing)
    }

    func line(of words: ArraySlice<CaptionWord>) -> String { SpokenText.join(words.map(\.text)) }

    /// A line with a voice span around what each speaker says, as WebVTT has it.
    private func voiced(_ line: ArraySlice<CaptionWord>) -> String {
        var text = ""
        var rest = line
        while let first = rest.first {
            let part = rest.prefix { $0.speaker == first.speaker }
            if let before = line[..<rest.startIndex].last, SpokenText.isSpaced(before.text, first.text) { text += " " }
            let words = Self.escapedForVTT(self.line(of: part))
            text += first.speaker.map { "<v Speaker \($0)>\(words)</v>" } ?? words
            rest = rest[part.endIndex...]
        }
        return text
    }

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
