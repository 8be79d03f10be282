import ClipModel
import Media
import Testing

struct CaptionPhrasingTests {
    private let portrait = JobOptions.Aspect.portrait.pixels

    private func lines(_ text: String, _ style: JobOptions.CaptionStyle = .plain) -> [ShownCaption] {
        ShownCaption.inScript(CaptionSamples.track(text).ass(style: style, size: portrait))
    }

    @Test(arguments: [
        (
            "en",
            "The reason that nobody tells you is in the first of these three chapters of a book about the sea and men"
        ),
        (
            "es",
            "La razón por la que nadie te lo dice está en el primero de los tres capítulos de un libro sobre el mar y "
                + "los hombres que viven de la pesca"
        ),
        (
            "pt",
            "A razão que ninguém lhe conta está no primeiro dos três capítulos de um livro sobre o mar e os homens que "
                + "vivem da pesca"
        ),
    ])
    func `lines seldom end in a word that leans on the next`(language: String, text: String) {
        let leaning = Set("the a of in el la los de un por que o da dos um no em y e and".split(separator: " "))
        let shown = lines(text)
        let lines = shown.flatMap(\.lines)
        let bad = lines.dropLast().filter { $0.split(separator: " ").last.map(leaning.contains) ?? false }
        #expect(bad.count * 4 <= lines.count, "\(lines)")
    }

    @Test(arguments: [
        "Cuesta 3.5 millones de euros al año", "Son 10 000 km de costa entera", "Vale 50 € cada uno de ellos",
    ])
    func `a number stays with what it counts`(text: String) {
        let all = lines(text).flatMap(\.lines)
        for pair in ["3.5 millones", "10 000 km", "50\u{A0}€"]
        where text.replacing("\u{A0}", with: " ").contains(
            pair.replacing("\u{A0}", with: " "))
        {
            #expect(all.contains { $0.contains(pair) }, "\(all)")
        }
    }

    @Test func `signs of currency join their number`() {
        let words = ["$", "5", "y", "20", "€", "o", "R$", "7", ",", "€", "no"].enumerated().map {
            Word(text: $1, start: Double($0) * 0.3, end: Double($0) * 0.3 + 0.25, probability: 1)
        }
        let track = CaptionTrack(words: words, clip: TimeRange(start: 0, end: 9))
        #expect(
            ShownCaption.inFile(track.srt()).flatMap(\.lines).joined(separator: " ")
                == "$5 y 20\u{A0}€ o R$7, € no")
    }

    @Test func `no line begins with a mark or a small kana`() {
        let words = ["きょう", "は", "、", "「", "とっても", "」", "いい", "天気", "で", "し", "た", "ね", "。"].enumerated().map {
            Word(text: $1, start: Double($0) * 0.18, end: Double($0) * 0.18 + 0.17, probability: 1)
        }
        let track = CaptionTrack(words: words, clip: TimeRange(start: 0, end: 4), language: "ja")
        let shown = ShownCaption.inScript(track.ass(style: .plain, size: portrait)).flatMap(\.lines)
        #expect(shown.allSatisfy { !"、。」ーっゃゅょ".contains($0.first ?? "。") && $0.last != "「" }, "\(shown)")
        #expect(shown.joined() == "きょうは、「とっても」いい天気でしたね。")
    }

    @Test func `a sentence without spaces that came as one word is taken apart`() {
        let text = "人工智能正在改变我们每一个人的生活方式，而且它的发展速度比任何人预想的都要快得多。"
        let track = CaptionTrack(
            words: [Word(text: text, start: 0, end: 8, probability: 1)], clip: TimeRange(start: 0, end: 8.5),
            language: "zh")
        let shown = ShownCaption.inScript(track.ass(style: .plain, size: portrait))
        #expect(shown.count >= 5)
        for group in shown {
            #expect(group.end - group.start <= 1.401)
            for line in group.lines { #expect(line.count <= 9 && !"，。".contains(line.first ?? "。"), "\(line)") }
        }
        #expect(shown.flatMap(\.lines).joined() == text)
    }

    @Test func `a few words stand out: keywords, numbers, extremes`() {
        let words = CaptionSamples.words(
            "La inteligencia artificial nunca duerme y eso lo sabemos todos. El 90 % de la gente la usa a diario sin "
                + "saber que nadie la entiende.")
        let clip = TimeRange(start: 0, end: words[words.count - 1].end + 0.5)
        let track = CaptionTrack(words: words, clip: clip, language: "es", keywords: ["Inteligencias Artificiales"])
        let script = track.ass(style: .headline, size: portrait)
        let marked = Set(script.matches(of: /\{\\1c&H6B8CFF&\}([^{]*)\{/).map { String($0.output.1) })
        #expect(marked == ["INTELIGENCIA", "ARTIFICIAL", "90%", "NADIE"])
        #expect(!track.ass(style: .classic, size: portrait).contains("6B8CFF"))
    }

    @Test func `pictograms stay out of the picture and in the files`() {
        let track = CaptionSamples.track("Hola 🎉 mundo👍🏽 adiós")
        #expect(lines("Hola 🎉 mundo👍🏽 adiós").flatMap(\.lines).joined(separator: " ") == "Hola mundo adiós")
        #expect(track.srt().contains("🎉"))
    }

    @Test func `a poster shouts, in the capitals of the language`() {
        let turkish = CaptionTrack(
            words: CaptionSamples.words("iyi akşamlar"), clip: TimeRange(start: 0, end: 3), language: "tr")
        #expect(
            ShownCaption.inScript(turkish.ass(style: .headline, size: portrait)).first?.lines.joined(separator: " ")
                == "İYİ AKŞAMLAR")
    }
}
