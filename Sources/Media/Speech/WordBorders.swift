import ClipModel
import Foundation

/// Moves the borders between words to where the words' lengths and the sound have them.
///
/// The model's attention moves on within a few frames of a border as a rule. But it leaves a long word before that has
/// ended, and now and then it stays on one word for a second and then runs through the next five at once. So all
/// borders of a window are chosen together, on the frames that have sound (pauses take no time), as those that cost
/// least: each border by its distance from where the attention moved on, each word by its length, pauses inside words,
/// and borders where the sound does not grow. Costs are measured against each other by logarithms of chances.
///
/// The constants were set on espeak-ng's English, Spanish and Portuguese, clean, noisy and in a room, also with some
/// words kept back as if the model had not heard them, and judged on other voices (docs/media/captions.md). Few matter
/// much. `strangerCost` does: higher, and sound without words pushes its neighbours away; lower, and attention that
/// lags is not mended.
struct WordBorders {
    /// How far the attention is off as a rule.
    private static let spreadSeconds = 0.06
    private static let distanceCost = 1.5
    /// What a border costs however far away it is: attention that lags says only that it lags, not by how much.
    private static let distanceCostMax = 2.0
    /// The attention leaves a token of more than three letters so much before its end for each of up to three more.
    private static let hasteSecondsPerLetter = 0.02
    private static let hasteLetters = 3...6

    /// Of the square of the logarithm of a word's length over the expected one.
    private static let lengthCost = 4.0
    /// A word that is too long costs no more: the sound may hold something that is no word, or one that was not heard.
    private static let strangerCost = 2.0
    /// A word takes its letters and one more, at the pace of the window's median; so long a letter where few are known.
    private static let paceSeconds = 0.07
    private static let paceCounts = 4

    /// A pause inside a word. The closure of a consonant lasts 0.1 s, which costs nothing; 0.3 s cost everything.
    private static let pauseCost = 6.0
    private static let pauseSeconds = 0.1...0.3
    /// A word begins where the sound grows.
    private static let riseCost = 1.5
    /// After a mark there is a pause, be it short.
    private static let markCost = 1.0
    /// How far from the attention a border is looked for, in frames of sound.
    private static let reachFrames = 75

    /// The borders that are possible before one word, as numbers of frames; what the cheapest way there costs, and the
    /// border before that it comes from.
    private struct Step {
        var frames: Range<Int>
        var costs: [Double]
        var origins: [Int]
    }

    private let drafts: [WordAssembler.Draft]
    private let frames: [SpeechActivity.SoundFrame]
    /// Where the attention moved to each word.
    private let told: [Int]
    private let pace: Double
    /// `pausesBefore[i]`: what the pauses before the first `i` frames would cost inside a word.
    private let pausesBefore: [Double]

    /// When each word starts. `told` comes back where there is too little sound, or too little of a text, to say more.
    static func starts(
        of drafts: [WordAssembler.Draft], told: [Double], window: TimeRange, activity: SpeechActivity
    ) -> [Double] {
        let frames = activity.soundFrames(in: window)
        guard drafts.count > 1, frames.count >= 2 * drafts.count else { return told }
        let borders = WordBorders(drafts, told, frames)
        return borders.cheapest().map { $0.map { frames[$0].start } } ?? told
    }

    private init(_ drafts: [WordAssembler.Draft], _ seconds: [Double], _ frames: [SpeechActivity.SoundFrame]) {
        self.drafts = drafts
        self.frames = frames
        var (told, frame) = ([Int](), 0)
        for time in seconds {
            // Half a millisecond of slack, as in every look-up of a frame.
            let earliest = time + 0.0005 - SpeechActivity.frameSeconds
            while frame < frames.count, frames[frame].start <= earliest { frame += 1 }
            told.append(frame)
        }
        told[0] = 0
        self.told = told
        let paces = drafts.indices.map { index in
            let end = index + 1 < told.count ? told[index + 1] : frames.count
            return Double(end - told[index]) * SpeechActivity.frameSeconds / Self.weight(drafts[index])
        }
        let sorted = (paces + Array(repeating: Self.paceSeconds, count: Self.paceCounts)).sorted()
        // Where most words were squeezed to nothing, the pace says nothing.
        pace = max(sorted[sorted.count / 2], Self.paceSeconds / 4)
        pausesBefore = frames.reduce(into: [0]) { sums, frame in
            let (none, whole) = (Self.pauseSeconds.lowerBound, Self.pauseSeconds.upperBound)
            let share = min(1, max(0, (frame.pauseBefore - none) / (whole - none)))
            sums.append(sums.last! + Self.pauseCost * share)
        }
    }

