/// Where the talk turns to something else: TextTiling (M. Hearst, "TextTiling: Segmenting Text into Multi-paragraph
/// Subtopic Passages", Computational Linguistics 23(1), 1997), at sentence borders and with pauses as a hint.
///
/// The words before a border are compared with the words after it; where the likeness is lower than on both sides by
/// more than usual, a topic ends. Counts are whole numbers, so the result does not depend on the order of summing.
package struct TopicSegmenter {
    /// Content terms on each side of a border. Hearst: blocks of 6 to 10 sequences of 20 words, half of them content.
    static let blockTerms = 60
    /// No topic is shorter than this, in milliseconds.
    static let topicMillisecondsMin = 20_000

    private let text: SpeechText
    private let sentences: [Sentence]

    package init(_ text: SpeechText, _ sentences: [Sentence]) {
        self.text = text
        self.sentences = sentences
    }

    /// For every sentence the number of its topic, counted from 0, never falling.
    package func topics() -> [Int] {
        guard sentences.count > 2 else { return sentences.map { _ in 0 } }
        let depths = depths(of: smoothed(likeness()))
        let mean = depths.reduce(0, +) / Double(depths.count)
        let variance = depths.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(depths.count)
        let threshold = max(0.05, mean + variance.squareRoot() / 2)

        var isBorder = [Bool](repeating: false, count: sentences.count)
        // The deepest valleys first, so that a shallow one never takes the place of its deeper neighbour.
        for gap in depths.indices.sorted(by: { (-depths[$0], $0) < (-depths[$1], $1) }) {
            guard depths[gap] > threshold else { break }
            if hasRoom(forBorderBefore: gap + 1, isBorder) { isBorder[gap + 1] = true }
        }
        var topic = 0
        return isBorder.map { begins in
            if begins { topic += 1 }
            return topic
        }
    }

    /// Cosine of the term counts left and right of the border after each sentence but the last.
    private func likeness() -> [Double] {
        var ends: [Int] = []  // in `text.terms`, after each sentence
        for sentence in sentences { ends.append(text.words[sentence.words.upperBound - 1].terms.upperBound) }
        var left = [Int](repeating: 0, count: text.termCount)
        var right = left
        return ends.dropLast().map { border in
            let before = text.terms[max(0, border - Self.blockTerms)..<border]
            let after = text.terms[border..<min(text.terms.count, border + Self.blockTerms)]
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

    /// How deep each valley is: the climb to the nearest peak on the left plus that on the right. A pause of a second
    /// and more deepens it by up to a half.
    private func depths(of values: [Double]) -> [Double] {
        values.indices.map { index in
            var leftPeak = values[index], rightPeak = values[index]
            for value in values[..<index].reversed() {
                if value < leftPeak { break }
                leftPeak = value
            }
            for value in values[(index + 1)...] {
                if value < rightPeak { break }
                rightPeak = value
            }
            let pause = Double(min(2000, text.gap(after: sentences[index].words.upperBound - 1))) / 4000
            return (leftPeak + rightPeak - 2 * values[index]) * (1 + pause)
        }
    }

    private func hasRoom(forBorderBefore sentence: Int, _ isBorder: [Bool]) -> Bool {
        let place = text.words[sentences[sentence].words.lowerBound].start
        let end = text.words[text.words.count - 1].end
        guard place - text.words[0].start >= Self.topicMillisecondsMin, end - place >= Self.topicMillisecondsMin
        else { return false }
        for other in stride(from: sentence, through: 1, by: -1) {
            if place - text.words[sentences[other].words.lowerBound].start >= Self.topicMillisecondsMin { break }
            if isBorder[other] { return false }
        }
        for other in sentence..<sentences.count {
            if text.words[sentences[other].words.lowerBound].start - place >= Self.topicMillisecondsMin { break }
            if isBorder[other] { return false }
        }
        return true
    }
}
