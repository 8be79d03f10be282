import ClipModel

/// Makes one transcript of its chunks.
package enum TranscriptMerge {
    /// Two words of neighbouring chunks this close together, and alike, are one word that both heard.
    private static let sameWordSecondsMax = 0.4

    /// Words in order of time, a word at a border once, in the language that most words are in.
    package static func merge(_ chunks: [TranscribedChunk]) -> Transcript {
        var words: [Word] = []
        for chunk in chunks.sorted(by: { start(of: $0) < start(of: $1) }) {
            var fresh = chunk.words.sorted { ($0.start, $0.end) < ($1.start, $1.end) }[...]
            while let first = fresh.first, words.suffix(3).contains(where: { isSame($0, first) }) {
                fresh.removeFirst()
            }
            words += fresh
        }
        words.sort { ($0.start, $0.end) < ($1.start, $1.end) }
        for index in words.indices.dropLast() where words[index].end > words[index + 1].start {
            words[index].end = max(words[index].start, words[index + 1].start)
        }
        return Transcript(language: words.isEmpty ? "und" : language(of: chunks), words: words)
    }

    private static func start(of chunk: TranscribedChunk) -> Double { chunk.words.first?.start ?? .infinity }

    private static func isSame(_ one: Word, _ other: Word) -> Bool {
        abs(one.range.middle - other.range.middle) < sameWordSecondsMax && plain(one.text) == plain(other.text)
    }

    private static func plain(_ text: String) -> String {
        text.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    /// By words, each weighed by how sure its chunk was; ties go to the first in the alphabet, so that the answer is
    /// always the same.
    private static func language(of chunks: [TranscribedChunk]) -> String {
        var weights: [String: Double] = [:]
        for chunk in chunks where chunk.language != "und" {
            weights[chunk.language, default: 0] += Double(chunk.words.count) * max(0.01, chunk.languageProbability)
        }
        return weights.min { ($1.value, $0.key) < ($0.value, $1.key) }?.key ?? "und"
    }
}
