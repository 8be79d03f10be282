import ClipModel

/// Listens to one chunk with a model: windows, second thoughts, language.
package struct ChunkRecogniser: Sendable {
    package struct Limits: Hashable, Sendable {
        package var window = WindowPlan.Limits()
        package var verdict = WindowVerdict.Limits()
        /// Silence put before a window: without it the model now and then swallows the first word.
        package var leadSeconds = 0.3
        package var tailSeconds = 0.3
        /// The encoder computes this much more than the window holds; the rest of its 30 s would be silence anyway.
        package var slackSeconds = 2.0
        /// Beams of a second try. One more beam costs one more decoder, a fifth of a pass.
        package var secondBeams = 3
        /// Runs of the model for every window of the chunk, on average: bounds the time that a chunk of music, in which
        /// every window is in doubt, may take.
        package var passesPerWindowMax = 2
        /// Wordless stretches of one window that are listened to again.
        package var wordlessPerWindowMax = 3
        /// Sound that goes on across the edge of a chunk is heard this far beyond it, so that the word there is whole.
        package var edgeSeconds = 0.6
        package var promptCharactersMax = 200

        package init() {}
    }

    private let limits: Limits

    package init(limits: Limits = Limits()) { self.limits = limits }

    /// `progress` gets 0 to 1. Cancelled by `interruption`.
    package func transcribe(
        _ request: TranscriptionRequest, threads: Int, model: borrowing WhisperModel, languages: inout LanguageMemory,
        interruption: Interruption, progress: (Double) -> Void
    ) throws(MediaError) -> TranscribedChunk {
        let sound = try WaveFile(path: request.pcmPath)
        let file = TimeRange(start: 0, end: sound.durationSeconds)
        guard let chunk = request.chunk.clamped(to: file) else {
            return TranscribedChunk(words: [], language: "und", languageProbability: 0, retriedWindows: 0)
        }
        let around = TimeRange(start: max(0, chunk.start - limits.edgeSeconds), end: chunk.end + limits.edgeSeconds)
        let activity = try measure(sound, around.clamped(to: file) ?? chunk)
        let windows = WindowPlan.windows(of: heard(chunk, activity), activity: activity, limits: limits.window)
        guard let first = windows.first else {
            return TranscribedChunk(words: [], language: "und", languageProbability: 0, retriedWindows: 0)
        }
        let language = try languages.language(of: request, fallbackSample: first) { sample throws(MediaError) in
            let samples = try sound.samples(in: sample)
            return try model.detectLanguage(samples, threads: threads, interruption: interruption)
        }
        var listener = Listener(
            limits: limits, activity: activity, language: language.code, prompt: prompt(request.keywords),
            threads: threads, interruption: interruption, passesLeft: limits.passesPerWindowMax * windows.count + 1)
        var words: [Word] = []
        for window in windows {
            progress((window.start - chunk.start) / chunk.duration)
            words += try listener.words(in: window, of: sound, model: model)
        }
        return TranscribedChunk(
            // A word on the edge belongs to the chunk that holds its middle; the neighbour drops it by the same rule.
            words: words.filter { chunk.contains($0.range.middle) }, language: language.code,
            languageProbability: language.probability, retriedWindows: listener.retriedWindows)
    }

    /// Level by level in blocks, so that a long chunk needs no more memory than a short one.
    private func measure(_ sound: borrowing WaveFile, _ range: TimeRange) throws(MediaError) -> SpeechActivity {
        var (levels, start) = ([Float](), range.start)
        while start < range.end {
            let end = min(range.end, start + 20)
            levels += SpeechActivity.levels(of: try sound.samples(in: TimeRange(start: start, end: end)))
            start = end
        }
        return SpeechActivity(levels: levels, start: range.start)
    }

    /// The chunk, longer at an edge at which somebody is speaking.
    private func heard(_ chunk: TimeRange, _ activity: SpeechActivity) -> TimeRange {
        func isCut(_ edge: Double) -> Bool {
            activity.voicedSeconds(in: TimeRange(start: edge - 0.06, end: edge + 0.06)) > 0.06
        }
        return TimeRange(
            start: isCut(chunk.start) ? activity.range.start : chunk.start,
            end: isCut(chunk.end) ? activity.range.end : min(chunk.end, activity.range.end))
    }

    private func prompt(_ keywords: [String]) -> String? {
        var text = ""
        for keyword in keywords where text.count + keyword.count + 2 <= limits.promptCharactersMax {
            text += (text.isEmpty ? "" : ", ") + keyword
        }
        return text.isEmpty ? nil : text + "."
    }
}

/// The tries at the windows of one chunk, and what they may still cost.
private struct Listener {
    let limits: ChunkRecogniser.Limits
    let activity: SpeechActivity
    let language: String
    let prompt: String?
    let threads: Int
    let interruption: Interruption
    var passesLeft: Int
    var retriedWindows = 0

    private struct Attempt {
        var words: [Word]
        var verdict: WindowVerdict
        var noSpeechProbability: Double
    }

