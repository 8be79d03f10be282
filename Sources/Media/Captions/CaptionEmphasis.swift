/// Chooses the words of a clip that captions may show in a colour of their own: the client's keywords, numbers, and
/// words that deny or go to an extreme.
///
/// Sparse, because what is marked everywhere is marked nowhere: marked runs begin `secondsApart` after each other at
/// least, and of several that are nearer the more telling one is taken.
struct CaptionEmphasis: Sendable {
    static let secondsApart = 2.5

    private let profile: LanguageProfile
    private let keywords: [[String]]

    init(language: String, keywords: [String]) {
        let profile = LanguageProfile.named(language)
        self.profile = profile
        self.keywords = keywords.map { keyword in
            keyword.split(separator: " ").map { Self.stem(String($0), profile) }.filter { !$0.isEmpty }
        }.filter { !$0.isEmpty }
    }

    /// The words that stand out, by index.
    func marked(_ words: [CaptionWord]) -> Set<Int> {
        let stems = words.map { Self.stem($0.text, profile) }
        let found = runs(words, stems).sorted { ($1.weight, $0.words.lowerBound) < ($0.weight, $1.words.lowerBound) }
        var chosen: [Range<Int>] = []
        for run in found {
            let start = words[run.words.lowerBound].start
            if chosen.allSatisfy({ abs(words[$0.lowerBound].start - start) >= Self.secondsApart }) {
                chosen.append(run.words)
            }
        }
        return Set(chosen.joined())
    }

    private struct Run {
        var words: Range<Int>
        var weight: Int
    }

    private func runs(_ words: [CaptionWord], _ stems: [String]) -> [Run] {
        var runs: [Run] = []
        for index in words.indices {
            for keyword in keywords where stems[index...].starts(with: keyword) {
                runs.append(Run(words: index..<(index + keyword.count), weight: 3))
            }
            let folded = SpokenText.foldedCore(words[index].text)
            if words[index].text.contains(where: \.isNumber) {
                // With what is counted: "3.5 million", "50 euros".
                let next = index + 1 < words.count ? SpokenText.foldedCore(words[index + 1].text) : ""
                let isCounting = profile.numbers.contains(next)
                runs.append(Run(words: index..<(index + (isCounting ? 2 : 1)), weight: 2))
            } else if Self.extremes[profile.language]?.contains(folded) ?? false {
                runs.append(Run(words: index..<(index + 1), weight: 1))
            }
        }
        return runs
    }

    private static func stem(_ word: String, _ profile: LanguageProfile) -> String {
        Stemmer.stem(SpokenText.foldedCore(word), language: profile.language)
    }

    /// Folded. Fewer than `LanguageProfile.contrasts`, which also holds "all", "first" and "instead".
    private static let extremes: [String: Set<String>] = [
        "en": """
        never nobody nothing worst best biggest smallest greatest impossible incredible unbelievable secret truth
        mistake wrong
        """,
        "es": "nunca jamas nadie ninguno ninguna peor mejor imposible increible secreto verdad mentira error",
        "pt": "nunca jamais ninguem nenhum nenhuma pior melhor impossivel incrivel segredo verdade mentira erro",
        "fr": "jamais personne rien pire meilleur impossible incroyable secret verite",
        "it": "mai nessuno peggiore migliore impossibile incredibile segreto verita",
        "de": "niemals nie niemand schlimmste beste unmoglich",
    ].mapValues { Set($0.split(whereSeparator: \.isWhitespace).map(String.init)) }
}
