import ClipModel
import Media

/// A made-up talk of one genre: dull sentences on a few topics, idle words, traps that are only loud, and planted
/// moments that a good editor would cut out.
struct PlantedTalk {
    /// How a planted moment differs from the rest. None differs in everything.
    enum Genre: CaseIterable, Sendable {
        /// Planted moments are said a little quicker, louder and livelier.
        case lecture
        /// The audience laughs or claps, and now and then for nothing.
        case comedy
        /// Two voices; loudness says little.
        case interview
        /// Planted moments are slower and quieter, and the voice moves.
        case story
        /// Long stretches of loud music without a word.
        case music
        /// No marks and no capitals; loudness wanders.
        case unmarked
    }

    var transcript: Transcript
    var curves: SoundCurves
    var durationSeconds: Double
    var planted: [TimeRange] = []
    /// Where the audience is heard after a planted moment.
    var reactions: [TimeRange] = []
    var music: [TimeRange] = []

    init(_ script: MomentScript, _ genre: Genre, language: String, seed: UInt64, seconds: Double = 600) {
        var maker = Maker(script: script, genre: genre, dice: TalkDice(seed: seed))
        maker.run(seconds: seconds)
        transcript = Transcript(language: language, words: maker.words)
        durationSeconds = maker.time + 1
        planted = maker.planted
        reactions = maker.reactions
        music = maker.music
        curves = maker.curves(durationSeconds: durationSeconds)
    }
}

/// Speaks the talk, and draws the curves of its sound.
private struct Maker {
    /// How a stretch of words is said.
    struct Manner {
        var rate = 1.0
        var level: Float = 0
        /// In semitones, standard deviation.
        var liveliness = 2.0
        var voice = 120.0
    }

    let script: MomentScript
    let genre: PlantedTalk.Genre
    var dice: TalkDice
    var words: [Word] = []
    var manners: [Manner] = []
    var planted: [TimeRange] = []
    var reactions: [TimeRange] = []
    var claps: [TimeRange] = []
    var music: [TimeRange] = []
    var time = 0.8

    init(script: MomentScript, genre: PlantedTalk.Genre, dice: TalkDice) {
        self.script = script
        self.genre = genre
        self.dice = dice
    }

    mutating func run(seconds: Double) {
        let moments = script.moments.shuffled(using: &dice).prefix(4)
        let gap = seconds / Double(moments.count)
        let places = moments.indices.map { (Double($0) + .random(in: 0.25...0.65, using: &dice)) * gap }
        let trap = Double.random(in: 0.1...0.9, using: &dice) * seconds
        var isTrapSet = genre == .comedy
        while time < seconds {
            if planted.count < places.count, time >= places[planted.count] {
                plant(moments[moments.startIndex + planted.count])
            } else if !isTrapSet, time >= trap {
                isTrapSet = true
                let end = time + 20
                while time < end { say(dull(at: time / seconds), Manner(level: 6)) }
            } else if genre == .music, Int.random(in: 0..<14, using: &dice) == 0 {
                let length = Double.random(in: 14...26, using: &dice)
                music.append(TimeRange(start: time + 0.4, end: time + length))
                time += length + 0.6
            } else if Int.random(in: 0..<10, using: &dice) == 0 {
                say(script.idle.randomElement(using: &dice)!, usual())
                if genre == .comedy, Bool.random(using: &dice) { clap(for: 0.9) }
            } else {
                say(dull(at: time / seconds), usual())
            }
        }
    }

    private mutating func usual() -> Manner {
        switch genre {
        case .interview:
            Manner(level: .random(in: -4...4, using: &dice), voice: Bool.random(using: &dice) ? 110 : 205)
        case .unmarked: Manner(level: .random(in: -5...5, using: &dice))
        default: Manner()
        }
    }

