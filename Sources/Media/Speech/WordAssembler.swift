/// Makes words of the model's tokens.
///
/// A word begins at a token that begins with a blank; what follows without one belongs to it ("don" "'t"). Languages
/// written without blanks are cut at characters instead. Bytes are joined before they are read as text, because one
/// character may be spread over tokens. Punctuation alone is no word: it joins its neighbour.
package struct WordAssembler {
    /// A word before its times were checked against the sound.
    package struct Draft: Hashable, Sendable {
        package var text: String
        /// Nil when the model's attention was not measured there.
        package var start: Double?
        package var end: Double?
        package var probability: Double
        /// Letters of the last token that has any.
        package var lastTokenLetters: Int

        /// `lastTokenLetters`: nil when the word was one token.
        package init(
            text: String, start: Double?, end: Double?, probability: Double, lastTokenLetters: Int? = nil
        ) {
            self.text = text
            self.start = start
            self.end = end
            self.probability = probability
            self.lastTokenLetters = lastTokenLetters ?? WordAssembler.letters(of: text)
        }
    }

    /// Languages of Whisper that are written without blanks between words.
    private static let unspacedLanguages: Set<String> = ["zh", "ja", "th", "lo", "my", "km", "yue", "bo"]

    private let isSpaced: Bool
    private var drafts: [Draft] = []
    private var bytes: [UInt8] = []
    private var probabilities: [Double] = []
    private var start: Double?
    private var end: Double?
    private var lastLetters = 0

    private init(language: String) { isSpaced = !Self.unspacedLanguages.contains(language) }

    package static func words(of tokens: [SpokenToken], language: String) -> [Draft] {
        var assembler = WordAssembler(language: language)
        // The start of a token is where the attention left the one before. The first begins with the window.
        var left: Double? = 0
        for token in tokens {
            assembler.take(token, start: left)
            left = token.end
        }
        assembler.close()
        return joinPunctuation(assembler.drafts, isSpaced: assembler.isSpaced)
    }

    private mutating func take(_ token: SpokenToken, start tokenStart: Double?) {
        guard !token.bytes.isEmpty else { return }
        if isSpaced ? token.bytes.first == UInt8(ascii: " ") : isComplete { close() }
        if bytes.isEmpty { start = tokenStart }
        let letters = Self.letters(of: String(decoding: token.bytes, as: UTF8.self))
        if letters > 0 { lastLetters = letters }
        bytes += token.bytes
        probabilities.append(token.probability)
        end = token.end
    }

    /// Whether the bytes so far are whole characters.
    private var isComplete: Bool { String(validating: bytes, as: UTF8.self) != nil }

    private mutating func close() {
        defer { (bytes, probabilities, lastLetters) = ([], [], 0) }
        // Bytes that never became a character (the model stopped in the middle of one) show as U+FFFD: left out.
        let text = String(decoding: bytes, as: UTF8.self).filter { $0 != "\u{FFFD}" && !$0.isNewline }
        let trimmed = String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        guard !trimmed.isEmpty, !probabilities.isEmpty else { return }
        let mean = probabilities.reduce(0, +) / Double(probabilities.count)
        drafts.append(
            Draft(text: trimmed, start: start, end: end, probability: mean, lastTokenLetters: lastLetters))
    }

    private static func letters(of text: String) -> Int { text.filter { $0.isLetter || $0.isNumber }.count }

    /// Opening marks go to the word after, all others to the word before.
    private static func joinPunctuation(_ drafts: [Draft], isSpaced: Bool) -> [Draft] {
        let opening: Set<Character> = ["¿", "¡", "(", "[", "{", "«", "“", "‘", "「", "『", "（", "《"]
        var (joined, waiting) = ([Draft](), "")
        for var draft in drafts {
            if draft.text.contains(where: { $0.isLetter || $0.isNumber }) {
                draft.text = waiting + draft.text
                waiting = ""
                joined.append(draft)
            } else if draft.text.allSatisfy(opening.contains) {
                waiting += draft.text
            } else if !joined.isEmpty {
                // A dash between two words keeps its blank; a full stop has none.
                let isClosing = draft.text.allSatisfy { !$0.isMathSymbol && !"-–—".contains($0) }
                joined[joined.count - 1].text += (isClosing || !isSpaced ? "" : " ") + draft.text
            }
            // Marks before the first word (a dialogue's dash, a music sign) say nothing.
        }
        return joined
    }
}
