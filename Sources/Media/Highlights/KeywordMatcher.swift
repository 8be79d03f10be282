/// Finds the client's keywords in what is said: without case and accents, by stem, over several words.
///
/// "inteligencia artificial" finds "Inteligencia Artificial," and "inteligencias artificiales"; a keyword in a script
/// without spaces is looked for in the characters, because the borders of such words are an accident.
package struct KeywordMatcher {
    /// One place where a keyword is said.
    package struct Hit: Hashable, Sendable {
        /// Index into the keywords as given.
        package var keyword: Int
        package var words: Range<Int>
    }

    private let keywords: [String]

    package init(_ keywords: [String]) { self.keywords = keywords }

    /// All hits in order of their first word, then of the keyword.
    package func hits(in text: SpeechText) -> [Hit] {
        var hits: [Hit] = []
        for (index, keyword) in keywords.enumerated() {
            let folded = SpokenText.fold(keyword)
            if folded.unicodeScalars.contains(where: SpokenText.isUnspaced) {
                hits += unspacedHits(Array(SpokenText.foldedCore(keyword).unicodeScalars), keyword: index, in: text)
            } else {
                hits += spacedHits(folded, keyword: index, in: text)
            }
        }
        return hits.sorted { ($0.words.lowerBound, $0.keyword) < ($1.words.lowerBound, $1.keyword) }
    }

    private func spacedHits(_ keyword: String, keyword index: Int, in text: SpeechText) -> [Hit] {
        let wanted =
            keyword
            .split { !$0.unicodeScalars.contains(where: SpokenText.isWordScalar) && $0 != "'" && $0 != "’" }
            .map { SpokenText.foldedCore(String($0)) }.filter { !$0.isEmpty }
        let stems = wanted.map { Stemmer.stem($0, language: text.profile.language) }
        guard !wanted.isEmpty, wanted.count <= text.words.count else { return [] }
        var hits: [Hit] = []
        var first = 0
        while first + wanted.count <= text.words.count {
            let isHit = wanted.indices.allSatisfy { place in
                let word = text.words[first + place]
                return word.folded == wanted[place] || (word.stem == stems[place] && !word.stem.isEmpty)
            }
            if isHit { hits.append(Hit(keyword: index, words: first..<(first + wanted.count))) }
            first += isHit ? wanted.count : 1
        }
        // A compound may be written as one word by the recogniser: "machine learning", "machinelearning", "co-op".
        if wanted.count > 1 {
            let joined = wanted.joined()
            for (place, word) in text.words.enumerated() where word.folded == joined {
                hits.append(Hit(keyword: index, words: place..<(place + 1)))
            }
        }
        return hits
    }

    private func unspacedHits(_ wanted: [Unicode.Scalar], keyword index: Int, in text: SpeechText) -> [Hit] {
        guard !wanted.isEmpty else { return [] }
        var scalars: [Unicode.Scalar] = []
        var owners: [Int] = []
        for (place, word) in text.words.enumerated() {
            for scalar in word.folded.unicodeScalars {
                scalars.append(scalar)
                owners.append(place)
            }
        }
        var hits: [Hit] = []
        var first = 0
        while first + wanted.count <= scalars.count {
            guard scalars[first] == wanted[0], scalars[first..<(first + wanted.count)].elementsEqual(wanted) else {
                first += 1
                continue
            }
            hits.append(Hit(keyword: index, words: owners[first]..<(owners[first + wanted.count - 1] + 1)))
            first += wanted.count
        }
        return hits
    }
}
