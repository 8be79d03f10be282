import ClipModel

/// Writes an ASS script: one event for every state of a group, so that the word being spoken is marked without relying
/// on a player's karaoke effects, and a line never moves while it is on screen.
struct CaptionScript {
    private let size: PixelSize
    private let placement: CaptionPlacement
    private let band: CaptionPlacement.Band
    private let clipSeconds: Double

    init(size: PixelSize, placement: CaptionPlacement, band: CaptionPlacement.Band, clipSeconds: Double) {
        self.size = size
        self.placement = placement
        self.band = band
        self.clipSeconds = clipSeconds
    }

    func text(words: [CaptionWord], style: JobOptions.CaptionStyle?, watermark: String?) -> String {
        let isRightToLeft = words.contains { $0.text.unicodeScalars.contains(where: SpokenText.isRightToLeft) }
        var lines = head()
        if let style { lines.append(self.style(named: "Caption", style, isRightToLeft: isRightToLeft)) }
        if let watermark { lines.append(watermarkStyle(for: watermark)) }
        lines += [
            "", "[Events]", "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
        ]
        if let watermark, clipSeconds > 0 {
            lines.append("Dialogue: 0,\(clock(0)),\(clock(clipSeconds)),Watermark,,0,0,0,,\(Self.escaped(watermark))")
        }
        if let style {
            let grouping = CaptionGrouping.burned(columnsMax: placement.columnsMax)
            for group in grouping.groups(words, clipSeconds: clipSeconds) { lines += events(of: group, style) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func head() -> [String] {
        [
            "[Script Info]", "ScriptType: v4.00+", "PlayResX: \(size.width)", "PlayResY: \(size.height)",
            // 2: a line breaks only where we break it.
            "WrapStyle: 2", "ScaledBorderAndShadow: yes", "YCbCr Matrix: None", "", "[V4+ Styles]",
            "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic,"
                + " Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment,"
                + " MarginL, MarginR, MarginV, Encoding",
        ]
    }

    // MARK: Styles

    private func style(named name: String, _ style: JobOptions.CaptionStyle, isRightToLeft: Bool) -> String {
        let isBoxed = style == .boxed
        let frame = frame(style)
        // BorderStyle 4 is libass's one box behind all lines; its padding is the shadow's distance.
        let border = isBoxed ? 4 : 1
        let outline = isBoxed ? 0 : frame, shadow = isBoxed ? frame : frame * 2 / 7
        let alignment = band == .lower ? 2 : 8
        let text = "&H00FFFFFF", night = "&H002A1F0B", shade = isBoxed ? "&H382A1F0B" : "&H602A1F0B"
        // Encoding -1 lets libass find the direction of each line by its letters.
        return "Style: \(name),\(FontMetrics.family),\(number(placement.fontSize)),\(text),\(text),\(night),\(shade),"
            + "-1,0,0,0,100,100,0,0,\(border),\(number(outline)),\(number(shadow)),\(alignment),"
            + "\(number(placement.safe.left)),\(number(Double(size.width) - placement.safe.right)),"
            + "\(number(verticalMargin)),\(isRightToLeft ? -1 : 1)"
    }

    /// Thickness in pixels of what is drawn around letters: the outline, or the padding of the box.
    private func frame(_ style: JobOptions.CaptionStyle) -> Double {
        (style == .boxed ? 18 : 7) * placement.fontSize / 84
    }

    /// Lower band: the last baseline, not the tails of its letters, stands on the edge of the safe box, which is 20 %
    /// above the bottom.
    private var verticalMargin: Double {
        switch band {
        case .lower:
            (Double(size.height) - placement.safe.bottom - placement.fontSize * FontMetrics.descentShare).rounded()
        case .upper: placement.safe.top.rounded()
        }
    }

    private func watermarkStyle(for text: String) -> String {
        let width = placement.safe.right - placement.safe.left
        let usual = (placement.fontSize * 0.43).rounded()
        let fits = usual * min(1, width / max(1, FontMetrics.width(of: text, fontSize: usual)))
        // Where the captions are not: the upper right corner of the safe box, or the lower one.
        let alignment = band == .lower ? 9 : 3
        let margin = band == .lower ? placement.safe.top : Double(size.height) - placement.safe.bottom
        let isRightToLeft = text.unicodeScalars.contains(where: SpokenText.isRightToLeft)
        return "Style: Watermark,\(FontMetrics.family),\(number(max(12, fits.rounded(.down)))),&H59FFFFFF,&H59FFFFFF,"
            + "&H802A1F0B,&HFF000000,-1,0,0,0,100,100,0,0,1,\(number(2.5 * placement.fontSize / 84)),0,\(alignment),"
            + "\(number(placement.safe.left)),\(number(Double(size.width) - placement.safe.right)),\(number(margin)),"
            + "\(isRightToLeft ? -1 : 1)"
    }

    // MARK: Events

    /// Sun yellow on an outline, aqua on a box: each is the stronger contrast there.
    private func highlight(_ style: JobOptions.CaptionStyle) -> String? {
        switch style {
        case .classic: "&H47B3FF&"
        case .boxed: "&HBFD42D&"
        case .plain: nil
        }
    }

    private func events(of group: CaptionGroup, _ style: JobOptions.CaptionStyle) -> [String] {
        let shrink = shrinking(group, style)
        guard let colour = highlight(style) else {
            return event(group.start, group.end, shrink + lines(group, marked: nil, colour: ""))
        }
        var events: [String] = []
        for index in group.words.indices {
            // A word stays marked until the next begins: no blinking between words.
            let start = index == 0 ? group.start : group.words[index].start
            let end = index + 1 < group.words.count ? min(group.words[index + 1].start, group.end) : group.end
            events += event(start, end, shrink + lines(group, marked: index, colour: colour))
        }
        return events
    }

    private func event(_ start: Double, _ end: Double, _ text: String) -> [String] {
        // ASS counts hundredths: words that begin in the same one would give an event without length.
        guard hundredths(end) > hundredths(start) else { return [] }
        return ["Dialogue: 1,\(clock(start)),\(clock(end)),Caption,,0,0,0,,\(text)"]
    }

    private func lines(_ group: CaptionGroup, marked: Int?, colour: String) -> String {
        var index = 0
        return group.lines.map { line in
            var text = ""
            var previous: String?
            for word in line {
                let escaped = Self.escaped(word.text)
                if let previous, SpokenText.isSpaced(previous, word.text) { text += " " }
                text += index == marked ? "{\\1c\(colour)}\(escaped){\\1c&HFFFFFF&}" : escaped
                previous = word.text
                index += 1
            }
            return text
        }.joined(separator: "\\N")
    }

    /// A line that is wider than the safe box gets smaller letters instead of leaving the picture.
    private func shrinking(_ group: CaptionGroup, _ style: JobOptions.CaptionStyle) -> String {
        let widest =
            group.lines.map { line in
                FontMetrics.width(of: SpokenText.join(line.map(\.text)), fontSize: placement.fontSize)
            }.max() ?? 0
        let width = placement.safe.right - placement.safe.left - 2 * frame(style)
        guard widest > width else { return "" }
        return "{\\fs\(number(max(8, (placement.fontSize * width / widest).rounded(.down))))}"
    }

    /// Text that libass shows as it is. A backslash before a letter would be an escape, so a zero-width joiner of words
    /// (U+2060) parts them; braces would open an override block.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\\u{2060}"
            case "{": escaped += "\\{"
            case "}": escaped += "\\}"
            case _ where character.isNewline: escaped += " "
            default: escaped.append(character)
            }
        }
        return escaped
    }

    private func hundredths(_ seconds: Double) -> Int { max(0, Int((min(seconds, clipSeconds) * 100).rounded())) }

    private func clock(_ seconds: Double) -> String {
        let all = hundredths(seconds)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(all / 360_000):\(two(all / 6000 % 60)):\(two(all / 100 % 60)).\(two(all % 100))"
    }

    /// Whole numbers without a point, others with one digit.
    private func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
