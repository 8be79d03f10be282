import ClipModel
import Media
import Testing

struct KeywordMatcherTests {
    private func hits(_ keywords: [String], in text: String, language: String) -> [String] {
        let words = text.split(separator: " ").enumerated().map { index, word in
            Word(text: String(word), start: Double(index), end: Double(index) + 0.5, probability: 1)
        }
        let speech = SpeechText(Transcript(language: language, words: words), durationSeconds: 900, language: "auto")
        return KeywordMatcher(keywords).hits(in: speech).map { hit in
            SpokenText.join(words[hit.words].map(\.text))
        }
    }

    // The app before never matched accented keywords nor keywords of several words.
    @Test(arguments: [
        ("es", ["educacion"], "La Educación, por fin.", ["Educación,"]),
        ("es", ["educación"], "EDUCACION primero", ["EDUCACION"]),
        (
            "es", ["inteligencia artificial"], "la Inteligencia Artificial, y las inteligencias artificiales.",
            ["Inteligencia Artificial,", "inteligencias artificiales."]
        ),
        ("es", ["niño"], "los niños y la niña", ["niños", "niña"]),
        ("pt", ["ação"], "as ações da empresa", ["ações"]),
        (
            "en", ["machine learning"], "Machine learning, machine-learning and learning machines",
            ["Machine learning,", "machine-learning"]
        ),
        ("en", ["don't panic"], "Don’t panic!", ["Don’t panic!"]),
        ("en", ["c++"], "we use C++ and c", ["C++", "c"]),
        ("zh", ["人工智能"], "今天 聊 人工 智能 的 未来", ["人工智能"]),
        ("de", ["straße"], "die STRASSE und die Straße", ["STRASSE", "Straße"]),
        ("ru", ["Ёлка"], "новая елка", ["елка"]),
        ("en", ["...", " "], "nothing matches marks ...", []),
        ("en", ["cat"], "category concatenates", []),
    ])
    func `keywords match without case, accents and inflection`(
        language: String, keywords: [String], text: String, expected: [String]
    ) {
        #expect(hits(keywords, in: text, language: language) == expected)
    }

    @Test func `hits come in order of time`() {
        #expect(hits(["b", "a"], in: "a b a", language: "en") == ["a", "b", "a"])
    }
}
