import ClipModel
import Media
import Testing

/// Silence, chunks and the language sample, on made-up levels.
@Suite struct SoundRulesTests {
    private static let frame = 0.02

    /// Levels of `parts`: a length in seconds and a level in dBFS with a ripple of 3 dB.
    private func levels(_ parts: [(seconds: Double, decibels: Float)]) -> [Float] {
        parts.flatMap { part in
            (0..<Int((part.seconds / Self.frame).rounded())).map { part.decibels + Float($0 % 7) - 3 }
        }
    }

    private func silences(_ parts: [(seconds: Double, decibels: Float)]) -> [TimeRange] {
        SilenceFinder.silences(levels: levels(parts), frameSeconds: Self.frame)
    }

    // MARK: Silence

    @Test(arguments: [(Float(-20), Float(-60)), (-20, -45), (-38, -66), (-8, -30), (-16, -30)])
    func `a pause is found whatever the room and the voice`(speech: Float, room: Float) {
        let found = silences([(4, speech), (0.5, room), (6, speech), (1, room), (3, speech), (0.2, room), (4, speech)])
        #expect(found.count == 2)
        guard found.count == 2 else { return }
        #expect(abs(found[0].start - 4) < 0.05 && abs(found[0].end - 4.5) < 0.05)
        #expect(abs(found[1].start - 10.5) < 0.05 && abs(found[1].end - 11.5) < 0.05)
    }

    @Test func `a quiet speaker after a loud one is not silence`() {
        var parts: [(seconds: Double, decibels: Float)] = []
        for _ in 0..<60 { parts += [(2.5, -12), (0.5, -60)] }
        for _ in 0..<60 { parts += [(2.5, -42), (0.5, -66)] }
        let found = silences(parts)
        #expect(found.allSatisfy { $0.duration < 1 })
        #expect(found.count >= 115)
    }

    @Test func `digital silence does not hide the pauses of a room`() {
        let found = silences([(20, -100), (4, -20), (0.5, -60), (4, -20), (0.5, -60), (4, -20), (20, -100)])
        #expect(found.count == 4)
    }

    @Test func `steady music has no pauses and an inaudible sound is one`() {
        #expect(silences([(60, -20)]).isEmpty)
        #expect(silences([(60, -75)]) == [TimeRange(start: 0, end: 60)])
        #expect(silences([]).isEmpty)
    }

    @Test func `one word in ten minutes of silence is not silence`() {
        let found = silences([(300, -70), (2, -25), (300, -70)])
        #expect(found.count == 2 && abs(found[0].end - 300) < 0.1 && abs(found[1].start - 302) < 0.1)
    }

    @Test func `a click does not end a pause`() {
        let found = silences([(4, -20), (0.3, -60), (0.04, -20), (0.3, -60), (4, -20)])
        #expect(found.count == 1 && found.first.map { $0.duration > 0.55 } == true)
    }

    // MARK: Chunks

    /// Pauses as in a talk: every `every` seconds one of 0.4 to 1 s.
    private func pauses(every: Double, seconds: Double, random: inout SplitMix) -> [TimeRange] {
        var found: [TimeRange] = []
        var time = Double.random(in: 0.5...every, using: &random)
        while time < seconds - 1 {
            found.append(TimeRange(start: time, end: time + Double.random(in: 0.3...1, using: &random)))
            time += 1 + Double.random(in: 0.2...(2 * every), using: &random)
        }
        return found
    }

    @Test(arguments: 0..<40)
    func `chunks cover all that sounds, in order, and never tear a word near a pause`(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        let seconds = Double.random(in: 5...7200, using: &random)
        let silences = pauses(every: Double.random(in: 2...9, using: &random), seconds: seconds, random: &random)
        let energy = [Float](repeating: -20, count: Int(seconds * 10))
        let chunks = Chunker.chunks(durationSeconds: seconds, silences: silences, energyDBFS: energy)
        #expect(chunks.first?.start == 0 && chunks.last?.end == seconds)
        for (left, right) in zip(chunks, chunks.dropFirst()) {
            #expect(left.end == right.start)
            #expect(silences.contains { $0.middle == left.end }, "cut at \(left.end) is in no pause")
        }
        for chunk in chunks {
            #expect(chunk.duration <= Chunker.secondsMax)
            #expect(chunk.duration >= 30 || chunks.count == 1)
        }
    }

