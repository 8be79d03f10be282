import Foundation

/// Where the talk turns to something else, at sentence borders.
///
/// Two views of it come together. Close up, J. Eisenstein and R. Barzilay, "Bayesian Unsupervised Topic Segmentation"
/// (EMNLP 2008): the words of a topic are drawn from one urn in which every word that was drawn makes itself likelier,
/// so a topic costs less in one piece than in two, and two topics cost less in two pieces than in one; dynamic
/// programming finds the cheapest way to take the text apart. Every urn starts with draws from the whole text (theirs
/// starts even), so that words which are common everywhere say nothing. From further away, the valleys of M. Hearst's
/// TextTiling (Computational Linguistics 23(1), 1997), at several block sizes: a border there is cheaper. So is one in
/// a pause.
package struct TopicSegmenter {
    /// No topic is shorter than this, in milliseconds.
    static let topicMillisecondsMin = 20_000
    /// No topic has more sentences: bounds the work for videos of hours to one with the other.
    static let topicSentencesMax = 300
    /// How many draws from the whole text every urn holds from the start.
    static let prior = 100.0
    /// What a border costs, in units of the logarithm of the text's length.
    static let borderCost = 1.5
    /// How much of that the deepest valley, and a pause of two seconds, take away.
    static let valleyShare = 0.5
    static let pauseShare = 0.25

    private let text: SpeechText
    private let sentences: [Sentence]

    package init(_ text: SpeechText, _ sentences: [Sentence]) {
        self.text = text
        self.sentences = sentences
    }

    /// For every sentence the number of its topic, counted from 0, never falling.
    package func topics() -> [Int] {
        guard sentences.count > 2, text.termCount > 0 else { return sentences.map { _ in 0 } }
        let begins = cheapestBegins()
        var isBorder = [Bool](repeating: false, count: sentences.count)
        var end = sentences.count
        while end > 0 {
            end = begins[end]
            if end > 0 { isBorder[end] = true }
        }
        var topic = 0
        return isBorder.map { begins in
            if begins { topic += 1 }
            return topic
        }
    }

    /// For every number of sentences, where the last topic begins when so many are taken apart at the least cost.
    private func cheapestBegins() -> [Int] {
        let costs = borderCosts()
        let terms = sentences.map { text.terms(of: $0.words) }
        let starts = sentences.map { text.words[$0.words.lowerBound].start }
        let finish = text.words[text.words.count - 1].end
        var uses = [Double](repeating: 0, count: text.termCount)
        for term in text.terms { uses[term] += 1 }
        let priors = uses.map { Self.prior * $0 / Double(text.terms.count) }
        var best = [Double](repeating: .infinity, count: sentences.count + 1)
        var begins = [Int](repeating: 0, count: sentences.count + 1)
        best[0] = 0
        var counts = [Double](repeating: 0, count: text.termCount)
        for begin in sentences.indices where best[begin] < .infinity {
            var cost = best[begin] + (begin == 0 ? 0 : costs[begin - 1])
            var drawn = 0.0
            let last = min(sentences.count, begin + Self.topicSentencesMax)
            for end in begin..<last {
                for term in terms[end] {
                    cost -= log((counts[term] + priors[term]) / (drawn + Self.prior))
                    counts[term] += 1
                    drawn += 1
                }
                let stop = end + 1 < sentences.count ? starts[end + 1] : finish
                // A text that is shorter than two topics stays one.
                guard stop - starts[begin] >= Self.topicMillisecondsMin || (begin == 0 && end + 1 == sentences.count)
                else { continue }
                if cost < best[end + 1] { (best[end + 1], begins[end + 1]) = (cost, begin) }
            }
            for end in begin..<last { for term in terms[end] { counts[term] = 0 } }
        }
        return begins
    }

    /// What a topic costs that begins after each sentence but the last.
    private func borderCosts() -> [Double] {
        let full = Self.borderCost * log(Double(max(2, text.terms.count)))
        var depths = [Double](repeating: 0, count: sentences.count - 1)
        for size in ValleyDepths.blockTerms {
            let scale = ValleyDepths(text, sentences, blockTerms: size).depths()
            let deepest = scale.max() ?? 0
            guard deepest > 0 else { continue }
            for (index, depth) in scale.enumerated() {
                depths[index] += depth / deepest / Double(ValleyDepths.blockTerms.count)
            }
        }
        return depths.enumerated().map { index, depth in
            let pause = Double(min(2000, text.gap(after: sentences[index].words.upperBound - 1))) / 2000
            return full * (1 - Self.valleyShare * depth - Self.pauseShare * pause)
        }
    }
}

/// How deep the likeness of the words before and after a border sinks below its neighbourhood (TextTiling).
///
/// Counts are whole numbers, so the result does not depend on the order of summing.
struct ValleyDepths {
    /// Content terms on each side of a border, from a remark to a chapter.
    static let blockTerms = [30, 60, 120]

    private let text: SpeechText
    private let sentences: [Sentence]
    private let blockTerms: Int

    init(_ text: SpeechText, _ sentences: [Sentence], blockTerms: Int) {
        self.text = text
        self.sentences = sentences
        self.blockTerms = blockTerms
    }

    /// The climb to the nearest peak on the left plus that on the right, for the border after each sentence but the
    /// last.
    func depths() -> [Double] {
        let values = smoothed(likeness())
        return values.indices.map { index in
            var leftPeak = values[index], rightPeak = values[index]
            for value in values[..<index].reversed() {
                if value < leftPeak { break }
                leftPeak = value
            }
            for value in values[(index + 1)...] {
                if value < rightPeak { break }
                rightPeak = value
            }
            return leftPeak + rightPeak - 2 * values[index]
        }
    }

    /// Cosine of the term counts left and right of the border.
    private func likeness() -> [Double] {
        var ends: [Int] = []  // in `text.terms`, after each sentence
        for sentence in sentences { ends.append(text.words[sentence.words.upperBound - 1].terms.upperBound) }
        var left = [Int](repeating: 0, count: text.termCount)
        var right = left
        return ends.dropLast().map { border in
            let before = text.terms[max(0, border - blockTerms)..<border]
            let after = text.terms[border..<min(text.terms.count, border + blockTerms)]
            for term in before { left[term] += 1 }
            for term in after { right[term] += 1 }
            var product = 0, squaresLeft = 0, squaresRight = 0
            // Every occurrence adds its term's count once: the sum over occurrences of n is the sum over terms of n².
            for term in before {
                product += right[term]
                squaresLeft += left[term]
            }
            for term in after { squaresRight += right[term] }
            for term in before { left[term] = 0 }
            for term in after { right[term] = 0 }
            guard squaresLeft > 0, squaresRight > 0 else { return 0 }
            return Double(product) / (Double(squaresLeft) * Double(squaresRight)).squareRoot()
        }
    }

    private func smoothed(_ values: [Double]) -> [Double] {
        values.indices.map { index in
            let window = values[max(0, index - 1)...min(values.count - 1, index + 1)]
            return window.reduce(0, +) / Double(window.count)
        }
    }
}
