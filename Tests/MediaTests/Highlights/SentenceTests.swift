import ClipModel
import Media
import Testing

struct SentenceTests {
    /// Words in a row, `|` stands for a pause of a second, `·` for one of 0.4 s.
    private func words(_ text: String) -> [Word] {
        var words: [Word] = []
        var time = 0.0
        for piece in text.split(separator: " ") {
            if piece == "|" {
                time += 1
            } else if piece == "·" {
                time += 0.4
            } else {
                words.append(Word(text: String(piece), start: time, end: time + 0.25, probability: 1))
                time += 0.3
            }
        }
        return words
    }

    private func sentences(_ text: String, _ language: String = "en") -> [String] {
        let words = words(text)
        let speech = SpeechText(
            Transcript(language: language, words: words), durationSeconds: 1000, language: "auto")
        return SentenceSplitter(speech).sentences().map { SpokenText.join(words[$0.words].map(\.text)) }
    }

    @Test(arguments: [
        (
            "en", "We met Dr. Smith at 5 p.m. yesterday. He was late.",
            ["We met Dr. Smith at 5 p.m. yesterday.", "He was late."]
        ),
        ("en", "J. R. R. Tolkien wrote it. Then? Nothing!", ["J. R. R. Tolkien wrote it.", "Then?", "Nothing!"]),
        ("en", "The U.S. economy grew. \"Really?\" he asked.", ["The U.S. economy grew.", "\"Really?\" he asked."]),
        ("es", "La Sra. García llegó. ¿Y ahora qué? ¡Vamos!", ["La Sra. García llegó.", "¿Y ahora qué?", "¡Vamos!"]),
        ("es", "Y yo dije ¿por qué no? Eso fue todo.", ["Y yo dije ¿por qué no?", "Eso fue todo."]),
        ("es", "Hablamos de eso · ¿Y ahora qué hacemos? Nada.", ["Hablamos de eso", "¿Y ahora qué hacemos?", "Nada."]),
        ("en", "Well... maybe not. Sure.", ["Well... maybe not.", "Sure."]),
        ("zh", "今天 天气 很好。 我们 走 吧！", ["今天天气很好。", "我们走吧！"]),
        ("en", "Yes | | and then it stopped.", ["Yes", "and then it stopped."]),
    ])
    func `sentences end at marks, not at abbreviations`(language: String, text: String, expected: [String]) {
        #expect(sentences(text, language) == expected)
    }

    @Test func `without marks pauses end sentences`() {
        let text = Array(repeating: "one two three four five six seven eight |", count: 6).joined(separator: " ")
        #expect(sentences(text).count == 6)
    }

    @Test func `every word is in exactly one sentence and none is too long`() {
        for seed in 1...6 {
            var generator = TalkGenerator(seed: UInt64(seed), hasMarks: seed % 2 == 0)
            let talk = generator.talk(seconds: 200, plants: 1)
            let speech = SpeechText(talk.transcript, durationSeconds: talk.durationSeconds, language: "auto")
            let sentences = SentenceSplitter(speech).sentences()
            #expect(sentences.flatMap { Array($0.words) } == Array(talk.transcript.words.indices))
            for sentence in sentences where sentence.words.count > 3 {
                let words = talk.transcript.words[sentence.words]
                let length = words[words.endIndex - 1].end - words[words.startIndex].start
                #expect(length <= Double(SentenceSplitter.sentenceMillisecondsMax) / 1000)
            }
        }
    }

    @Test func `topics change where the words change`() {
        var generator = TalkGenerator(seed: 3)
        let talk = generator.talk(seconds: 600, plants: 0)
        let speech = SpeechText(talk.transcript, durationSeconds: talk.durationSeconds, language: "auto")
        let sentences = SentenceSplitter(speech).sentences()
        let topics = TopicSegmenter(speech, sentences).topics()
        var borders: [Double] = []
        for index in sentences.indices.dropFirst() where topics[index] != topics[index - 1] {
            borders.append(talk.transcript.words[sentences[index].words.lowerBound].start)
        }
        // The generator changes the topic at every quarter.
        for quarter in [150.0, 300, 450] { #expect(borders.contains { abs($0 - quarter) < 20 }, "\(borders)") }
        #expect(borders.count <= 8, "\(borders)")
    }
}