    /// The first frame of each word; nil when there is not room for all.
    private func cheapest() -> [Int]? {
        var steps = [Step(frames: 0..<1, costs: [0], origins: [0])]
        for word in drafts.indices { steps.append(step(after: steps[word], word)) }
        guard steps[drafts.count].costs[0].isFinite else { return nil }
        var path = [frames.count]
        for step in steps.dropFirst().reversed() {
            path.append(step.origins[path[path.count - 1] - step.frames.lowerBound])
        }
        return path.reversed().dropLast()
    }

    /// From the borders before `word` to those after it.
    private func step(after last: Step, _ word: Int) -> Step {
        let border = word + 1
        let isLast = border == drafts.count
        let ends = isLast ? frames.count..<frames.count + 1 : reach(of: border)
        let lengths = lengthCosts(of: word, framesMax: ends.upperBound - last.frames.lowerBound)
        var step = Step(frames: ends, costs: [], origins: [])
        for end in ends {
            var (cheapest, origin) = (Double.infinity, last.frames.lowerBound)
            for (start, cost) in zip(last.frames, last.costs) where start < end {
                // Pauses before a frame that is neither the word's first nor the next word's.
                let whole = cost + lengths[end - start] + pausesBefore[end] - pausesBefore[start + 1]
                if whole < cheapest { (cheapest, origin) = (whole, start) }
            }
            step.costs.append(cheapest + (isLast ? 0 : cost(ofBorder: border, at: end)))
            step.origins.append(origin)
        }
        return step
    }

    /// Never empty; every word before it has room for a frame.
    private func reach(of border: Int) -> Range<Int> {
        let first = max(border, told[border] - Self.reachFrames)
        return first..<max(first + 1, min(frames.count, told[border] + Self.reachFrames + 1))
    }

    private func cost(ofBorder border: Int, at frame: Int) -> Double {
        let before = drafts[border - 1]
        let letters = min(before.lastTokenLetters, Self.hasteLetters.upperBound) - Self.hasteLetters.lowerBound
        let haste = Self.hasteSecondsPerLetter * Double(max(0, letters))
        let apart = (Double(frame - told[border]) * SpeechActivity.frameSeconds - haste) / Self.spreadSeconds
        let distance = min(Self.distanceCostMax, Self.distanceCost * log(1 + apart * apart))
        let isMarked = WordTiming.endsPhrase(before) && frames[frame].pauseBefore < Self.pauseSeconds.lowerBound
        return distance - Self.riseCost * frames[frame].rise + (isMarked ? Self.markCost : 0)
    }

    /// By frames, up to `framesMax`.
    private func lengthCosts(of word: Int, framesMax: Int) -> [Double] {
        let expected = pace * Self.weight(drafts[word])
        return (0...framesMax).map { count in
            let seconds = Double(count) * SpeechActivity.frameSeconds
            // A frame more on both sides: a single one is not infinitely shorter than two.
            let ratio = log((seconds + SpeechActivity.frameSeconds) / (expected + SpeechActivity.frameSeconds))
            return ratio > 0 ? min(Self.lengthCost * ratio * ratio, Self.strangerCost) : Self.lengthCost * ratio * ratio
        }
    }

    /// How long a word takes, in letters: a short one has its beat too.
    private static func weight(_ draft: WordAssembler.Draft) -> Double {
        1 + Double(draft.text.filter { $0.isLetter || $0.isNumber }.count)
    }
}
