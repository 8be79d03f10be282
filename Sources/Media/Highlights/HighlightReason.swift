/// Says in plain words why a moment was chosen: its strongest signals, most important first.
struct HighlightReason {
    /// A signal below this is not worth a word.
    static let signalMin = 0.62
    static let partsMax = 4
    /// Languages that reasons are written in.
    static let languages = ["en", "es", "pt"]

    /// One of `languages`.
    let language: String

    /// `keywords` are those said in the clip, as the client spelt them.
    func text(_ verdict: ClipScorer.Verdict, keywords: [String], ofSpeech: Bool) -> String {
        var parts: [(weight: Double, text: String)] = []
        for (signal, value) in zip(HighlightSignal.allCases, verdict.signals) {
            let weight = ofSpeech ? signal.weight : signal.silentWeight
            guard weight > 0, value >= Self.least(signal), let phrase = phrase(signal, value) else { continue }
            parts.append((weight * value * Self.rarity(signal), phrase))
        }
        parts.sort { $0.weight > $1.weight }
        var phrases = parts.prefix(Self.partsMax).map(\.text)
        if !keywords.isEmpty {
            phrases.insert(mentions + " " + keywords.map { "“\($0)”" }.joined(separator: ", "), at: 0)
        }
        guard let first = phrases.first else { return ofSpeech ? plainSpeech : plainPicture }
        return first.prefix(1).uppercased()
            + ([String(first.dropFirst())] + phrases.dropFirst()).joined(separator: "; ")
            + "."
    }

    /// What stands out by rule is worth a word earlier than what is measured against the rest.
    private static func least(_ signal: HighlightSignal) -> Double {
        switch signal {
        case .hook: 0.2
        case .reaction: 0.3
        default: signalMin
        }
    }

    /// Most chosen clips stand alone and end well: that is said last, behind what sets this one apart.
    private static func rarity(_ signal: HighlightSignal) -> Double {
        switch signal {
        case .standalone, .ending, .focus, .substance: 0.3
        default: 1
        }
    }

    private func phrase(_ signal: HighlightSignal, _ value: Double) -> String? {
        switch signal {
        case .hook where value >= 0.5:
            said("opens with a strong hook", "empieza con un gancho fuerte", "começa com um gancho forte")
        case .hook:
            said("opens in a way that catches the ear", "el comienzo atrapa", "o começo prende a atenção")
        case .standalone where value >= 0.8: said("stands on its own", "se entiende por sí solo", "entende-se sozinho")
        case .ending where value >= 0.75:
            said("ends where the thought ends", "termina donde termina la idea", "termina onde a ideia termina")
        case .salience:
            said("says what the video is about", "dice de qué trata el video", "diz do que trata o vídeo")
        case .focus where value >= 0.9:
            said("stays with one topic", "no se sale del tema", "fica em um só assunto")
        case .pace: said("the speech is quick", "se habla con ritmo", "a fala é ágil")
        case .flow: said("there is hardly a pause", "casi no hay pausas", "quase não há pausas")
        case .energy: said("it is louder than usual", "suena con más fuerza", "soa com mais força")
        case .dynamics: said("the sound is lively", "el sonido es vivo", "o som é vivo")
        case .reaction:
            said("laughter or applause can be heard", "se oyen risas o aplausos", "ouvem-se risos ou aplausos")
        case .story: said("tells a story", "cuenta una historia", "conta uma história")
        case .pitch: said("the voice is lively", "la voz es expresiva", "a voz é expressiva")
        case .variety:
            said("the picture changes often", "la imagen cambia seguido", "a imagem muda bastante")
        case .standalone, .ending, .focus, .keywords, .substance: nil
        }
    }

    private var mentions: String { said("mentions", "menciona", "menciona") }
    private var plainSpeech: String {
        said(
            "The most complete passage in this part of the video.", "El pasaje más completo de esta parte del video.",
            "O trecho mais completo desta parte do vídeo.")
    }
    private var plainPicture: String {
        said(
            "A typical stretch of this part of the video.", "Un tramo típico de esta parte del video.",
            "Um trecho típico desta parte do vídeo.")
    }

    private func said(_ english: String, _ spanish: String, _ portuguese: String) -> String {
        switch language {
        case "es": spanish
        case "pt": portuguese
        default: english
        }
    }
}
