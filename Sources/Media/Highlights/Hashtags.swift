package import ClipModel
import Foundation

/// Suggests what to post a clip under, from what is said in it.
///
/// Terms weigh by how often the clip says them against how much of the video does (tf-idf over stretches of thirty
/// seconds), names a little more; two words that are said together more than once, or are a name, become one tag.
/// Letters keep their accents, because "año" and "ano" are not the same word.
package enum Hashtags {
    static let countMax = 5
    /// Stretches of the video whose share with a term makes it common, in milliseconds.
    private static let stretchMilliseconds = 30_000
    private static let charactersMax = 30

    /// At most five, the best first, without the sign; none when nothing that is worth one is said.
    package static func suggest(_ transcript: Transcript, in clip: TimeRange, keywords: [String]) -> [String] {
        let duration = (transcript.words.map(\.end).filter(\.isFinite).max() ?? 0) + 1
        let text = SpeechText(transcript, durationSeconds: duration, language: "auto")
        let heard = text.words.indices.filter { index in
            let word = text.words[index]
            return clip.contains((seconds(word.start) + seconds(word.end)) / 2)
        }
        guard let first = heard.first, let last = heard.last else { return [] }
        var tags: [String] = []
        // What the client looks for comes first, where it is said.
        for hit in KeywordMatcher(keywords).hits(in: text) where (first...last).contains(hit.words.lowerBound) {
            add(written(keywords[hit.keyword]), to: &tags)
        }
        for tag in Ranking(text, first...last).tags() { add(tag, to: &tags) }
        return Array(tags.prefix(countMax))
    }

    private static func add(_ tag: String, to tags: inout [String]) {
        let folded = SpokenText.foldedCore(tag)
        guard !folded.isEmpty, tag.count <= charactersMax else { return }
        // "IA" beside "InteligenciaArtificial" is fine; "inteligencia" is not.
        let isKnown = tags.contains { known in
            let other = SpokenText.foldedCore(known)
            return other == folded || (folded.count > 3 && other.contains(folded))
        }
        if !isKnown { tags.append(tag) }
    }

    /// One word in small letters, several as `CamelCase`, which screen readers tell apart.
    static func written(_ phrase: String) -> String {
        let words = phrase.split(whereSeparator: \.isWhitespace).map { word in
            String(String.UnicodeScalarView(word.lowercased().unicodeScalars.filter(SpokenText.isWordScalar)))
        }.filter { !$0.isEmpty }
        guard words.count > 1 else { return words.first ?? "" }
        return words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// The terms of one clip by weight.
    private struct Ranking {
        private let text: SpeechText
        private let clip: ClosedRange<Int>

        init(_ text: SpeechText, _ clip: ClosedRange<Int>) {
            self.text = text
            self.clip = clip
        }

        func tags() -> [String] {
            var uses: [String: [Int]] = [:]
            for index in clip where isContent(index) { uses[text.words[index].stem, default: []].append(index) }
            let stretches = self.stretches()
            let total = Double((text.duration + stretchMilliseconds - 1) / stretchMilliseconds)
            var ranked: [(tag: String, weight: Double)] = []
            for (stem, places) in uses {
                let rarity = log((1 + total) / (0.5 + Double(stretches[stem] ?? 0)))
                var weight = pow(Double(places.count), 0.75) * (0.5 + max(0, rarity))
                if places.contains(where: isName) { weight *= 1.4 }
                // Short words say little by themselves.
                weight *= min(1, 0.4 + 0.1 * Double(stem.count))
                ranked.append((spelling(places), weight))
            }
            for (pair, use) in pairs() where use.count > 1 || use.isName {
                ranked.append((Hashtags.written(pair), 3 * log(1 + Double(use.count))))
            }
            return ranked.sorted { ($1.weight, $0.tag) < ($0.weight, $1.tag) }.map(\.tag)
        }

        /// In how many stretches of the video each term is said.
        private func stretches() -> [String: Int] {
            var seen: [String: Set<Int>] = [:]
            for word in text.words { seen[word.stem, default: []].insert(word.start / stretchMilliseconds) }
            return seen.mapValues(\.count)
        }

        /// Neighbours that are said together, in words, with how often, and whether both are a name.
        private func pairs() -> [String: (count: Int, isName: Bool)] {
            var pairs: [String: (count: Int, isName: Bool)] = [:]
            for index in clip.dropLast() where isContent(index) && isContent(index + 1) {
                let (left, right) = (text.words[index], text.words[index + 1])
                let isParted = SpokenText.lastMark(of: left.text).map { !$0.isLetter && !$0.isNumber } ?? true
                if isParted { continue }
                let pair = left.plain + " " + right.plain
                pairs[pair] = ((pairs[pair]?.count ?? 0) + 1, isName(index) && isName(index + 1))
            }
            return pairs
        }

        private func isContent(_ index: Int) -> Bool {
            let word = text.words[index], profile = text.profile
            guard word.folded.count >= 3, word.folded.contains(where: \.isLetter) else { return false }
            // Without spaces a recogniser's "word" may be a whole sentence.
            if word.folded.unicodeScalars.contains(where: SpokenText.isUnspaced), word.folded.count > 8 { return false }
            if profile.stopWords.isEmpty, word.folded.utf8.count < 5 { return false }
            return [
                profile.stopWords, profile.fillers, profile.connectives, profile.contrasts, profile.numbers,
                profile.questionWords, profile.secondPerson,
            ].allSatisfy { !$0.contains(word.folded) }
        }

        /// A capital inside a sentence.
        private func isName(_ index: Int) -> Bool {
            guard text.isCased, index > 0, text.words[index].text.first(where: \.isLetter)?.isUppercase ?? false
            else { return false }
            return SpokenText.lastMark(of: text.words[index - 1].text).map { !SpokenText.endsSentence($0) } ?? true
        }

        /// How the term is written most often in the clip; the earliest of several.
        private func spelling(_ places: [Int]) -> String {
            var counts: [String: Int] = [:]
            for place in places { counts[text.words[place].plain, default: 0] += 1 }
            let best = counts.values.max() ?? 0
            return places.lazy.map { text.words[$0].plain }.first { counts[$0] == best } ?? ""
        }
    }
}
