import ClipModel
import Media
import Testing

@Suite struct WordAssemblerTests {
    private func words(_ tokens: [SpokenToken], _ language: String = "en") -> [String] {
        WordAssembler.words(of: tokens, language: language).map(\.text)
    }

    private func tokens(_ texts: String...) -> [SpokenToken] {
        texts.enumerated().map { SpeechSamples.token($1, Double($0 + 1)) }
    }

    @Test func `a word starts where the token before it ends`() {
        let drafts = WordAssembler.words(of: tokens(" And", " so", ",", " my"), language: "en")
        #expect(drafts.map(\.text) == ["And", "so,", "my"])
        #expect(drafts.map(\.start) == [0, 1, 3])
        #expect(drafts.map(\.end) == [1, 3, 4])
    }

    @Test func `parts of a word are joined and their probabilities averaged`() {
        let parts = [SpeechSamples.token(" dev", 1, 0.5), SpeechSamples.token("oted", 2, 1)]
        let drafts = WordAssembler.words(of: parts, language: "en")
        #expect(drafts.map(\.text) == ["devoted"])
        #expect(drafts.first?.probability == 0.75)
    }

    @Test func `a word tells how many letters its last token has, marks left out`() {
        let parts = ["un", " dev", "oted", ",", " I", "'ve", " 12"].enumerated().map {
            SpeechSamples.token($1, Double($0 + 1))
        }
        let drafts = WordAssembler.words(of: parts, language: "en")
        #expect(drafts.map(\.text) == ["un", "devoted,", "I've", "12"])
        #expect(drafts.map(\.lastTokenLetters) == [2, 4, 2, 2])
    }

    @Test func `a character may be spread over tokens`() {
        let letter = Array("ñ".utf8)
        let parts = [
            SpeechSamples.token(" a", 1), SpokenToken(bytes: [letter[0]], probability: 1, end: 2),
            SpokenToken(bytes: [letter[1]], probability: 1, end: 3), SpeechSamples.token("os", 4),
        ]
        #expect(words(parts, "es") == ["años"])
    }

    @Test func `bytes that never become a character are left out`() {
        #expect(
            words([SpeechSamples.token(" yes", 1), SpokenToken(bytes: [0xF0, 0x9F], probability: 1, end: 2)]) == ["yes"]
        )
    }

    @Test func `opening marks join the word after, others the word before`() {
        #expect(words(tokens(" ¿", "Qué", " tal", "?", " \"", "Bien", "\""), "es") == ["¿Qué", "tal?", "\"Bien\""])
        #expect(words(tokens(" ¿", " Qué", " tal", " ?"), "es") == ["¿Qué", "tal?"])
    }

    @Test func `marks without a word are no word`() {
        #expect(words(tokens(" ♪", " ...")).isEmpty)
        #expect(words([]).isEmpty)
    }

    @Test func `languages without blanks are cut at characters, also when those are spread over tokens`() {
        let bytes = Array("語".utf8)
        let parts = [
            SpeechSamples.token("日本", 1), SpokenToken(bytes: [bytes[0]], probability: 1, end: 2),
            SpokenToken(bytes: Array(bytes[1...]), probability: 1, end: 3), SpeechSamples.token("。", 4),
            SpeechSamples.token("今日", 5),
        ]
        let drafts = WordAssembler.words(of: parts, language: "ja")
        #expect(drafts.map(\.text) == ["日本", "語。", "今日"])
        #expect(drafts.map(\.start) == [0, 1, 4])
    }
}
