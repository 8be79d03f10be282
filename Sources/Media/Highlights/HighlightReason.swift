/// Says in plain English why a moment was chosen: its strongest signals, most important first.
enum HighlightReason {
    /// A signal below this is not worth a word.
    static let signalMin = 0.62
    static let partsMax = 4

    /// `keywords` are those said in the clip, as the client spelt them.
    static func text(_ verdict: ClipScorer.Verdict, keywords: [String], ofSpeech: Bool) -> String {
        var parts: [(weight: Double, text: String)] = []
        for (signal, value) in zip(HighlightSignal.allCases, verdict.signals) {
            let weight = ofSpeech ? signal.weight : signal.silentWeight
            guard weight > 0, value >= (signal == .hook ? 0.2 : signalMin), let phrase = phrase(signal, value) else {
                continue
            }
            parts.append((weight * value * rarity(signal), phrase))
        }
        parts.sort { $0.weight > $1.weight }
        var phrases = parts.prefix(partsMax).map(\.text)
        if !keywords.isEmpty {
            phrases.insert("mentions " + keywords.map { "“\($0)”" }.joined(separator: ", "), at: 0)
        }
        guard let first = phrases.first else {
            return ofSpeech
                ? "The most complete passage in this part of the video."
                : "A typical stretch of this part of the video."
        }
        return first.prefix(1).uppercased()
            + ([String(first.dropFirst())] + phrases.dropFirst()).joined(separator: "; ")
            + "."
    }

    /// Most chosen clips stand alone and end well: that is said last, behind what sets this one apart.
    private static func rarity(_ signal: HighlightSignal) -> Double {
        switch signal {
        case .standalone, .ending, .focus, .substance: 0.3
        default: 1
        }
    }

    private static func phrase(_ signal: HighlightSignal, _ value: Double) -> String? {
        switch signal {
        case .hook: value >= 0.5 ? "opens with a strong hook" : "opens in a way that catches the ear"
        case .standalone: value >= 0.8 ? "stands on its own" : nil
        case .ending: value >= 0.75 ? "ends where the thought ends" : nil
        case .salience: "says what the video is about"
        case .focus: value >= 0.9 ? "stays with one topic" : nil
        case .pace: "the speech is quick"
        case .flow: "there is hardly a pause"
        case .energy: "it is louder than usual"
        case .dynamics: "the sound is lively"
        case .reaction: "laughter or applause can be heard"
        case .variety: "the picture changes often"
        case .keywords, .substance: nil
        }
    }
}