    @Test func `a talk of eight minutes becomes chunks that fill whole windows`() {
        var random = SplitMix(state: 8)
        let silences = pauses(every: 4, seconds: 480, random: &random)
        let chunks = Chunker.chunks(durationSeconds: 480, silences: silences, energyDBFS: [])
        #expect((6...9).contains(chunks.count))
        let windows = chunks.reduce(0) { $0 + ($1.duration / 30).rounded(.up) }
        // 16 windows hold eight minutes without any waste.
        #expect(windows <= 18)
    }

    @Test(arguments: [(100.0, 2...3), (190, 3...4), (270, 3...5)])
    func `a short video is shared by a few nodes`(seconds: Double, count: ClosedRange<Int>) {
        var random = SplitMix(state: 3)
        let silences = pauses(every: 3, seconds: seconds, random: &random)
        #expect(count.contains(Chunker.chunks(durationSeconds: seconds, silences: silences, energyDBFS: []).count))
    }

    @Test func `what is silent for longer than a window is left out`() {
        let silences = [TimeRange(start: 0, end: 100), TimeRange(start: 160, end: 400)]
        let chunks = Chunker.chunks(durationSeconds: 500, silences: silences, energyDBFS: [])
        #expect(chunks == [TimeRange(start: 99.5, end: 160.5), TimeRange(start: 399.5, end: 500)])
        let silent = [TimeRange(start: 0, end: 500)]
        #expect(Chunker.chunks(durationSeconds: 500, silences: silent, energyDBFS: []).isEmpty)
        #expect(Chunker.chunks(durationSeconds: 3, silences: [TimeRange(start: 0, end: 3)], energyDBFS: []).isEmpty)
        let atEnd = [TimeRange(start: 40, end: 100)]
        #expect(
            Chunker.chunks(durationSeconds: 100, silences: atEnd, energyDBFS: []) == [TimeRange(start: 0, end: 40.5)])
    }

    @Test func `where nobody pauses the quietest moment is cut`() {
        var energy = [Float](repeating: -10, count: 10_000)
        for place in stride(from: 725, to: 10_000, by: 750) { energy[place] = -30 }
        let chunks = Chunker.chunks(durationSeconds: 1000, silences: [], energyDBFS: energy)
        #expect(chunks.count > 3 && chunks.allSatisfy { $0.duration <= Chunker.secondsMax })
        for chunk in chunks.dropLast() { #expect(energy[Int(chunk.end * 10)] <= -10) }
    }

    @Test(arguments: [0.5, 3, 29, 31, 61, 119])
    func `a short video is one chunk or two`(seconds: Double) {
        let chunks = Chunker.chunks(durationSeconds: seconds, silences: [], energyDBFS: [])
        #expect((1...2).contains(chunks.count))
        #expect(chunks.first?.start == 0 && chunks.last?.end == seconds)
    }

    // MARK: The language sample

    @Test func `the language is told where there is speech and not music`() throws {
        // A minute of steady music, a minute of syllables, a minute of silence.
        let music = [Float](repeating: -12, count: 600)
        let speech = (0..<600).map { Float($0 % 3 == 0 ? -30 : -18) }
        let silence = [Float](repeating: -90, count: 600)
        let sample = try #require(
            LanguageSample.choose(
                durationSeconds: 180, energyDBFS: music + speech + silence,
                silences: [TimeRange(start: 120, end: 180)]))
        #expect(sample.duration <= 30 && sample.start >= 59 && sample.end <= 121)
    }

    @Test func `silence has no language and a short sound is its own sample`() {
        let silent = [TimeRange(start: 0, end: 10)]
        let quiet = [Float](repeating: -90, count: 100)
        #expect(LanguageSample.choose(durationSeconds: 10, energyDBFS: quiet, silences: silent) == nil)
        let sound = (0..<100).map { Float($0 % 3 * -5) }
        #expect(
            LanguageSample.choose(durationSeconds: 10, energyDBFS: sound, silences: []) == TimeRange(start: 0, end: 10))
        #expect(LanguageSample.choose(durationSeconds: 10, energyDBFS: [], silences: []) == nil)
    }
}
