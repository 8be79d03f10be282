package import ClipModel
import Foundation

/// Words that the model wrote though nobody said them.
///
/// Whisper learnt from subtitles, and over silence, noise or music it writes what subtitles end with. Such a phrase is
/// believed only where there is sound enough for it and the model was sure.
package enum InventedSpeech {
    /// Lower case, without punctuation. Whole windows only: somebody may well say "gracias" in a sentence.
    private static let phrases: Set<String> = [
        "gracias", "gracias por ver el video", "gracias por ver el vídeo", "gracias por ver", "muchas gracias por ver",
        "suscríbete", "suscríbete al canal", "no olvides suscribirte", "hasta la próxima",
        "nos vemos en el próximo video",
        "subtítulos realizados por la comunidad de amaraorg", "subtítulos por la comunidad de amaraorg",
        "subtitulado por la comunidad de amaraorg", "más información wwwalimmentacom", "subtítulos en español",
        "thank you", "thanks for watching", "thank you for watching", "thank you very much",
        "thank you so much for watching",
        "please subscribe", "like and subscribe", "see you next time", "see you in the next video", "bye", "bye bye",
        "you",
        "the end", "subtitles by the amaraorg community", "transcription by castingwords",
        "obrigado", "obrigada", "obrigado por assistir", "legendas pela comunidade amaraorg", "inscrevase no canal",
        "sous-titres réalisés par la communauté damaraorg", "merci", "merci davoir regardé cette vidéo",
        "untertitel der amaraorgcommunity", "untertitel im auftrag des zdf für funk 2017", "vielen dank",
        "sottotitoli creati dalla comunità amaraorg", "grazie",
    ]

    /// `words` of one window without what was not said there.
    package static func remove(
        from words: [Word], window: TimeRange, noSpeechProbability: Double, activity: SpeechActivity
    ) -> [Word] {
        let spoken = withoutAnnotations(words).filter { !isOverSilence($0, activity) }
        guard !spoken.isEmpty, !isPhrase(spoken, window, noSpeechProbability, activity) else { return [] }
        // The two signs of OpenAI's own rule: sure that nobody speaks, and unsure of what it wrote.
        let probability = Logarithm.geometricMean(spoken.map(\.probability))
        if noSpeechProbability > 0.6 && probability < 0.45 { return [] }
        // Over music the model guesses a word here and there.
        let wordsPerSecond = Double(spoken.count) / max(0.1, activity.voicedSeconds(in: window))
        return probability < 0.25 || (probability < 0.5 && wordsPerSecond < 0.5) ? [] : spoken
    }

    /// Without "[Music]", "(risas)" and "♪".
    static func withoutAnnotations(_ words: [Word]) -> [Word] {
        var (kept, closing) = ([Word](), Character?.none)
        for (index, word) in words.enumerated() {
            if closing == nil, let first = word.text.first,
                let close = ["[": "]", "(": ")", "*": "*"][first] as Character?
            {
                // Only when it is closed within a few words: a lone bracket is a slip of the pen.
                let reach = words[index..<min(words.count, index + 6)]
                let isAlone = first == "*" && word.text.count == 1
                if reach.contains(where: { $0.text.dropFirst($0 == word ? 1 : 0).contains(close) }), !isAlone {
                    closing = close
                }
            }
            if let close = closing {
                if word.text.dropFirst(word.text.first == close && close == "*" ? 1 : 0).contains(close) {
                    closing = nil
                }
            } else if word.text.contains(where: { $0.isLetter || $0.isNumber }) {
                kept.append(word)
            }
        }
        return kept
    }

    private static func isOverSilence(_ word: Word, _ activity: SpeechActivity) -> Bool {
        let around = TimeRange(start: word.start - 0.3, end: max(word.start, word.end) + 0.3)
        return activity.voicedSeconds(in: around) < SpeechActivity.frameSeconds && word.probability < 0.9
    }

    private static func isPhrase(
        _ words: [Word], _ window: TimeRange, _ noSpeechProbability: Double, _ activity: SpeechActivity
    ) -> Bool {
        let text = words.map { $0.text.lowercased().filter { $0.isLetter || $0.isNumber || $0 == "-" } }
        guard phrases.contains(text.joined(separator: " ")) else { return false }
        let probability = Logarithm.geometricMean(words.map(\.probability))
        // Said for real it takes 0.15 to 0.6 s a word: a window of ten seconds of sound holds more than two words.
        let perWord = activity.voicedSeconds(in: window) / Double(words.count)
        return noSpeechProbability > 0.3 || probability < 0.6 || !(0.1...1.5).contains(perWord)
    }
}