    private mutating func plant(_ moment: [String]) {
        let manner =
            switch genre {
            case .lecture: Manner(rate: 1.1, level: 3, liveliness: 3.5)
            case .comedy: Manner(liveliness: 3)
            case .interview: Manner(rate: 1.05, level: 1, liveliness: 3, voice: 205)
            case .story: Manner(rate: 0.92, level: -1, liveliness: 4.5)
            case .music: Manner(level: 3)
            case .unmarked: Manner(rate: 1.05, level: 3, liveliness: 3)
            }
        let start = time
        for sentence in moment { say(sentence.filter { $0 != "*" }, manner) }
        planted.append(TimeRange(start: start, end: words[words.count - 1].end))
        if moment[moment.count - 1].hasSuffix("*") || genre == .comedy { clap(for: .random(in: 1.6...4, using: &dice)) }
        time += 0.8
    }

    private mutating func clap(for seconds: Double) {
        let start = words[words.count - 1].end + 0.25
        reactions.append(TimeRange(start: start, end: start + seconds))
        time = max(time, start + seconds + 0.3)
    }

    private mutating func dull(at share: Double) -> String {
        let topic = script.topics[min(script.topics.count - 1, Int(share * Double(script.topics.count)))]
        let pattern = script.dull.randomElement(using: &dice)!
        let things = topic.shuffled(using: &dice)
        let text = pattern.replacing("%1", with: things[0]).replacing("%2", with: things[1])
        return text.prefix(1).uppercased() + text.dropFirst()
    }

    private mutating func say(_ sentence: String, _ manner: Manner) {
        for piece in sentence.split(separator: " ") {
            let plain = piece.filter { $0.isLetter || $0.isNumber }.lowercased()
            let length = (0.09 + 0.05 * Double(piece.count)) / manner.rate
            let end = ((time + length) * 100).rounded() / 100
            words.append(
                Word(text: genre == .unmarked ? plain : String(piece), start: time, end: end, probability: 0.9))
            manners.append(manner)
            let pause = Bool.random(using: &dice) ? 0 : Double(Int.random(in: 1...12, using: &dice)) / 100
            time = ((end + pause) * 100).rounded() / 100
        }
        time = ((time + .random(in: 0.35...0.9, using: &dice)) * 100).rounded() / 100
    }

    mutating func curves(durationSeconds: Double) -> SoundCurves {
        let steps = Int(durationSeconds / SoundCurves.stepSeconds)
        var energy = [Float](repeating: -65, count: steps), pitch = [Float](repeating: 0, count: steps)
        var silences: [TimeRange] = []
        var lastEnd = 0.0
        for (word, manner) in zip(words, manners) {
            let noises = reactions + music
            if word.start - lastEnd >= 0.3,
                !noises.contains(where: { $0.overlap(TimeRange(start: lastEnd, end: word.start)) > 0 })
            {
                silences.append(TimeRange(start: lastEnd, end: word.start))
            }
            lastEnd = word.end
            // The sum of twelve even throws has the spread of a bell.
            let bell = (0..<12).reduce(-6.0) { sum, _ in sum + .random(in: 0...1, using: &dice) }
            let tone = manner.voice * power(1.0595, manner.liveliness * bell)
            for step in Int(word.start * 10)...min(steps - 1, Int(word.end * 10)) {
                energy[step] = -24 + manner.level + .random(in: -2...2, using: &dice)
                pitch[step] = Int.random(in: 0..<4, using: &dice) == 0 ? 0 : Float(tone)
            }
        }
        for (noises, level) in [(reactions, Float(-22)), (music, -16)] {
            for noise in noises {
                for step in Int(noise.start * 10)..<min(steps, Int(noise.end * 10)) {
                    energy[step] = level + .random(in: -2...2, using: &dice)
                }
            }
        }
        return SoundCurves(
            durationSeconds: durationSeconds, energyDBFS: energy, loudnessLUFS: energy, integratedLUFS: -22,
            silences: silences, pitchHz: pitch)
    }

    /// Without Foundation; for exponents of a few dozen.
    private func power(_ base: Double, _ exponent: Double) -> Double {
        var value = 1.0, rest = exponent
        while rest >= 1 { (value, rest) = (value * base, rest - 1) }
        while rest <= -1 { (value, rest) = (value / base, rest + 1) }
        return value * (1 + rest * (base - 1))
    }
}
