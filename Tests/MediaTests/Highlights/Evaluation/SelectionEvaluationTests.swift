import ClipModel
import Media
import Testing

/// How well moments and topics are found in made-up talks whose truth is known. The scripts that are asserted on here
/// were not looked at while the figures of selection were tuned; `MomentScript.tuned` was.
struct SelectionEvaluationTests {
    /// Chooses ranges of a talk, as many as were planted.
    typealias Selector = (PlantedTalk, _ language: String, _ seed: UInt64) -> [TimeRange]

    private static let languages = ["en", "es", "pt"]

    private func ours(_ talk: PlantedTalk, _ language: String, _ seed: UInt64) -> [TimeRange] {
        var options = JobOptions()
        options.clipCount = talk.planted.count
        return HighlightSelector.select(
            transcript: talk.transcript, curves: talk.curves, cuts: [], durationSeconds: talk.durationSeconds,
            options: options
        ).highlights.map(\.range)
    }

    private func random(_ talk: PlantedTalk, _ language: String, _ seed: UInt64) -> [TimeRange] {
        var dice = TalkDice(seed: seed &* 31 &+ UInt64(talk.transcript.words.count))
        return talk.planted.map { _ in
            let start = Double.random(in: 0...(talk.durationSeconds - 25), using: &dice)
            return TimeRange(start: start, end: start + 25)
        }
    }

    /// A selector that is planted to fail: it takes what is loudest.
    private func loudest(_ talk: PlantedTalk, _ language: String, _ seed: UInt64) -> [TimeRange] {
        let steps = talk.curves.loudnessLUFS
        let windows = stride(from: 0, to: steps.count - 250, by: 20).map { first in
            (sum: steps[first..<first + 250].reduce(0, +), start: Double(first) / 10)
        }
        var chosen: [TimeRange] = []
        for window in windows.sorted(by: { $0.sum > $1.sum }) where chosen.count < talk.planted.count {
            let range = TimeRange(start: window.start, end: window.start + 25)
            if chosen.allSatisfy({ $0.overlap(range) == 0 }) { chosen.append(range) }
        }
        return chosen
    }

    /// Share of the planted moments of which at least half is in one of the chosen ranges.
    private func recall(
        _ languages: [String] = languages, _ genres: [PlantedTalk.Genre] = PlantedTalk.Genre.allCases,
        seeds: ClosedRange<UInt64>, _ selector: Selector
    ) -> Double {
        var planted = 0, found = 0
        for language in languages {
            for genre in genres {
                for seed in seeds {
                    let talk = PlantedTalk(.heldOut(language), genre, language: language, seed: seed)
                    let chosen = selector(talk, language, seed)
                    planted += talk.planted.count
                    found +=
                        talk.planted.filter { plant in
                            chosen.contains { $0.overlap(plant) >= 0.5 * min(plant.duration, 32) }
                        }.count
                }
            }
        }
        return Double(found) / Double(planted)
    }

    @Test(arguments: languages)
    func `planted moments are found in talks of every genre, on scripts that nothing was tuned on`(language: String) {
        let found = recall([language], seeds: 1...4, ours)
        #expect(found >= 0.8, "\(found)")
    }

    @Test(arguments: PlantedTalk.Genre.allCases)
    func `no genre is left behind`(genre: PlantedTalk.Genre) {
        let found = recall(Self.languages, [genre], seeds: 21...22, ours)
        #expect(found >= 0.7, "\(genre): \(found)")
    }

    @Test func `chance does not find them, nor does who takes what is loudest`() {
        let byChance = recall(seeds: 1...8, random)
        #expect(byChance <= 0.3, "\(byChance)")
        let byLoudness = recall(seeds: 1...2, loudest)
        #expect(byLoudness < 0.8, "\(byLoudness)")
    }

    @Test(arguments: languages)
    func `the laughter that a moment earned is in its clip, and music is not`(language: String) {
        var earned = 0, heard = 0, overMusic = 0.0
        for seed in UInt64(31)...33 {
            let comedy = PlantedTalk(.heldOut(language), .comedy, language: language, seed: seed)
            let clips = ours(comedy, language, seed)
            for plant in comedy.planted {
                guard let laugh = comedy.reactions.first(where: { abs($0.start - plant.end) < 1 }) else { continue }
                guard let clip = clips.first(where: { $0.overlap(plant) >= 0.8 * plant.duration }) else { continue }
                earned += 1
                if clip.overlap(laugh) >= 0.5 { heard += 1 }
            }
            let music = PlantedTalk(.heldOut(language), .music, language: language, seed: seed)
            for clip in ours(music, language, seed) {
                overMusic = max(overMusic, music.music.map { $0.overlap(clip) }.max() ?? 0)
            }
        }
        #expect(earned > 3)
        #expect(Double(heard) >= 0.7 * Double(earned), "\(heard) of \(earned)")
        #expect(overMusic < 4, "\(overMusic) s")
    }

