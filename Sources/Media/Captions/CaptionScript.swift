import ClipModel

/// Writes an ASS script: one event for every state of a group, so that the word being spoken is marked without relying
/// on a player's karaoke effects, and a line never moves while it is on screen.
struct CaptionScript {
    let size: PixelSize
    let placement: CaptionPlacement
    let bands: CaptionBands
    let clipSeconds: Double
    /// Nil: no captions.
    let design: CaptionDesign?
    let watermark: String?

    /// Layers lie above each other in this order; libass keeps events apart inside one layer only.
    private enum Layer: Int { case watermark, underlay, captions }

    func text(_ groups: [CaptionGroup]) -> String {
        let isRightToLeft = groups.contains { group in
            group.words.contains { $0.text.unicodeScalars.contains(where: SpokenText.isRightToLeft) }
        }
        var lines = head()
        if let design { lines += styles(design, isRightToLeft: isRightToLeft) }
        if let watermark { lines.append(watermarkStyle(for: watermark)) }
        lines += [
            "", "[Events]", "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
        ]
        if let watermark, clipSeconds > 0 {
            lines.append(
                "Dialogue: \(Layer.watermark.rawValue),\(clock(0)),\(clock(clipSeconds)),Watermark,,0,0,0,,"
                    + Self.escaped(watermark))
        }
        if let design {
            for group in groups { lines += events(of: group, design) }
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

    private func styles(_ design: CaptionDesign, isRightToLeft: Bool) -> [String] {
        let frame = design.frame * placement.scale
        let shade = design.shade ?? design.outline
        // BorderStyle 4 is libass's one box behind all lines; its padding is the shadow's distance.
        let letters = style(
            "Caption", design,
            colours: "&H00\(design.text),&H00\(design.text),&H00\(design.outline),"
                + (design.isBoxed ? "&H38\(shade)" : "&H60\(shade)"),
            border: design.isBoxed ? 4 : 1, outline: design.isBoxed ? 0 : frame,
            shadow: design.isBoxed ? frame : design.shadow.map { $0 * placement.scale } ?? frame * 2 / 7,
            isRightToLeft: isRightToLeft)
        guard let underlay = design.underlay else { return [letters] }
        let colour = underlay.usual ?? underlay.spoken
        return [
            style(
                "Underlay", design, colours: "&HFF\(colour),&HFF\(colour),&H00\(colour),&HFF\(colour)", border: 1,
                outline: underlay.width * placement.scale, shadow: 0, isRightToLeft: isRightToLeft),
            letters,
        ]
    }

    private func style(
        _ name: String, _ design: CaptionDesign, colours: String, border: Int, outline: Double, shadow: Double,
        isRightToLeft: Bool
    ) -> String {
        // Encoding -1 lets libass find the direction of each line by its letters.
        "Style: \(name),\(design.typeface.family),\(number(placement.fontSize)),\(colours),"
            + "\(design.typeface.isBold ? -1 : 0),0,0,0,100,100,\(number(design.spacing * placement.scale)),0,"
            + "\(border),\(number(outline)),\(number(shadow)),\(alignment(bands.usual)),\(number(placement.safe.x)),"
            + "\(number(Double(size.width) - placement.safe.right)),\(number(verticalMargin(bands.usual))),"
            + "\(isRightToLeft ? -1 : 1)"
    }

    private func alignment(_ band: CaptionPlacement.Band) -> Int { band == .lower ? 2 : 8 }

    /// Lower band: the last baseline, not the tails of its letters, stands on the edge of the safe box, which is 20 %
    /// above the bottom. Upper band: below the watermark, where that stands above.
    private func verticalMargin(_ band: CaptionPlacement.Band) -> Double {
        switch band {
        case .lower:
            let descent = placement.fontSize * (design?.typeface.descentShare ?? 0)
            return (Double(size.height) - placement.safe.bottom - descent).rounded()
        case .upper:
            let isTaken = watermark != nil && isWatermarkAbove
            return (placement.safe.y + (isTaken ? 1.4 * placement.watermarkSize : 0)).rounded()
        }
    }

    /// The watermark stands where the captions do not; where they change places, above.
    private var isWatermarkAbove: Bool { bands.usual == .lower || !bands.changes.isEmpty }

    private func watermarkStyle(for text: String) -> String {
        let width = placement.safe.width
        let usual = placement.watermarkSize
        let fits = usual * min(1, width / max(1, Typeface.dejaVu.width(of: text, fontSize: usual)))
        // In the upper right corner of the safe box, or the lower one.
        let alignment = isWatermarkAbove ? 9 : 3
        let margin = isWatermarkAbove ? placement.safe.y : Double(size.height) - placement.safe.bottom
        let isRightToLeft = text.unicodeScalars.contains(where: SpokenText.isRightToLeft)
        return "Style: Watermark,\(Typeface.dejaVu.family),\(number(max(12, fits.rounded(.down)))),"
            + "&H59FFFFFF,&H59FFFFFF,&H802A1F0B,&HFF000000,-1,0,0,0,100,100,0,0,1,\(number(2.5 * placement.scale)),0,"
            + "\(alignment),\(number(placement.safe.x)),\(number(Double(size.width) - placement.safe.right)),"
            + "\(number(margin)),\(isRightToLeft ? -1 : 1)"
    }

    // MARK: Events

    /// The states of a group: no word spoken, where the design shows none, or each word in turn.
    private func events(of group: CaptionGroup, _ design: CaptionDesign) -> [String] {
        guard design.spoken != nil || design.underlay != nil else {
            return event(group, group.start, group.end, .captions, letters(group, design, spoken: nil))
        }
        var events: [String] = []
        for index in group.words.indices {
            // A word stays marked until the next begins: no blinking between words.
            let start = index == 0 ? group.start : group.words[index].start
            let end = index + 1 < group.words.count ? min(group.words[index + 1].start, group.end) : group.end
            let pop = index == 0 && design.pops ? "{\\fscx86\\fscy86\\t(0,110,\\fscx100\\fscy100)}" : ""
            if let underlay = design.underlay {
                let glow = pop + below(group, design, underlay, spoken: index)
                events += event(group, start, end, .underlay, glow)
            }
            events += event(group, start, end, .captions, pop + letters(group, design, spoken: index))
        }
        return events
    }

    private func event(
        _ group: CaptionGroup, _ start: Double, _ end: Double, _ layer: Layer, _ text: String
    ) -> [String] {
        // ASS counts hundredths: words that begin in the same one would give an event without length.
        guard hundredths(end) > hundredths(start) else { return [] }
        let band = bands.band(at: (group.start + group.end) / 2)
        let isMoved = band != bands.usual
        let place = isMoved ? "{\\an\(alignment(band))}" : ""
        let margin = isMoved ? number(verticalMargin(band)) : "0"
        let name = layer == .underlay ? "Underlay" : "Caption"
        return [
            "Dialogue: \(layer.rawValue),\(clock(start)),\(clock(end)),\(name),,0,0,\(margin),,"
                + place + shrinking(group) + text
        ]
    }

    private func letters(_ group: CaptionGroup, _ design: CaptionDesign, spoken: Int?) -> String {
        let voice = voice(of: group, design)
        let (text, outline) = (voice?.text ?? design.text, voice?.outline ?? design.outline)
        var before = design.blur > 0 ? "{\\blur\(number(design.blur * placement.scale))}" : ""
        if voice != nil { before += "{\\1c&H\(text)&" + (outline == design.outline ? "}" : "\\3c&H\(outline)&}") }
        return before
            + lines(group) { index, word in
                let isSpoken = index == spoken && !isAlone(group, design)
                if design.tintsOutline, let underlay = design.underlay {
                    guard let colour = isSpoken ? underlay.spoken : word.isEmphasised ? underlay.emphasis : nil else {
                        return nil
                    }
                    return ("\\3c&H\(colour)&", "\\3c&H\(outline)&")
                }
                guard let colour = (isSpoken ? design.spoken : nil) ?? (word.isEmphasised ? design.emphasis : nil)
                else { return nil }
                return ("\\1c&H\(colour)&", "\\1c&H\(text)&")
            }
    }

    /// Whoever comes after the last colour is not told apart: two people never have the same one.
    private func voice(of group: CaptionGroup, _ design: CaptionDesign) -> CaptionDesign.Voice? {
        group.speaker.flatMap { $0 <= design.voices.count ? design.voices[$0 - 1] : nil }
    }

    /// A word that is all there is to see of its speaker's colour: marked as spoken it would show none of it.
    private func isAlone(_ group: CaptionGroup, _ design: CaptionDesign) -> Bool {
        group.words.count == 1 && voice(of: group, design) != nil
    }

    private func below(_ group: CaptionGroup, _ design: CaptionDesign, _ underlay: CaptionDesign.Underlay, spoken: Int)
        -> String
    {
        let blur = "\\blur\(number(underlay.blur * placement.scale))"
        let width = underlay.width * placement.scale
        guard var usual = underlay.usual else {
            // Only the word being spoken has one, which grows out of the letters.
            let grown = "\\3a&H00&\\bord\(number(width / 3))\\t(0,90,\\bord\(number(width)))"
            return "{\(blur)\\3a&HFF&}"
                + lines(group) { index, _ in
                    index == spoken ? (grown, "\\3a&HFF&\\bord\(number(width))") : nil
                }
        }
        var before = "{\(blur)}"
        if let colour = voice(of: group, design)?.underlay {
            usual = colour
            before += "{\\3c&H\(usual)&}"
        }
        return before
            + lines(group) { index, word in
                let isSpoken = index == spoken && !isAlone(group, design)
                guard let colour = isSpoken ? underlay.spoken : word.isEmphasised ? underlay.emphasis : nil
                else { return nil }
                return ("\\3c&H\(colour)&", "\\3c&H\(usual)&")
            }
    }

    /// The words of a group; `mark` gives what stands before and after one that looks different.
    private func lines(
        _ group: CaptionGroup, mark: (Int, CaptionWord) -> (before: String, after: String)?
    ) -> String {
        var index = 0
        return group.lines.map { line in
            var text = ""
            var previous: String?
            for word in line {
                let escaped = Self.escaped(word.text)
                if let previous, SpokenText.isSpaced(previous, word.text) { text += " " }
                text += mark(index, word).map { "{\($0.before)}\(escaped){\($0.after)}" } ?? escaped
                previous = word.text
                index += 1
            }
            return text
        }.joined(separator: "\\N")
    }

    /// A line that is wider than the safe box gets smaller letters instead of leaving the picture.
    private func shrinking(_ group: CaptionGroup) -> String {
        guard let design else { return "" }
        let widest =
            group.lines.map { line in
                let text = SpokenText.join(line.map(\.text))
                return design.typeface.width(of: text, fontSize: placement.fontSize)
                    + Double(text.count) * design.spacing * placement.scale
            }.max() ?? 0
        let around = max(design.frame, design.underlay.map { $0.width + $0.blur / 2 } ?? 0) * placement.scale
        let width = placement.safe.width - 2 * around
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
