import ClipModel
import Media
import Testing

/// The laws that hold for every selection, whatever the input.
struct SelectionLaws {
    let selection: HighlightSelection
    let words: [Word]
    let durationSeconds: Double
    let limits: TimeRange

    /// What is broken, in words; empty when all is well.
    func violations() -> [String] {
        var found: [String] = []
        if selection.highlights.isEmpty { found.append("no clip") }
        let inTime = selection.highlights.map(\.range).sorted { $0.start < $1.start }
        for (clip, next) in zip(inTime, inTime.dropFirst()) where next.start < clip.end {
            found.append("\(clip) overlaps \(next)")
        }
        let isWhole = selection.notes.contains { $0.code == "video_shorter_than_clip" }
        for clip in inTime {
            if clip.start < 0 || clip.end > durationSeconds + 0.001 { found.append("\(clip) leaves the video") }
            if !isWhole, clip.duration < limits.start - 1e-9 || clip.duration > limits.end + 1e-9 {
                found.append("\(clip) lasts \(clip.duration)")
            }
            for border in [clip.start, clip.end] {
                if let word = words.first(where: { $0.start + 0.0011 < border && border < $0.end - 0.0011 }) {
                    found.append("\(border) is inside “\(word.text)” \(word.range)")
                }
            }
        }
        if zip(selection.highlights, selection.highlights.dropFirst()).contains(where: { $0.score < $1.score }) {
            found.append("scores rise")
        }
        for highlight in selection.highlights {
            if !(0...100).contains(highlight.score) { found.append("score \(highlight.score)") }
            if highlight.title.isEmpty || highlight.title.count > 60 { found.append("title “\(highlight.title)”") }
            if highlight.reason.isEmpty { found.append("no reason") }
            for (name, value) in highlight.signals
            where !(0...1).contains(value) || HighlightSignal(rawValue: name) == nil {
                found.append("signal \(name) \(value)")
            }
        }
        return found
    }
}

struct HighlightSelectorTests {
    private func options(
        _ preset: JobOptions.DurationPreset = .normal, count: Int = 5, keywords: [String] = []
    ) -> JobOptions {
        var options = JobOptions()
        options.durationPreset = preset
        options.clipCount = count
        options.keywords = keywords
        return options
    }

    private func select(_ talk: TalkGenerator.Talk, _ options: JobOptions) -> HighlightSelection {
        HighlightSelector.select(
            transcript: talk.transcript, curves: talk.curves, cuts: talk.cuts, durationSeconds: talk.durationSeconds,
            options: options)
    }

