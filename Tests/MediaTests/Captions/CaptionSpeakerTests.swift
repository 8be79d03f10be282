import ClipModel
import Foundation
import Media
import Testing

/// Who says a word is seen: in its colour, in its line, and in the voices of WebVTT.
@Suite struct CaptionSpeakerTests {
    private typealias Turn = (speaker: Int, start: Double, end: Double)
    private static let portrait = JobOptions.Aspect.portrait.pixels
    private static let eight = "uno dos tres cuatro cinco seis siete ocho"
    /// Four of the eight words each.
    private static let halves: [Turn] = [(1, 0, 2), (2, 2, 4)]

    /// A word of 0.4 s every half second.
    private func words(_ text: String) -> [Word] {
        text.split(separator: " ").enumerated().map { index, word in
            let start = 0.5 * Double(index)
            return Word(text: String(word), start: start, end: start + 0.4, probability: 1)
        }
    }

    private func track(_ text: String, _ turns: [Turn], keywords: [String] = []) -> CaptionTrack {
        let words = words(text)
        let clip = TimeRange(start: 0, end: 0.5 * Double(words.count) + 1)
        return CaptionTrack(words: words, clip: clip, language: "es", keywords: keywords).spoken(by: self.turns(turns))
    }

    private func turns(_ turns: [Turn]) -> [Framing.Turn] {
        turns.map { Framing.Turn(range: TimeRange(start: $0.start, end: $0.end), speaker: $0.speaker) }
    }