    @Test(arguments: languages)
    func `the interest curve is higher over planted moments`(language: String) {
        for genre in PlantedTalk.Genre.allCases {
            let talk = PlantedTalk(.heldOut(language), genre, language: language, seed: 41)
            var options = JobOptions()
            options.clipCount = 4
            let curve = HighlightSelector.select(
                transcript: talk.transcript, curves: talk.curves, cuts: [], durationSeconds: talk.durationSeconds,
                options: options
            ).interest
            #expect(curve.count > 100 && curve.count <= 300)
            #expect(curve.allSatisfy { (0...1).contains($0.value) })
            #expect(curve.contains { $0.value == 0 } && curve.contains { $0.value == 1 })
            func mean(_ isInside: Bool) -> Double {
                let values = curve.filter { point in
                    talk.planted.contains { $0.contains(point.start) } == isInside
                }.map(\.value)
                return values.reduce(0, +) / Double(values.count)
            }
            #expect(mean(true) > mean(false) + 0.15, "\(genre): \(mean(true)) \(mean(false))")
        }
    }
}

struct TopicEvaluationTests {
    /// Mean error of ours, of TextTiling as published, and of a segmenter that is planted to fail: borders at random.
    private func errors(_ samples: [TopicSample], _ language: String) -> (ours: Double, plain: Double, random: Double) {
        var ours = 0.0, plain = 0.0, random = 0.0
        var dice = TalkDice(seed: 5)
        for sample in samples {
            let text = SpeechText(
                sample.transcript, durationSeconds: sample.durationSeconds, language: language)
            let sentences = SentenceSplitter(text).sentences()
            let found = zip(sentences, TopicSegmenter(text, sentences).topics()).flatMap { sentence, topic in
                sentence.words.map { _ in topic }
            }
            ours += sample.pk(found)
            plain += sample.pk(PlainTextTiling().topics(Self.terms(sample, language)))
            let share = (sample.topics[sample.topics.count - 1] + 1, sample.topics.count)
            var topic = 0
            random += sample.pk(
                sample.topics.map { _ in
                    if Int.random(in: 0..<share.1, using: &dice) < share.0 { topic += 1 }
                    return topic
                })
        }
        let count = Double(samples.count)
        return (ours / count, plain / count, random / count)
    }

    /// A number for each stem of more than three letters; shorter words mostly have no content.
    private static func terms(_ sample: TopicSample, _ language: String) -> [Int?] {
        var numbers: [String: Int] = [:]
        return sample.transcript.words.map { word in
            let folded = SpokenText.fold(word.text.filter { $0.isLetter })
            guard folded.count > 3 else { return nil }
            let stem = Stemmer.stem(folded, language: language)
            let number = numbers[stem] ?? numbers.count
            numbers[stem] = number
            return number
        }
    }

    @Test(arguments: ["en", "es", "pt"])
    func `topics of books are told apart better than by plain TextTiling`(language: String) {
        let errors = errors((UInt64(50)...59).map { .books(language: language, seed: $0) }, language)
        #expect(errors.ours <= 0.2, "\(errors)")
        #expect(errors.ours < errors.plain, "\(errors)")
        #expect(errors.random > 0.35, "\(errors)")
    }

    @Test(arguments: ["en", "es", "pt"])
    func `so are topics of talks in which a third of what is named belongs to another`(language: String) {
        let script = MomentScript.heldOut(language)
        let errors = errors((UInt64(50)...57).map { .talk(script, language: language, seed: $0) }, language)
        #expect(errors.ours <= 0.43, "\(errors)")
        #expect(errors.ours < errors.plain, "\(errors)")
    }

    @Test func `the measure is 0 for the truth, and near a half for one topic`() {
        let sample = TopicSample.books(language: "es", seed: 3)
        #expect(sample.pk(sample.topics) == 0)
        #expect(sample.pk(sample.topics.map { _ in 0 }) > 0.3)
    }
}
