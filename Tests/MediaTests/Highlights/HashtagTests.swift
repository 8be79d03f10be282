import ClipModel
import Media
import Testing

@Suite struct HashtagTests {
    private func transcript(_ text: String, language: String) -> Transcript {
        Transcript(language: language, words: CaptionSamples.words(text))
    }

    private let talk = """
        Hola a todos y bienvenidos una semana más. Hoy hablamos de comida, de viajes y de amigos que viajan. \
        La comida de aquí es buena, los viajes son largos y los amigos son pocos. El cerebro consolida la memoria \
        mientras dormimos. Cada año dormimos menos, y la memoria a corto plazo lo paga: sin sueño profundo la memoria \
        a corto plazo falla. Nadie recupera el sueño perdido ni vende sueño. \
        Matthew Walker lo explica en Berkeley. Y luego volvemos a la comida y a los viajes con los amigos de siempre.
        """

    private func range(_ transcript: Transcript, from first: String, to last: String) -> TimeRange {
        let start = transcript.words.first { $0.text == first }?.start ?? 0
        let end = transcript.words.last { $0.text == last }?.end ?? 0
        return TimeRange(start: start, end: end)
    }

    @Test func `what the clip is about comes first, with its accents, and without stop words`() {
        let transcript = transcript(talk, language: "es")
        let clip = range(transcript, from: "cerebro", to: "Berkeley.")
        let tags = Hashtags.suggest(transcript, in: clip, keywords: [])
        #expect((3...5).contains(tags.count))
        #expect(tags.contains("memoria"), "\(tags)")
        #expect(Set(tags).isDisjoint(with: ["cada", "sin", "mientras", "lo", "comida", "viajes", "amigos"]), "\(tags)")
        #expect(tags.contains("sueño") && !tags.contains("sueno"), "\(tags)")
        #expect(tags.allSatisfy { $0.allSatisfy { $0.isLetter || $0.isNumber } })
    }

    @Test func `keywords that are said lead, several words as one tag`() {
        let transcript = transcript(talk, language: "es")
        let clip = range(transcript, from: "cerebro", to: "Berkeley.")
        let tags = Hashtags.suggest(transcript, in: clip, keywords: ["sueño profundo", "cafeína"])
        #expect(tags.first == "SueñoProfundo")
        #expect(!tags.contains("sueño") && !tags.contains("profundo") && !tags.contains("cafeína"), "\(tags)")
    }

    @Test func `the same in the same order, whatever is said, and nothing of nothing`() {
        var generator = TalkGenerator(seed: 3, language: "en", hasMarks: true)
        let talk = generator.talk(seconds: 200, plants: 2).transcript
        let clip = TimeRange(start: 40, end: 75)
        let tags = Hashtags.suggest(talk, in: clip, keywords: [])
        #expect(tags.count <= 5)
        #expect(tags == Hashtags.suggest(talk, in: clip, keywords: []))
        #expect(Hashtags.suggest(talk, in: TimeRange(start: 5000, end: 5010), keywords: []).isEmpty)
        #expect(Hashtags.suggest(Transcript(language: "und", words: []), in: clip, keywords: ["a"]).isEmpty)
    }
}