    /// The texts of a script's events, with their markup.
    private func texts(_ script: String, _ style: String = "Caption") -> [String] {
        script.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ",", maxSplits: 9, omittingEmptySubsequences: false)
            return line.hasPrefix("Dialogue: ") && fields[3] == style ? String(fields[9]) : nil
        }
    }

    /// What every word of a style without highlights is drawn in; nil: in the colour of the style.
    private func colours(_ track: CaptionTrack) -> [String: String] {
        var colours: [String: String] = [:]
        for text in texts(track.ass(style: .plain, size: Self.portrait)) {
            guard let match = text.firstMatch(of: /^\{\\1c&H([0-9A-F]{6})&\}/) else { continue }
            for word in text[match.range.upperBound...].replacing("\\N", with: " ").split(separator: " ") {
                colours[String(word)] = String(match.output.1)
            }
        }
        return colours
    }

    // MARK: Who says what

    @Test func `words are drawn in the colour of who speaks, and no line mixes two`() {
        let track = track(Self.eight, Self.halves)
        let found = colours(track)
        #expect(["uno", "dos", "tres", "cuatro"].allSatisfy { found[$0] == "FFC87C" }, "\(found)")
        #expect(["cinco", "seis", "siete", "ocho"].allSatisfy { found[$0] == "8CF08C" }, "\(found)")
        for shown in ShownCaption.inScript(track.ass(style: .plain, size: Self.portrait)) {
            let text = shown.lines.joined(separator: " ")
            #expect(!(text.contains("cuatro") && text.contains("cinco")), "\(text)")
        }
    }

    @Test func `WebVTT names the voices and SRT does not`() {
        let track = track(Self.eight, Self.halves)
        #expect(
            track.vtt() == """
                WEBVTT

                00:00:00.000 --> 00:00:02.000
                <v Speaker 1>uno dos tres cuatro</v>

                00:00:02.000 --> 00:00:04.500
                <v Speaker 2>cinco seis siete ocho</v>


                """)
        #expect(!track.srt().contains("<v"))
        #expect(track.srt().contains("\nuno dos tres cuatro\n"))
    }

    @Test func `a word whose speaker nobody knows keeps the colour of the style and has no voice`() {
        // "tres" ends 0.4 s behind the first turn, with its middle 0.2 s behind it; "seis" is 0.3 s from the second.
        let track = track(Self.eight, [(1, 0, 1), (2, 3, 4)])
        let found = colours(track)
        #expect(found["tres"] == "FFC87C" && found["siete"] == "8CF08C")
        #expect(["cuatro", "cinco", "seis"].allSatisfy { found[$0] == nil }, "\(found)")
        #expect(track.vtt().contains("\n<v Speaker 1>uno dos tres</v>\n"))
        #expect(track.vtt().contains("\ncuatro cinco seis\n"))
        #expect(track.vtt().contains("\n<v Speaker 2>siete ocho</v>\n"))
    }

    @Test func `where one speaks alone nothing is told apart`() {
        let plain = track(Self.eight, [])
        #expect(track(Self.eight, [(1, 0, 4)]) == plain)
        // The other is heard where there are no words.
        #expect(track(Self.eight, [(1, 0, 4), (2, 4.4, 5)]) == plain)
        #expect(track(Self.eight, Self.halves) != plain)
    }

    @Test(arguments: [0.6, 1.3])
    func `a change a word beside the end of a sentence is at the end of the sentence`(change: Double) {
        // By their middles "verdad." were the second's at 0.6, and "Claro" the first's at 1.3.
        let found = colours(track("es verdad. Claro que sí", [(1, 0, change), (2, change, 3)]))
        #expect(found["es"] == "FFC87C" && found["verdad."] == "FFC87C")
        #expect(["Claro", "que", "sí"].allSatisfy { found[$0] == "8CF08C" }, "\(found)")
    }

    @Test func `a word that ends before the change stays with who said it`() {
        let found = colours(track("es verdad. Claro que sí", [(1, 0, 1.6), (2, 1.6, 3)]))
        #expect(found["Claro"] == "FFC87C" && found["que"] == "8CF08C", "\(found)")
    }

    @Test func `a line that a client wrote for two has both voices`() {
        let heard = words("uno dos tres cuatro")
        let clip = TimeRange(start: 0, end: 3)
        let line = ClipEdits.Caption(start: 0, end: 3, text: "Uno & dos tres cuatro")
        let same = ClipEdits.Caption(start: 0, end: 3, text: "Uno dos, tres cuatro")
        let turns = turns([(1, 0, 1), (2, 1, 2)])
        func vtt(_ caption: ClipEdits.Caption) -> String {
            CaptionTrack(edited: [caption], heard: heard, clip: clip).spoken(by: turns).vtt()
        }
        #expect(vtt(same).contains("\n<v Speaker 1>Uno dos,</v> <v Speaker 2>tres cuatro</v>\n"))
        // Times by letters: 17 of them in 3 s, so the middle of "dos" is at 0.97 s and that of "tres" at 1.59 s.
        #expect(vtt(line).contains("\n<v Speaker 1>Uno &amp; dos</v> <v Speaker 2>tres"), "\(vtt(line))")
    }

    // MARK: What marks words

    @Test func `the word being spoken is marked among the words of both`() {
        let classic = track(Self.eight, Self.halves).ass(style: .classic, size: Self.portrait)
        #expect(classic.contains("{\\1c&H47B3FF&}dos{\\1c&HFFC87C&}"))
        #expect(classic.contains("{\\1c&H47B3FF&}seis{\\1c&H8CF08C&}"))
        let neon = track(Self.eight, Self.halves).ass(style: .neon, size: Self.portrait)
        for (word, outline, glow) in [("dos", "005AD6", "006AFF"), ("seis", "FF3D8B", "FF3D8B")] {
            let mark = "{\\3c&HB414F0&}\(word){\\3c&H"
            #expect(texts(neon).contains { $0.contains(mark + outline + "&}") }, "\(word)")
            #expect(texts(neon, "Underlay").contains { $0.contains(mark + glow + "&}") }, "\(word)")
        }
        let pop = track(Self.eight, Self.halves).ass(style: .pop, size: Self.portrait)
        #expect(texts(pop).contains { $0.contains("{\\1c&H8CF08C&}") })
        #expect(texts(pop, "Underlay").contains { $0.contains(")}seis{") })
    }

    @Test func `words that matter are marked among the words of both`() {
        let track = track(Self.eight, Self.halves, keywords: ["dos", "siete"])
        let pop = track.ass(style: .pop, size: Self.portrait)
        #expect(pop.contains("{\\1c&H3DE6FF&}dos{\\1c&HFFC87C&}"))
        #expect(pop.contains("{\\1c&H3DE6FF&}siete{\\1c&H8CF08C&}"))
    }

    @Test func `a word alone is drawn in the colour of its speaker and not as the spoken one`() {
        let turns: [Turn] = [(1, 0, 1.5), (2, 1.5, 2), (1, 2, 3)]
        let told = track("uno dos tres no cuatro cinco", turns)
        #expect(texts(told.ass(style: .classic, size: Self.portrait)).contains("{\\1c&H8CF08C&}no"))
        #expect(texts(told.ass(style: .neon, size: Self.portrait), "Underlay").contains { $0.hasSuffix("&}no") })
        let plain = track("no", []).ass(style: .classic, size: Self.portrait)
        #expect(texts(plain) == ["{\\1c&H47B3FF&}no{\\1c&HFFFFFF&}"])
    }

    @Test func `captions invent no emoji`() {
        let track = track("¡Fuego! El dinero y el amor: 100 veces mejor.", [], keywords: ["fuego", "amor", "dinero"])
        let drawn = JobOptions.CaptionStyle.allCases.map { track.ass(style: $0, size: Self.portrait) }
        for text in drawn + [track.srt(), track.vtt()] {
            #expect(!text.unicodeScalars.contains { $0.properties.isEmojiPresentation })
        }
    }

    // MARK: Contrast

    /// The looks of three speakers in one style, as the script has them.
    private struct Looks {
        var shade: Color
        var letters: [Color]
        var outlines: [Color]
        var usual: (letters: Color, outline: Color)
        /// Of words being spoken and words that matter: letters, and outlines.
        var marks: (letters: Set<Color>, outlines: Set<Color>)
    }

    private func looks(_ style: JobOptions.CaptionStyle) throws -> Looks {
        // Twelve words in three turns, and one word of each that matters.
        let text = "uno dos tres cuatro cinco seis siete ocho nueve diez once doce"
        let script = track(text, [(1, 0, 2), (2, 2, 4), (3, 4, 6)], keywords: ["dos", "siete", "doce"])
            .ass(style: style, size: Self.portrait)
        let line = try #require(script.split(separator: "\n").first { $0.hasPrefix("Style: Caption,") })
        let fields = line.split(separator: ",")
        func colour(_ text: some StringProtocol) throws -> Color { try #require(Color(String(text.suffix(6)))) }
        let usual = (letters: try colour(fields[3]), outline: try colour(fields[5]))
        var looks = Looks(shade: try colour(fields[6]), letters: [], outlines: [], usual: usual, marks: ([], []))
        for word in ["dos", "siete", "doce"] {
            let cased = style == .headline ? word.uppercased() : word
            let event = try #require(texts(script).first { $0.contains(cased) })
            let letters = event.firstMatch(of: /\\1c&H([0-9A-F]{6})&/)?.output.1
            looks.letters.append(try letters.map(colour) ?? usual.letters)
            let outline = event.firstMatch(of: /\\3c&H([0-9A-F]{6})&/)?.output.1
            looks.outlines.append(try outline.map(colour) ?? usual.outline)
        }
        for event in texts(script) {
            for match in event.matches(of: /\{\\1c&H([0-9A-F]{6})&\}[^{}]+\{/) {
                let found = try colour(match.output.1)
                if !looks.letters.contains(found) { looks.marks.letters.insert(found) }
            }
            for match in event.matches(of: /\{\\3c&H([0-9A-F]{6})&\}[^{}]+\{/) {
                let found = try colour(match.output.1)
                if !looks.outlines.contains(found) { looks.marks.outlines.insert(found) }
            }
        }
        return looks
    }

    @Test(arguments: JobOptions.CaptionStyle.allCases)
    func `letters or what is around them stand out from any picture`(style: JobOptions.CaptionStyle) throws {
        let looks = try looks(style)
        for (letters, outline) in zip(looks.letters, looks.outlines) {
            // From 9 : 1 on, no picture is nearer than 3 : 1 to both.
            #expect(letters.contrast(to: looks.shade) >= 9, "\(letters)")
            #expect(letters.contrast(to: outline) >= 3, "\(letters)")
        }
    }

    @Test(arguments: JobOptions.CaptionStyle.allCases)
    func `speakers do not look alike, nor like what is marked`(style: JobOptions.CaptionStyle) throws {
        let looks = try looks(style)
        #expect(looks.letters.count == 3)
        let letters = looks.letters + [looks.usual.letters], outlines = looks.outlines + [looks.usual.outline]
        for one in letters.indices {
            for other in letters.indices.dropFirst(one + 1) {
                let far = max(
                    letters[one].distance(to: letters[other]), outlines[one].distance(to: outlines[other]))
                #expect(far >= 35, "\(one) and \(other)")
            }
        }
        let marked = looks.marks.letters.union(looks.marks.outlines)
        #expect(marked.isEmpty == (style == .plain))
        for mark in looks.marks.letters { #expect(letters.allSatisfy { $0.distance(to: mark) >= 35 }, "\(mark)") }
        for mark in looks.marks.outlines { #expect(outlines.allSatisfy { $0.distance(to: mark) >= 35 }, "\(mark)") }
    }
}

/// A colour of an ASS script: blue, green and red, in two hexadecimal digits each.
private struct Color: Hashable {
    /// Red, green and blue in linear light, 0 to 1.
    private let linear: [Double]

    init?(_ text: String) {
        guard text.count == 6, let value = Int(text, radix: 16) else { return nil }
        linear = [value & 255, value >> 8 & 255, value >> 16].map { byte in
            let share = Double(byte) / 255
            return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
        }
    }

    /// Relative luminance of WCAG 2.
    private var luminance: Double { 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] }

    func contrast(to other: Color) -> Double {
        (max(luminance, other.luminance) + 0.05) / (min(luminance, other.luminance) + 0.05)
    }

    /// In CIE 1976 L*a*b*, where 2 is just seen side by side.
    func distance(to other: Color) -> Double {
        zip(lab, other.lab).map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot()
    }

    private var lab: [Double] {
        func bent(_ share: Double) -> Double {
            share > 216.0 / 24389 ? pow(share, 1.0 / 3) : (24389.0 / 27 * share + 16) / 116
        }
        let (red, green, blue) = (linear[0], linear[1], linear[2])
        let x = bent((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047)
        let y = bent(luminance)
        let z = bent((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883)
        return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
    }
}
