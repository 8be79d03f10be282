package import ClipModel

/// Cuts a sound into the stretches that are transcribed one by one, on whichever node is free.
///
/// Every border lies in the middle of a pause, so no word is torn; only where nobody pauses for minutes it lies at the
/// quietest moment. Whisper works in windows of 30 s and pays for a whole one each time, so a chunk of 58 s costs two
/// and one of 61 s three: the cut that costs least in windows, evenness and torn speech is found by dynamic
/// programming over all possible borders. What is silent for longer than a window is not transcribed at all, which
/// also keeps Whisper from inventing words there.
package struct Chunker {
    /// What Whisper takes in at once, in seconds.
    package static let windowSeconds = 30.0
    package static let secondsMax = 300.0
    /// A chunk of this length or a little less is worth its start-up and still spreads a long job over many nodes.
    package static let secondsWantedMax = 90.0
    /// Of a short video even a chunk this short is wanted, so that a few nodes share it.
    package static let secondsWantedMin = 45.0
    /// Of silence kept at the borders of a stretch that lies between long silences.
    package static let marginSeconds = 0.5

    // Prices, in windows.
    private static let chunkPrice = 0.1
    private static let deviationPricePerWindow = 0.5
    private static let shortPrice = 4.0
    private static let shortPausePrice = 0.3
    private static let noPausePrice = 2.5

    /// A place where a cut is possible.
    private struct Border {
        let time: Double
        let price: Double
    }

    /// The stretches to transcribe, in order, without overlap. Each is at most `secondsMax` long; none is shorter than
    /// a window unless it stands alone between silences.
    ///
    /// `energyDBFS` has a value for each `SoundCurves.stepSeconds`; it only says where a stretch without a pause is
    /// quietest.
    package static func chunks(
        durationSeconds: Double, silences: [TimeRange], energyDBFS: [Float]
    ) -> [TimeRange] {
        let wanted = secondsWanted(durationSeconds: durationSeconds)
        return soundingStretches(durationSeconds: durationSeconds, silences: silences).flatMap { stretch in
            let borders = borders(in: stretch, silences: silences, energyDBFS: energyDBFS)
            return chunks(of: stretch, borders: borders, wanted: wanted)
        }
    }

    /// A third of the video, within bounds, or somewhat less.
    private static func secondsWanted(durationSeconds: Double) -> ClosedRange<Double> {
        let most = min(secondsWantedMax, max(secondsWantedMin, durationSeconds / 3))
        return 0.6 * most...most
    }

    /// What is left without the silences that are longer than a window.
    private static func soundingStretches(durationSeconds: Double, silences: [TimeRange]) -> [TimeRange] {
        var stretches: [TimeRange] = []
        var start = 0.0
        for silence in silences where silence.duration > windowSeconds || silence.duration >= durationSeconds {
            let isFirst = silence.start <= 0
            if !isFirst { stretches.append(TimeRange(start: start, end: silence.start + marginSeconds)) }
            start = min(durationSeconds, silence.end - marginSeconds)
            if silence.end >= durationSeconds - marginSeconds { return stretches }
        }
        if start < durationSeconds { stretches.append(TimeRange(start: start, end: durationSeconds)) }
        return stretches
    }

    private static func borders(in stretch: TimeRange, silences: [TimeRange], energyDBFS: [Float]) -> [Border] {
        let longPauseSeconds = 0.6
        var borders = [Border(time: stretch.start, price: 0)]
        func add(_ border: Border?) {
            guard let border else { return }
            addQuietPlaces(between: borders[borders.count - 1].time, and: border.time)
            borders.append(border)
        }
        // Where nobody pauses for longer than a window the quietest moment of every few seconds may do.
        func addQuietPlaces(between start: Double, and end: Double) {
            let cellSeconds = 5.0
            guard end - start > windowSeconds else { return }
            for cell in stride(from: start + cellSeconds, to: end - cellSeconds, by: cellSeconds) {
                let range = TimeRange(start: cell, end: min(cell + cellSeconds, end - cellSeconds))
                guard let time = quietest(in: range, energyDBFS) else { continue }
                borders.append(Border(time: time, price: noPausePrice))
            }
        }
        for silence in silences where silence.middle > stretch.start + 1 && silence.middle < stretch.end - 1 {
            let price = silence.duration >= longPauseSeconds ? 0 : shortPausePrice
            add(Border(time: silence.middle, price: price))
        }
        add(Border(time: stretch.end, price: 0))
        return borders
    }

    private static func quietest(in range: TimeRange, _ energyDBFS: [Float]) -> Double? {
        let step = SoundCurves.stepSeconds
        let end = max(0, min(energyDBFS.count, Int(range.end / step)))
        let steps = min(end, max(0, Int(range.start / step)))..<end
        // Without a curve (a sound shorter than its picture) the middle is as good as any place.
        guard let best = steps.min(by: { energyDBFS[$0] < energyDBFS[$1] }) else { return range.middle }
        return (Double(best) + 0.5) * step
    }

    /// The cheapest way from the first border to the last one.
    private static func chunks(
        of stretch: TimeRange, borders: [Border], wanted: ClosedRange<Double>
    ) -> [TimeRange] {
        var cost = [Double](repeating: .infinity, count: borders.count)
        var previous = [Int](repeating: 0, count: borders.count)
        cost[0] = 0
        for end in borders.indices.dropFirst() {
            for start in (0..<end).reversed() {
                let length = borders[end].time - borders[start].time
                if length > secondsMax { break }
                let price = price(ofSeconds: length, stretch: stretch, wanted: wanted) + borders[end].price
                let total = cost[start] + price
                if total < cost[end] { (cost[end], previous[end]) = (total, start) }
            }
        }
        var chunks: [TimeRange] = []
        var end = borders.count - 1
        while end > 0 {
            chunks.append(TimeRange(start: borders[previous[end]].time, end: borders[end].time))
            end = previous[end]
        }
        return chunks.reversed()
    }

    private static func price(
        ofSeconds length: Double, stretch: TimeRange, wanted: ClosedRange<Double>
    ) -> Double {
        let windows = (length / windowSeconds).rounded(.up)
        let nearest = min(max(length, wanted.lowerBound), wanted.upperBound)
        let deviation = abs(length - nearest) / windowSeconds * deviationPricePerWindow
        let short = length < windowSeconds && length < stretch.duration ? shortPrice : 0
        return windows + chunkPrice + deviation + short
    }
}

