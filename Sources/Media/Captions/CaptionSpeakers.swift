import ClipModel

/// Tells who says a word by who speaks at its time.
struct CaptionSpeakers: Sendable {
    /// How far off the times of turns and of words may be: pictures are looked at five times a second, and a
    /// recogniser is not much closer.
    static let slackSeconds = 0.25
    /// How near to a turn a word must be, in seconds, to be a part of it that was counted for the other speaker.
    static let reachSeconds = 0.1

    private let turns: [Framing.Turn]

    init(_ turns: [Framing.Turn]) { self.turns = turns }

    /// One for each word: who speaks in its middle, or who is nearest to it within the slack. Where a sentence ends one
    /// word beside the change from one to another, and that word reaches over it, the change is there: people rarely
    /// end each other's sentences.
    func speakers(of words: [CaptionWord]) -> [Int?] {
        var speakers = words.map { word in
            turns.map { (speaker: $0.speaker, away: $0.away(from: word.middle)) }
                .min { $0.away < $1.away }.flatMap { $0.away <= Self.slackSeconds ? $0.speaker : nil }
        }
        for index in words.indices.dropLast() where !words[index].endsSentence {
            guard let left = speakers[index], let right = speakers[index + 1], left != right else { continue }
            if words[index + 1].endsSentence, reaches(words[index + 1], left) {
                speakers[index + 1] = left
            } else if index > 0, words[index - 1].endsSentence, reaches(words[index], right) {
                speakers[index] = right
            }
        }
        return speakers
    }

    private func reaches(_ word: CaptionWord, _ speaker: Int) -> Bool {
        turns.contains { turn in
            turn.speaker == speaker
                && max(turn.range.start - word.end, word.start - turn.range.end) <= Self.reachSeconds
        }
    }
}

extension CaptionWord {
    fileprivate var middle: Double { (start + end) / 2 }
}

extension Framing.Turn {
    /// In seconds; 0 inside.
    fileprivate func away(from time: Double) -> Double { max(0, range.start - time, time - range.end) }
}