    mutating func words(
        in window: TimeRange, of sound: borrowing WaveFile, model: borrowing WhisperModel
    ) throws(MediaError) -> [Word] {
        var best = try attempt(window, of: sound, model: model, lead: limits.leadSeconds, beams: 1, prompt: prompt)
        if !best.verdict.isGood, passesLeft > 0 { retriedWindows += 1 }
        // Again, moved by most of a second and without the prompt: what throws the model off is often where a window
        // happens to begin. Beams instead of the usual temperatures, because those draw lots and the answer to the same
        // request must be the same.
        if best.verdict.isWholeInDoubt, passesLeft > 0 {
            let lead = limits.leadSeconds + 0.7
            let second = try attempt(
                window, of: sound, model: model, lead: lead, beams: limits.secondBeams, prompt: nil)
            if second.verdict.quality > best.verdict.quality { best = second }
        }
        // Still bad: in two halves. A circle needs a run-up, and a lost start takes only its own half with it.
        if best.verdict.isWholeInDoubt, passesLeft > 1, window.duration > 8, !best.words.isEmpty {
            let halves = try attemptHalves(window, of: sound, model: model)
            if halves.verdict.quality > best.verdict.quality { best = halves }
        }
        if best.verdict.doubts.contains(.repeated) { best.words = Repetition.cut(best.words) }
        best.words = InventedSpeech.remove(
            from: best.words, window: window, noSpeechProbability: best.noSpeechProbability, activity: activity)
        return try filled(best, in: window, of: sound, model: model)
    }

    /// With the stretches that were left without words listened to on their own.
    private mutating func filled(
        _ best: Attempt, in window: TimeRange, of sound: borrowing WaveFile, model: borrowing WhisperModel
    ) throws(MediaError) -> [Word] {
        var words = best.words
        // All of it: that was the window itself, and trying the same thing a third time helps nobody.
        let stretches = best.verdict.wordless.filter { $0.duration < 0.8 * window.duration }
        for stretch in stretches.prefix(limits.wordlessPerWindowMax) where passesLeft > 0 {
            let wide = TimeRange(start: stretch.start - 0.2, end: stretch.end + 0.2).clamped(to: window) ?? stretch
            let found = try attempt(
                wide, of: sound, model: model, lead: limits.leadSeconds, beams: limits.secondBeams, prompt: nil)
            let heard = InventedSpeech.remove(
                from: found.words, window: wide, noSpeechProbability: found.noSpeechProbability, activity: activity)
            // Alone and unsure is how the model sounds over music. Neighbours may be heard twice: only what is inside.
            if !found.verdict.doubts.contains(.unsure), !found.verdict.doubts.contains(.repeated) {
                words += heard.filter { stretch.contains($0.range.middle) }
            }
        }
        return words.sorted { $0.start < $1.start }
    }

    private mutating func attemptHalves(
        _ window: TimeRange, of sound: borrowing WaveFile, model: borrowing WhisperModel
    ) throws(MediaError) -> Attempt {
        let middle = TimeRange(
            start: window.start + 0.35 * window.duration, end: window.start + 0.65 * window.duration)
        let pause = activity.pauses(in: middle, secondsMin: 0.1).max { $0.duration < $1.duration }
        let cut = pause?.middle ?? activity.quietestMoment(in: middle)
        let lead = limits.leadSeconds
        let first = try attempt(
            TimeRange(start: window.start, end: cut), of: sound, model: model, lead: lead, beams: 1, prompt: nil)
        let second = try attempt(
            TimeRange(start: cut, end: window.end), of: sound, model: model, lead: lead, beams: 1, prompt: nil)
        let words = first.words + second.words
        return Attempt(
            words: words,
            verdict: WindowVerdict(of: words, window: window, activity: activity, limits: limits.verdict),
            noSpeechProbability: max(first.noSpeechProbability, second.noSpeechProbability))
    }

    private mutating func attempt(
        _ window: TimeRange, of sound: borrowing WaveFile, model: borrowing WhisperModel, lead: Double, beams: Int,
        prompt: String?
    ) throws(MediaError) -> Attempt {
        passesLeft -= 1
        let rate = Double(WaveFile.samplesPerSecond)
        let samples =
            [Float](repeating: 0, count: Int(lead * rate)) + (try sound.samples(in: window))
            + [Float](repeating: 0, count: Int(limits.tailSeconds * rate))
        let settings = DecodingSettings(
            beams: beams, prompt: prompt, audioSeconds: Double(samples.count) / rate + limits.slackSeconds)
        let recognition = try model.recognise(
            samples, settings, language: language, threads: threads, interruption: interruption)
        let words = WordTiming.words(
            of: WordAssembler.words(of: recognition.tokens, language: language), origin: window.start - lead,
            window: window, activity: activity)
        return Attempt(
            words: words,
            verdict: WindowVerdict(of: words, window: window, activity: activity, limits: limits.verdict),
            noSpeechProbability: recognition.noSpeechProbability)
    }
}
