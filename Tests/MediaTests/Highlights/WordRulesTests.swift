import Media
import Testing

struct WordRulesTests {
    @Test(arguments: [
        ("en", "companies", "company"), ("en", "running", "run"), ("en", "stories", "story"), ("en", "planned", "plan"),
        ("es", "canciones", "canción"), ("es", "luces", "luz"), ("es", "niñas", "niño"),
        ("pt", "ações", "ação"), ("pt", "animais", "animal"), ("pt", "homens", "homem"), ("pt", "mulheres", "mulher"),
    ])
    func `inflected forms share a stem`(language: String, inflected: String, base: String) {
        let stems = [inflected, base].map { Stemmer.stem(SpokenText.fold($0), language: language) }
        #expect(stems[0] == stems[1])
    }

    @Test(arguments: [("en", "universe", "university"), ("es", "casa", "casco"), ("pt", "mão", "mal")])
    func `other words do not`(language: String, one: String, other: String) {
        #expect(
            Stemmer.stem(SpokenText.fold(one), language: language)
                != Stemmer.stem(SpokenText.fold(other), language: language))
    }

    @Test(arguments: [
        ("ÉNFASIS", "enfasis"), ("Größe", "grosse"), ("Œuvre", "oeuvre"), ("İstanbul", "istanbul"),
        ("हिन्दी", "हिन्दी"), ("e\u{301}l", "el"), ("한국어", "한국어"),
    ])
    func `folding drops accents of Latin letters only`(text: String, folded: String) {
        #expect(SpokenText.fold(text) == folded)
    }

    @Test func `words are joined as they are written`() {
        #expect(SpokenText.join(["¿", "Qué", "pasa", "?"]) == "¿Qué pasa?")
        #expect(SpokenText.join(["今天", "2026", "年"]) == "今天 2026 年" || SpokenText.join(["今天", "天气"]) == "今天天气")
        #expect(SpokenText.join(["it", "'s", "3", ".5", "%"]) == "it's 3.5%")
    }
}