/// Chooses the stretch by which the language of a video is told.
package struct LanguageSample {
    /// Whisper tells a language from one window.
    package static let secondsMax = Chunker.windowSeconds

    /// The window of at most `secondsMax` that sounds most like speech; nil when all is silent.
    ///
    /// Speech is neither silent nor steady: it rises and falls with every syllable, and pauses now and then. A window
    /// is worth the changes of level inside it, each counted up to 6 dB so that a slamming door is not an oration. The
    /// first of equal ones is taken.
    package static func choose(
        durationSeconds: Double, energyDBFS: [Float], silences: [TimeRange]
    ) -> TimeRange? {
        let worth = worthOfSeconds(durationSeconds: durationSeconds, energyDBFS, silences)
        guard worth.contains(where: { $0 > 0 }) else { return nil }
        let length = min(Int(secondsMax), worth.count)
        var sum = worth[0..<length].reduce(0, +)
        var best = (start: 0, sum: sum)
        for start in 1..<max(1, worth.count - length + 1) {
            sum += worth[start + length - 1] - worth[start - 1]
            // Better by more than rounding, so that the choice does not hang on the order of additions.
            if sum > best.sum * 1.01 { best = (start, sum) }
        }
        return TimeRange(start: Double(best.start), end: min(durationSeconds, Double(best.start + length)))
    }

    private static func worthOfSeconds(
        durationSeconds: Double, _ energyDBFS: [Float], _ silences: [TimeRange]
    ) -> [Float] {
        let step = SoundCurves.stepSeconds
        let changeMax: Float = 6
        var isSilent = [Bool](repeating: false, count: energyDBFS.count)
        for silence in silences {
            let (start, end) = (Int(silence.start / step), min(energyDBFS.count, Int(silence.end / step)))
            for index in max(0, start)..<max(start, end, 0) where index < isSilent.count { isSilent[index] = true }
        }
        var worth = [Float](repeating: 0, count: max(1, Int(durationSeconds.rounded(.up))))
        for index in energyDBFS.indices.dropFirst() where !isSilent[index] {
            let second = min(worth.count - 1, Int(Double(index) * step))
            worth[second] += min(changeMax, abs(energyDBFS[index] - energyDBFS[index - 1]))
        }
        return worth
    }
}
