import Foundation

/// What each word says about the video: tf-idf over its sentences, with running sums over words.
struct TermWeights: Sendable {
    /// Per term.
    let weights: [Double]
    /// Running sum over words.
    private let sums: [Double]

    init(_ text: SpeechText, _ sentences: [Sentence]) {
        var uses = [Int](repeating: 0, count: text.termCount)
        var sentencesWith = uses
        var lastSentence = [Int](repeating: -1, count: text.termCount)
        for (index, sentence) in sentences.enumerated() {
            for term in text.terms(of: sentence.words) {
                uses[term] += 1
                if lastSentence[term] != index {
                    lastSentence[term] = index
                    sentencesWith[term] += 1
                }
            }
        }
        // Said again and again, but not everywhere: log(1 + tf) * log(N / df). A word said once is noise or a name.
        let count = Double(sentences.count)
        weights = uses.indices.map { term in
            log(1 + Double(uses[term])) * log((1 + count) / (0.5 + Double(sentencesWith[term])))
        }
        var sums = [0.0]
        sums.reserveCapacity(text.words.count + 1)
        for word in text.words {
            var sum = 0.0
            for term in text.terms[word.terms] { sum += max(0, weights[term]) }
            sums.append(sums[sums.count - 1] + sum)
        }
        self.sums = sums
    }

    /// Mean weight of a word in `range`, stop words included: dense speech weighs more than chatter.
    func density(_ range: Range<Int>) -> Double {
        range.isEmpty ? 0 : (sums[range.upperBound] - sums[range.lowerBound]) / Double(range.count)
    }
}
