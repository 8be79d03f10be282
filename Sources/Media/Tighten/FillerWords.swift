/// The sounds that people make while they look for a word, by language.
///
/// The lists are short on purpose. "Like", "o sea" and "tipo" are words that are sometimes used so, and what a sentence
/// means must not hang on a guess. In other languages nothing is taken for a filler: "um" is a word in German and in
/// Portuguese.
struct FillerWords: Sendable {
    enum Kind: Hashable, Sendable {
        /// Never a word.
        case sound
        /// Also a word, or an answer: counts only where it stands alone.
        case word
    }

    private let sounds: Set<String>
    private let words: Set<String>

    /// As `LanguageProfile` names it.
    init(language: String) {
        func list(_ text: String) -> Set<String> { Set(text.split(separator: " ").map(String.init)) }
        switch language {
        case "en": (sounds, words) = (list("um uhm uh erm"), list("er hm m"))
        case "es": (sounds, words) = (list("eh ehm em"), list("este esto hm m"))
        case "pt": (sounds, words) = (list("ahn ãh ãhn ehm uhm"), list("é eh hum hã hm m"))
        default: (sounds, words) = ([], [])
        }
    }

    /// `text` as it was written, `plain` its letters in lower case with their accents. However long a sound is drawn
    /// out, it is the same: "ummm", "ééé".
    func kind(_ text: String, plain: String) -> Kind? {
        // "¿Eh?" asks, and "Hum!" says something.
        guard !text.contains(where: { "?!¿¡？！".contains($0) }) else { return nil }
        var short = ""
        for letter in plain where letter != short.last { short.append(letter) }
        // One letter alone is a letter; two are a hum.
        if short == "m", plain.count < 2 { return nil }
        if sounds.contains(short) { return .sound }
        return words.contains(short) ? .word : nil
    }
}