    @Test(arguments: 1...12, JobOptions.DurationPreset.allCases)
    func `clips start and end between words, keep to the limits and never overlap`(
        seed: Int, preset: JobOptions.DurationPreset
    ) {
        var generator = TalkGenerator(
            seed: UInt64(seed), language: seed % 2 == 0 ? "es" : "en", hasMarks: seed % 3 != 0)
        let talk = generator.talk(seconds: 120 + 60 * Double(seed), plants: seed % 4)
        let options = options(preset, count: 3 + seed % 8)
        let selection = select(talk, options)
        let laws = SelectionLaws(
            selection: selection, words: talk.transcript.words, durationSeconds: talk.durationSeconds,
            limits: options.clipSeconds)
        #expect(laws.violations().isEmpty)
        let room = Int(talk.durationSeconds / options.clipSeconds.end)
        #expect(selection.highlights.count >= min(4, options.clipCount, room))
        #expect(
            selection.highlights.count == options.clipCount || selection.notes.contains { $0.code == "fewer_clips" })
    }

    @Test func `spare moments are looked for only when somebody wants them, and change nothing else`() {
        var generator = TalkGenerator(seed: 5)
        let talk = generator.talk(seconds: 600, plants: 3)
        func select(withSpares: Bool) -> HighlightSelection {
            HighlightSelector.select(
                transcript: talk.transcript, curves: talk.curves, cuts: talk.cuts,
                durationSeconds: talk.durationSeconds, options: options(count: 3), withSpares: withSpares)
        }
        let (without, with) = (select(withSpares: false), select(withSpares: true))
        #expect(without.spares.isEmpty && !with.spares.isEmpty)
        #expect(with.highlights == without.highlights)
        for spare in with.spares {
            #expect(!with.highlights.contains { $0.range.overlap(spare.range) > 0 })
        }
    }

    @Test(arguments: 1...8)
    func `a clip keeps at most 350 ms before its first word and 450 ms after its last`(seed: Int) {
        var generator = TalkGenerator(seed: UInt64(seed))
        let talk = generator.talk(seconds: 300, plants: 3)
        for highlight in select(talk, options()).highlights {
            let words = talk.transcript.words.filter { highlight.range.overlap($0.range) > 0.001 }
            #expect(words[0].start - highlight.range.start <= 0.351)
            #expect(highlight.range.end - words[words.count - 1].end <= 0.451)
        }
    }

    @Test func `the same input gives the same output`() {
        var first = TalkGenerator(seed: 5), second = TalkGenerator(seed: 5)
        let options = options(keywords: ["harbours"])
        #expect(
            select(first.talk(seconds: 400, plants: 3), options)
                == select(second.talk(seconds: 400, plants: 3), options))
    }

    @Test(arguments: ["en", "es"])
    func `planted highlights are found, random windows do not find them`(language: String) {
        var planted = 0, found = 0, foundByChance = 0
        for seed in 1...10 {
            var generator = TalkGenerator(seed: UInt64(seed), language: language)
            let talk = generator.talk(seconds: 600, plants: 4)
            let selection = select(talk, options(count: 4))
            var dice = TalkDice(seed: UInt64(100 + seed))
            let windows = selection.highlights.map { highlight in
                let start = Double.random(in: 0...(talk.durationSeconds - highlight.range.duration), using: &dice)
                return TimeRange(start: start, end: start + highlight.range.duration)
            }
            for plant in talk.planted {
                planted += 1
                let need = 0.5 * min(plant.duration, 32)
                if selection.highlights.contains(where: { $0.range.overlap(plant) >= need }) { found += 1 }
                if windows.contains(where: { $0.overlap(plant) >= need }) { foundByChance += 1 }
            }
        }
        #expect(Double(found) >= 0.8 * Double(planted), "\(found) of \(planted)")
        #expect(Double(foundByChance) <= 0.3 * Double(planted), "\(foundByChance) of \(planted)")
    }

    @Test func `a keyword draws the choice to where it is said`() {
        var generator = TalkGenerator(seed: 9)
        var talk = generator.talk(seconds: 600, plants: 0)
        let place = talk.transcript.words.firstIndex { $0.start > 333 && $0.text.hasSuffix(".") }! + 1
        for (offset, text) in ["Inteligéncia", "Artificial,"].enumerated() {
            talk.transcript.words[place + offset].text = text
        }
        let selection = select(talk, options(count: 3, keywords: ["inteligencia artificial"]))
        let hit = talk.transcript.words[place]
        let clip = selection.highlights.first { $0.range.contains(hit.start) }
        #expect(clip != nil)
        #expect(clip?.signals["keywords"] == 0.5)
        #expect(clip?.reason.contains("“inteligencia artificial”") == true)
    }

    @Test func `a clip does not start with a word that hangs on the sentence before`() {
        for seed in 1...6 {
            var generator = TalkGenerator(seed: UInt64(seed))
            let talk = generator.talk(seconds: 500, plants: 3)
            for highlight in select(talk, options()).highlights {
                let first = talk.transcript.words.first { $0.start >= highlight.range.start }
                #expect(first.map { !["And", "So"].contains($0.text) } ?? false, "\(highlight.range)")
            }
        }
    }

    @Test func `a start near a cut is put on the cut`() throws {
        var words: [Word] = []
        for index in 0..<120 {
            let start = 1 + Double(index) * 0.5 + (Double(index / 10) * 0.6)
            let text = index % 10 == 0 ? "Budgets" : index % 10 == 9 ? "numbers\(index)." : "item\(index)"
            words.append(Word(text: text, start: start, end: start + 0.45, probability: 1))
        }
        let starts = stride(from: 0, to: 120, by: 10).map { words[$0].start }
        let selection = HighlightSelector.select(
            transcript: Transcript(language: "en", words: words), curves: nil, cuts: starts.map { $0 - 0.1 },
            durationSeconds: 72, options: options(.short, count: 3))
        for highlight in selection.highlights {
            #expect(starts.contains { abs($0 - 0.1 - highlight.range.start) < 0.0011 })
        }
    }
}
