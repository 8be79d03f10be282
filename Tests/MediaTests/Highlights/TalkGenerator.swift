import ClipModel
import Media

/// A generator of chance with a seed: the same seed gives the same talk on every machine (SplitMix64).
struct TalkDice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &+ 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// A made-up talk: dull sentences on a few topics, and planted moments that a good editor would cut out.
struct TalkGenerator {
    struct Talk {
        var transcript: Transcript
        var curves: SoundCurves
        var cuts: [Double]
        var durationSeconds: Double
        /// Where the planted moments lie.
        var planted: [TimeRange]
    }

    var dice: TalkDice
    var language = "en"
    var hasMarks = true

    init(seed: UInt64, language: String = "en", hasMarks: Bool = true) {
        dice = TalkDice(seed: seed)
        self.language = language
        self.hasMarks = hasMarks
    }

    /// `plants` moments of about 25 s, spread over `seconds`.
    mutating func talk(seconds: Double, plants: Int) -> Talk {
        var words: [Word] = []
        var planted: [TimeRange] = []
        var time = 0.8
        let places = (0..<plants).map { (Double($0) + 0.5) * seconds / Double(max(1, plants)) }
        while time < seconds - 30 {
            if planted.count < plants, time >= places[planted.count] {
                let start = time
                speak(plantedSentences(), at: &time, rate: 1.15, into: &words)
                planted.append(TimeRange(start: start, end: words[words.count - 1].end))
                time += 1.2
            } else {
                let topic = Int(time / (seconds / 4)) % topics.count
                speak([dullSentence(topic)], at: &time, rate: 1, into: &words)
            }
        }
        let duration = time + 1
        let curves = curves(words, planted: planted, duration: duration)
        let cuts = stride(from: 7.3, to: duration, by: 11.9).map { ($0 * 1000).rounded() / 1000 }
        return Talk(
            transcript: Transcript(language: language, words: words), curves: curves, cuts: cuts,
            durationSeconds: duration, planted: planted)
    }

    private mutating func speak(_ sentences: [String], at time: inout Double, rate: Double, into words: inout [Word]) {
        for sentence in sentences {
            for piece in sentence.split(separator: " ") {
                let text = hasMarks ? String(piece) : piece.filter { $0.isLetter || $0.isNumber }.lowercased()
                let length = (0.09 + 0.05 * Double(piece.count)) / rate
                let end = ((time + length) * 100).rounded() / 100
                words.append(Word(text: text, start: time, end: end, probability: 0.9))
                let pause = Bool.random(using: &dice) ? 0 : Double(Int.random(in: 1...12, using: &dice)) / 100
                time = ((end + pause) * 100).rounded() / 100
            }
            time = ((time + Double.random(in: 0.35...0.9, using: &dice)) * 100).rounded() / 100
        }
    }

    private mutating func dullSentence(_ topic: Int) -> String {
        let nouns = topics[topic]
        let patterns =
            language == "es"
            ? [
                "y luego vimos la parte de %1 con un poco de %2 en la sala.",
                "el grupo anota %1 junto a %2 como cada semana.",
                "pues en la tabla aparece %1 debajo de %2.",
                "el equipo guarda %1 cerca de %2 por la tarde.",
            ]
            : [
                "and then we went over the part about %1 with some %2 in the room.",
                "the group writes down %1 next to %2 as they do each week.",
                "so in the table there is %1 below %2.",
                "the team keeps %1 near %2 during the afternoon.",
            ]
        let pattern = patterns.randomElement(using: &dice)!
        let first = nouns.randomElement(using: &dice)!, second = nouns.randomElement(using: &dice)!
        let text = pattern.replacing("%1", with: first).replacing("%2", with: second)
        return text.prefix(1).uppercased() + text.dropFirst()
    }

    private mutating func plantedSentences() -> [String] {
        let english = [
            "Did you know that 90 percent of startups fail because nobody asked the customer one question?",
            "The biggest mistake you can make is to build the product before you talk to people.",
            "We lost two million dollars in a single year, and I will tell you exactly why it happened.",
            "Our customers never wanted the product, they wanted an honest answer from a human being.",
            "When we finally listened, revenue tripled in six months and the startup survived!",
        ]
        let spanish = [
            "¿Sabías que el 90 por ciento de las empresas fracasa porque nadie escucha a sus clientes?",
            "El mayor error que puedes cometer es construir el producto antes de hablar con la gente.",
            "Perdimos dos millones de euros en un solo año, y te voy a contar exactamente la razón.",
            "Nuestros clientes nunca quisieron el producto, querían una respuesta honesta de un ser humano.",
            "Cuando por fin escuchamos, los ingresos se triplicaron en seis meses y la empresa sobrevivió.",
        ]
        return language == "es" ? spanish : english
    }

    private var topics: [[String]] {
        language == "es"
            ? [
                ["madera", "tornillos", "barniz", "sierra", "tablones", "cola"],
                ["trigo", "riego", "tractor", "semillas", "cosecha", "graneros"],
                ["velas", "anclas", "puertos", "mareas", "cuerdas", "remos"],
                ["agujas", "lana", "botones", "telas", "hilos", "patrones"],
            ]
            : [
                ["timber", "screws", "varnish", "saws", "planks", "glue"],
                ["wheat", "irrigation", "tractors", "seeds", "harvests", "barns"],
                ["sails", "anchors", "harbours", "tides", "ropes", "oars"],
                ["needles", "wool", "buttons", "fabrics", "threads", "patterns"],
            ]
    }

    private mutating func curves(_ words: [Word], planted: [TimeRange], duration: Double) -> SoundCurves {
        let steps = Int(duration / SoundCurves.stepSeconds)
        var energy = [Float](repeating: -65, count: steps)
        var silences: [TimeRange] = []
        var lastEnd = 0.0
        for word in words {
            if word.start - lastEnd >= 0.3 { silences.append(TimeRange(start: lastEnd, end: word.start)) }
            lastEnd = word.end
            let isPlanted = planted.contains { $0.contains(word.start) }
            let level: Float = isPlanted ? -17 : -24
            for step in Int(word.start * 10)...min(steps - 1, Int(word.end * 10)) {
                energy[step] = level + Float.random(in: -2...2, using: &dice)
            }
        }
        return SoundCurves(
            durationSeconds: duration, energyDBFS: energy, loudnessLUFS: energy, integratedLUFS: -22,
            silences: silences)
    }
}
