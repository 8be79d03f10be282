/// What the rules of selection know of one language. All words are folded (see `SpokenText.fold`).
///
/// A language without a profile still works: its words are compared as they are, by their weight, and only marks,
/// pauses and sound tell where a thought begins.
struct LanguageProfile: Sendable {
    /// ISO 639-1, or `und`.
    let language: String
    /// Words without content: neither weighed nor compared.
    let stopWords: Set<String>
    /// First words that hang on what was said before: "and", "because", "entonces".
    let connectives: Set<String>
    /// First words that point at something unnamed. Spelt with accents where these tell them apart ("él", "el").
    let danglingPronouns: Set<String>
    /// First words that carry nothing: "well", "bueno". A clip may start with one, a headline must not.
    let fillers: Set<String>
    /// First words of a question, for transcripts without question marks.
    let questionWords: Set<String>
    /// Words that speak to the viewer.
    let secondPerson: Set<String>
    /// Words of contrast and superlatives, which promise something.
    let contrasts: Set<String>
    /// Numbers spelt out. Digits count in every language; "one" does not, it is mostly an article or pronoun.
    let numbers: Set<String>
    /// Openings that make people stay.
    let hooks: PhraseBook
    /// Greetings, thanks and requests to subscribe: part of every video and of no highlight.
    let housekeeping: PhraseBook
    /// Written with a full stop that does not end a sentence (without that stop).
    let abbreviations: Set<String>

    /// The profile for an ISO 639-1 code; regional variants ("pt-BR") share one.
    static func named(_ language: String) -> LanguageProfile {
        switch language.prefix(2).lowercased() {
        case "en": english
        case "es": spanish
        case "pt": portuguese
        default: undetermined
        }
    }

    /// The language of `words` as far as stop words tell, or nil when no profile fits.
    ///
    /// Spanish and Portuguese share many; the one with the larger share wins, and at least a sixth of the words must
    /// be known, so that Italian or Catalan is not taken for either.
    static func guess(_ words: some Sequence<String>) -> String? {
        var counts = [0, 0, 0]
        var total = 0
        let profiles = [english, spanish, portuguese]
        for word in words.lazy.map(SpokenText.foldedCore).filter({ !$0.isEmpty }).prefix(5000) {
            total += 1
            for (index, profile) in profiles.enumerated() where profile.stopWords.contains(word) { counts[index] += 1 }
        }
        guard total > 0, let best = counts.indices.max(by: { (counts[$0], -$0) < (counts[$1], -$1) }) else {
            return nil
        }
        return counts[best] * 6 >= total ? profiles[best].language : nil
    }

    static let undetermined = LanguageProfile(
        language: "und", stopWords: "", connectives: "", danglingPronouns: "", fillers: "", questionWords: "",
        secondPerson: "", contrasts: "", numbers: "", hooks: [], housekeeping: [], abbreviations: "")

    /// Lists are written as words with spaces between: one line shows a whole rule.
    init(
        language: String, stopWords: String, connectives: String, danglingPronouns: String, fillers: String,
        questionWords: String, secondPerson: String, contrasts: String, numbers: String, hooks: [String],
        housekeeping: [String], abbreviations: String
    ) {
        self.language = language
        self.stopWords = Self.list(stopWords)
        self.connectives = Self.list(connectives)
        self.danglingPronouns = Self.list(danglingPronouns)
        self.fillers = Self.list(fillers)
        self.questionWords = Self.list(questionWords)
        self.secondPerson = Self.list(secondPerson)
        self.contrasts = Self.list(contrasts)
        self.numbers = Self.list(numbers)
        self.abbreviations = Self.list(abbreviations)
        self.hooks = PhraseBook(hooks)
        self.housekeeping = PhraseBook(housekeeping)
    }

    private static func list(_ words: String) -> Set<String> { Set(words.split(separator: " ").map(String.init)) }
}

/// Phrases of one word or more, found by their first word.
struct PhraseBook: Sendable {
    private let rests: [String: [[String]]]

    /// Words of a phrase are folded, with one space between.
    init(_ phrases: [String]) {
        var rests: [String: [[String]]] = [:]
        for phrase in phrases {
            let words = phrase.split(separator: " ").map(String.init)
            rests[words[0], default: []].append(Array(words.dropFirst()))
        }
        self.rests = rests
    }

    /// Whether one of the phrases starts with the first of `words`, which are folded.
    func opens(_ words: some Collection<String>) -> Bool {
        guard let first = words.first, let rests = rests[first] else { return false }
        return rests.contains { words.dropFirst().starts(with: $0) }
    }
}
