import Foundation

/// Circles that a model runs in: "no, no, no, no", or the same sentence five times.
package enum Repetition {
    private static let phraseWordsMax = 12
    /// No word is longer, but a circle without blanks is ("1.5x4.0x4.0x4.0x").
    private static let wordCharactersMax = 45

    /// Share of `words` that only repeat the words right before them. People repeat too: a word said twice or three
    /// times in a row does not count, nor does a phrase said twice.
    package static func share(of words: [Word]) -> Double {
        guard !words.isEmpty else { return 0 }
        let possible = words.filter { $0.text.count <= wordCharactersMax }
        let repeats = circles(in: possible.map(\.text)).reduce(0) { $0 + $1.repeats.count }
        return Double(repeats + words.count - possible.count) / Double(words.count)
    }

    /// `words` with every circle cut down to its first round.
    package static func cut(_ words: [Word]) -> [Word] {
        let words = words.filter { $0.text.count <= wordCharactersMax }
        let repeats = circles(in: words.map(\.text)).map(\.repeats)
        return words.indices.filter { index in !repeats.contains { $0.contains(index) } }.map { words[$0] }
    }

    private static func circles(in texts: [String]) -> [(phraseWords: Int, repeats: Range<Int>)] {
        let keys = texts.map { $0.lowercased().filter { $0.isLetter || $0.isNumber } }
        var (found, index) = ([(phraseWords: Int, repeats: Range<Int>)](), 0)
        while index < keys.count {
            guard let circle = circle(in: keys, from: index) else {
                index += 1
                continue
            }
            found.append(circle)
            index = circle.repeats.upperBound
        }
        return found
    }

    private static func circle(in keys: [String], from start: Int) -> (phraseWords: Int, repeats: Range<Int>)? {
        for length in 1...phraseWordsMax where start + 2 * length <= keys.count {
            var end = start + length
            while end < keys.count, keys[end] == keys[end - length] { end += 1 }
            let rounds = (end - start) / length
            if rounds >= (length == 1 ? 4 : 3) { return (length, start + length..<end) }
        }
        return nil
    }
}

/// Means of probabilities that do not forgive.
enum Logarithm {
    /// Of probabilities, floored at 0.001 so that a single zero does not decide alone.
    static func geometricMean(_ values: [Double]) -> Double {
        exp(values.reduce(0) { $0 + log(max(0.001, $1)) } / Double(values.count))
    }
}
