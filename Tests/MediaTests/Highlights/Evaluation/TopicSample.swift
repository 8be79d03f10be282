import ClipModel
import Media

/// Text whose topic borders are known, spoken without a pause that would give them away.
struct TopicSample {
    var transcript: Transcript
    var durationSeconds: Double
    /// For every word the number of its topic.
    var topics: [Int]

    /// Made-up talk: every topic has its own things, but a third of what is named is of another topic.
    static func talk(_ script: MomentScript, language: String, seed: UInt64) -> TopicSample {
        var dice = TalkDice(seed: seed)
        let order = (script.topics + script.topics).indices.map { $0 % script.topics.count }.shuffled(using: &dice)
        let everything = script.topics.flatMap { $0 }
        var segments: [[String]] = []
        for (place, topic) in order.enumerated() where place == 0 || order[place - 1] != topic {
            let count = Int.random(in: 5...16, using: &dice)
            segments.append(
                (0..<count).map { _ in
                    func thing() -> String {
                        let things = Int.random(in: 0..<3, using: &dice) == 0 ? everything : script.topics[topic]
                        return things.randomElement(using: &dice)!
                    }
                    if Int.random(in: 0..<8, using: &dice) == 0 { return script.idle.randomElement(using: &dice)! }
                    let text = script.dull.randomElement(using: &dice)!
                        .replacing("%1", with: thing()).replacing("%2", with: thing())
                    return text.prefix(1).uppercased() + text.dropFirst()
                })
        }
        return TopicSample(segments, language: language, dice: &dice)
    }

    /// Paragraphs of books in a row, in any order.
    static func books(language: String, seed: UInt64) -> TopicSample {
        var dice = TalkDice(seed: seed)
        let segments = TopicTexts.paragraphs(language).shuffled(using: &dice).map { [$0] }
        return TopicSample(segments, language: language, dice: &dice)
    }

    private init(_ segments: [[String]], language: String, dice: inout TalkDice) {
        var words: [Word] = [], topics: [Int] = []
        var time = 0.5
        for (topic, sentences) in segments.enumerated() {
            for piece in sentences.joined(separator: " ").split(separator: " ") {
                let end = time + 0.09 + 0.05 * Double(piece.count)
                words.append(Word(text: String(piece), start: time, end: end, probability: 1))
                topics.append(topic)
                time = end + (piece.hasSuffix(".") ? .random(in: 0.3...0.8, using: &dice) : 0.02)
            }
        }
        transcript = Transcript(language: language, words: words)
        self.topics = topics
        durationSeconds = time + 1
    }

    /// The measure of D. Beeferman, A. Berger and J. Lafferty, "Statistical Models for Text Segmentation" (1999): how
    /// often two words half a mean topic apart are wrongly held to be of one topic, or of two. 0 is perfect; borders
    /// at random come to about 0.5.
    func pk(_ found: [Int]) -> Double {
        precondition(found.count == topics.count, "\(found.count) topics for \(topics.count) words")
        let distance = max(1, topics.count / (topics[topics.count - 1] + 1) / 2)
        let places = 0..<(topics.count - distance)
        let wrong = places.filter {
            (topics[$0] == topics[$0 + distance]) != (found[$0] == found[$0 + distance])
        }
        return Double(wrong.count) / Double(places.count)
    }
}

/// Text segmentation as Hearst published it in 1997, over words without stop words: what ours has to beat.
struct PlainTextTiling {
    let sequenceWords = 20
    let blockSequences = 10

    /// For every word of `terms` the number of its topic. `terms` are nil for words without content.
    func topics(_ terms: [Int?]) -> [Int] {
        let sequences = stride(from: 0, to: terms.count, by: sequenceWords).map {
            terms[$0..<min(terms.count, $0 + sequenceWords)].compactMap { $0 }
        }
        guard sequences.count > 2 else { return terms.map { _ in 0 } }
        let likeness = (1..<sequences.count).map { border in
            cosine(
                sequences[max(0, border - blockSequences)..<border].flatMap { $0 },
                sequences[border..<min(sequences.count, border + blockSequences)].flatMap { $0 })
        }
        let depths = likeness.indices.map { index in
            var left = likeness[index], right = left
            for value in likeness[..<index].reversed() { if value < left { break } else { left = value } }
            for value in likeness[(index + 1)...] { if value < right { break } else { right = value } }
            return left + right - 2 * likeness[index]
        }
        let mean = depths.reduce(0, +) / Double(depths.count)
        let deviation = (depths.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(depths.count)).squareRoot()
        var topic = 0
        var topics: [Int] = []
        for place in terms.indices {
            let border = place / sequenceWords - 1
            if place % sequenceWords == 0, border >= 0, border < depths.count, depths[border] > mean - deviation / 2,
                isPeak(depths, border)
            {
                topic += 1
            }
            topics.append(topic)
        }
        return topics
    }

    private func isPeak(_ depths: [Double], _ index: Int) -> Bool {
        depths[max(0, index - 2)...min(depths.count - 1, index + 2)].allSatisfy { $0 <= depths[index] }
    }

    private func cosine(_ one: [Int], _ other: [Int]) -> Double {
        func counts(_ terms: [Int]) -> [Int: Int] { terms.reduce(into: [:]) { $0[$1, default: 0] += 1 } }
        let left = counts(one), right = counts(other)
        let product = left.reduce(0) { $0 + $1.value * (right[$1.key] ?? 0) }
        let squares = [left, right].map { $0.values.reduce(0) { $0 + $1 * $1 } }
        guard squares[0] > 0, squares[1] > 0 else { return 0 }
        return Double(product) / (Double(squares[0]) * Double(squares[1])).squareRoot()
    }
}
