import ClipModel
import Media
import Testing

@Suite struct WindowVerdictTests {
    private let window = TimeRange(start: 0, end: 20)

    private func verdict(_ words: [Word], _ sounds: [ClosedRange<Double>] = [0...20]) -> WindowVerdict {
        WindowVerdict(of: words, window: window, activity: SpeechSamples.activity(sounds, seconds: 20))
    }

    @Test func `speech that fills its sound is good`() {
        #expect(verdict(SpeechSamples.speech(50)).isGood)
        #expect(verdict(SpeechSamples.speech(50)).quality > 0.85)
    }

    @Test func `long sound without words is dropped, and where is known`() {
        let words = SpeechSamples.speech(20) + SpeechSamples.speech(10, from: 16)
        let found = verdict(words)
        #expect(found.doubts == [.dropped])
        #expect(found.wordless == [TimeRange(start: words[19].end, end: 16)])
        #expect(!found.isWholeInDoubt)
    }

    @Test func `silence without words is fine`() {
        #expect(verdict(SpeechSamples.speech(20), [0...8.2]).isGood)
    }

    @Test func `a window with sound and no words at all is in doubt as a whole`() {
        #expect(verdict([]).isWholeInDoubt)
        #expect(verdict([]).quality == 0)
    }

    @Test func `a guess is unsure`() {
        #expect(verdict(SpeechSamples.speech(50, probability: 0.3)).doubts == [.unsure])
    }

    @Test func `more words than a tongue can speak are crowded`() {
        let crowd = (0..<60).map { SpeechSamples.word("w\($0)", 0.05 * Double($0), 0.05 * Double($0 + 1)) }
        #expect(verdict(crowd, [0...3]).doubts == [.crowded])
    }

    @Test func `a circle is repeated, a phrase said twice is not`() {
        func say(_ text: String, times: Int) -> [Word] {
            let texts = (0..<times).flatMap { _ in text.split(separator: " ") }
            return texts.enumerated().map { SpeechSamples.word(String($1), 0.4 * Double($0), 0.4 * Double($0 + 1)) }
        }
        #expect(Repetition.share(of: say("gracias por ver el video", times: 8)) == 0.875)
        #expect(Repetition.share(of: say("no", times: 3)) == 0)
        #expect(Repetition.share(of: say("I have a dream", times: 2)) == 0)
        #expect(Repetition.cut(say("No, no,", times: 10)).map(\.text) == ["No,"])
        #expect(Repetition.share(of: [SpeechSamples.word(String(repeating: "4.0x", count: 20), 0, 9)]) == 1)
        #expect(verdict(say("y entonces", times: 25)).doubts.contains(.repeated))
    }

    @Test func `the better of two tries has the higher quality`() {
        let whole = verdict(SpeechSamples.speech(50)).quality
        #expect(whole > verdict(SpeechSamples.speech(25)).quality)
        #expect(whole > verdict(SpeechSamples.speech(50, probability: 0.5)).quality)
        #expect(verdict(SpeechSamples.speech(25)).quality > verdict([]).quality)
    }
}

@Suite struct InventedSpeechTests {
    private let window = TimeRange(start: 0, end: 20)

    private func kept(
        _ words: [Word], silence: Double = 0, sounds: [ClosedRange<Double>] = [0...20]
    ) -> [String] {
        InventedSpeech.remove(
            from: words, window: window, noSpeechProbability: silence,
            activity: SpeechSamples.activity(sounds, seconds: 20)
        ).map(\.text)
    }

    private func say(_ text: String, _ probability: Double = 0.9) -> [Word] {
        text.split(separator: " ").enumerated().map {
            SpeechSamples.word(String($1), 0.4 * Double($0), 0.4 * Double($0 + 1), probability)
        }
    }

    @Test(arguments: ["Gracias por ver el video.", "¡Suscríbete al canal!", "Thanks for watching!", "Thank you."])
    func `what subtitles end with is not believed over noise`(text: String) {
        #expect(kept(say(text)).isEmpty)
        #expect(kept(say(text, 0.4), sounds: [0...2]).isEmpty)
    }

    @Test func `the same words are believed where somebody speaks them`() {
        #expect(kept(say("Gracias por ver el video."), sounds: [0...2.1]).count == 5)
        #expect(kept(say("Y entonces dije gracias por ver el video a todos")).count == 10)
    }

    @Test func `annotations are not speech`() {
        #expect(
            kept(say("[Music] hello (laughs softly) my *sighs* friend ♪"), sounds: [0...4]) == [
                "hello", "my", "friend",
            ])
        #expect(kept(say("a (lone bracket stays where it is in this text")).count == 10)
    }

    @Test func `words over silence go, unless the model was very sure`() {
        let words = [SpeechSamples.word("here", 1, 1.4), SpeechSamples.word("ghost", 10, 10.4, 0.6)]
        #expect(kept(words, sounds: [0...2]) == ["here"])
    }

    @Test func `a few guesses over music go, unsure speech stays`() {
        #expect(kept([SpeechSamples.word("aici", 3, 4, 0.2), SpeechSamples.word("asta", 9, 10, 0.1)]).isEmpty)
        #expect(kept(SpeechSamples.speech(50, probability: 0.4)).count == 50)
        #expect(kept(SpeechSamples.speech(50, probability: 0.4), silence: 0.8).isEmpty)
    }
}
