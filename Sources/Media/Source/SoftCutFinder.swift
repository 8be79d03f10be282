/// Finds where one shot turns into the next one gradually.
///
/// Inside a dissolve a picture is a mixture of the shot before and the shot after, and their shares move steadily
/// (after Zhang, Kankanhalli and Smoliar 1993, "twin comparison", with the mixture tested for instead of a sum of
/// differences). So for every picture and several half lengths, the pictures at a quarter, a half and three quarters of
/// the way are told by the two ends: their share of the second must be 0.25, 0.5 and 0.75, and nearly nothing may be
/// left over. A pan leaves nearly all over, a change of the light leaves ends that look alike, a walker moves too
/// little of the picture. What lies outside of the two ends must be at rest against what lies between them.
///
/// A fade goes through a picture without any contrast, black or white, and is found by that.
package struct SoftCutFinder: Sendable {
    /// A gradual change, in seconds.
    package struct Change: Hashable, Sendable {
        package var start: Double
        package var end: Double
        package var isFade: Bool
        package var middle: Double { (start + end) / 2 }
    }

    /// Half lengths that are tried, in steps of 33 to 40 ms: changes of 0.2 to 2.2 s.
    private static let halfSteps = [3, 4, 6, 8, 11, 15, 20, 27]
    /// Frames that follow each other faster are passed over.
    private static let stepSecondsMin = 0.03
    /// Root mean square difference of the ends, of 255.
    private static let differenceMin: Float = 10
    /// How far a share may be off the straight line.
    private static let shareErrorMax: Float = 0.17
    /// What may be left over of the middle picture, against the difference of the ends...
    private static let restMax: Float = 0.4
    /// ...and with half the likeness of the ends added.
    private static let restAndLikenessMax: Float = 0.55
    /// Correlation of ends that are one scene in another light.
    private static let likenessMax: Float = 0.75
    /// Of motion outside of the ends, against the difference of the ends.
    private static let unrestMax: Float = 0.85
    /// How far a pan is followed, in cells.
    private static let panColumnsMax = 10
    private static let panRowsMax = 4
    /// A picture with less contrast than this (standard deviation, of 255) is flat.
    private static let flatMax: Float = 7
    /// Before and after a fade there is a picture of at least this contrast.
    private static let pictureMin: Float = 12
    /// Of that, the contrast beside the flat pictures: else it was cut to black and not faded.
    private static let fadingShareMax: Float = 0.5
    /// Correlation of a picture with itself while it fades: a fast pan over a plain wall has none.
    private static let fadingLikenessMin: Float = 0.6
    /// A fade back into the same picture is a blink.
    private static let blinkLikenessMin: Float = 0.9
    /// Steps from a flat picture to where the faded picture is judged, and for how long its contrast is looked for.
    private static let fadeSteps = 12
    private static let fadeStepsMax = 25
    /// So many are told of at most: nobody cuts more often than once a second for four hours.
    private static let changesMax = 15_000
    /// Steps on either side that a decision may look at.
    private static let reach = 40

    private struct Candidate {
        var score: Float
        /// Count of the step, from the first of the source.
        var middle: Int
        var half: Int
        var change: Change
    }

    /// A run of flat pictures that has not ended yet.
    private struct Flat {
        var before: ShotPicture
        var contrastBefore: Float
        /// The picture grew flat, and was not cut or swept away.
        var fadedOut: Bool
    }

    private var window: [(picture: ShotPicture, contrast: Float)] = []
    /// Count of the step that `window` begins with.
    private var base = 0
    private var next = 0
    private var best: Candidate?
    private var flat: Flat?
    private var dissolves: [Change] = []
    private var fades: [Change] = []

    package init() {}

    package mutating func append(_ picture: ShotPicture) {
        if let last = window.last, picture.time - last.picture.time < Self.stepSecondsMin { return }
        window.append((picture, Self.contrast(picture)))
        while next + Self.reach < base + window.count { decideNext() }
        if next - base > 8 * Self.reach {
            let surplus = next - base - Self.reach
            window.removeFirst(surplus)
            base += surplus
        }
    }

    /// The changes, in order. A fade looks like a dissolve on either side: those are part of it.
    package mutating func finish() -> [Change] {
        while next < base + window.count { decideNext() }
        if let best { dissolves.append(best.change) }
        best = nil
        let alone = dissolves.filter { dissolve in
            !fades.contains { $0.start - 0.5 < dissolve.end && dissolve.start < $0.end + 0.5 }
        }
        return (alone + fades).sorted { $0.middle < $1.middle }
    }

    private mutating func decideNext() {
        defer { next += 1 }
        followFlat(next)
        guard dissolves.count < Self.changesMax, let candidate = dissolve(around: next) else { return }
        guard let rival = best else {
            best = candidate
            return
        }
        // Every dissolve is found many times, and its shorter pieces too.
        if candidate.middle - rival.middle > max(12, candidate.half + rival.half) {
            dissolves.append(rival.change)
            best = candidate
        } else if candidate.score > rival.score {
            best = candidate
        }
    }

    private func picture(_ step: Int) -> ShotPicture { window[step - base].picture }

    private static func contrast(_ picture: ShotPicture) -> Float {
        let count = Float(max(1, picture.cells.count))
        let mean = picture.cells.reduce(0, +) / count
        return (picture.cells.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    }

    // MARK: Dissolves

    private func dissolve(around middle: Int) -> Candidate? {
        var best: Candidate?
        for half in Self.halfSteps {
            guard middle - half >= base, middle + half < base + window.count else { break }
            guard let score = score(middle: middle, half: half), score > best?.score ?? 0 else { continue }
            let change = Change(
                start: picture(middle - half).time, end: picture(middle + half).time, isFade: false)
            best = Candidate(score: score, middle: middle, half: half, change: change)
        }
        return best
    }

    /// How good a dissolve from `middle - half` to `middle + half` would be; nil: none.
    private func score(middle: Int, half: Int) -> Float? {
        let (from, to) = (picture(middle - half), picture(middle + half))
        let squares = from.squaredDifference(to)
        guard squares >= Self.differenceMin * Self.differenceMin else { return nil }
        let contrasts = (window[middle - half - base].contrast, window[middle + half - base].contrast)
        guard min(contrasts.0, contrasts.1) > Self.flatMax / 2 else { return nil }
        let mixture = Mixture(from: from, to: to, squares: squares)

        let (share, squaredRest) = mixture.parts(of: picture(middle))
        let rest = squaredRest.squareRoot()
        guard abs(share - 0.5) <= Self.shareErrorMax, rest <= Self.restMax else { return nil }
        let early = mixture.share(of: picture(middle - (half + 1) / 2))
        let late = mixture.share(of: picture(middle + (half + 1) / 2))
        // Where a half length is odd, the quarter is not a step.
        let quarter = Float((half + 1) / 2) / Float(2 * half)
        let error = max(abs(share - 0.5), abs(early - 0.5 + quarter), abs(late - 0.5 - quarter))
        guard error <= Self.shareErrorMax else { return nil }

        let likeness = Self.likeness(from, to, contrasts)
        guard likeness <= Self.likenessMax, rest + max(0, likeness) / 2 <= Self.restAndLikenessMax else { return nil }
        let unrest = unrest(middle: middle, half: half, squares: squares)
        guard unrest <= Self.unrestMax, isSteady(mixture, middle: middle, half: half) else { return nil }
        guard squaredRest <= Self.movedRest(from, picture(middle)) / squares / 2 else { return nil }
        return squares.squareRoot() * (1 - rest - error) * (1 - unrest / 2)
    }

    /// Motion before and after, against the difference of the ends.
    private func unrest(middle: Int, half: Int, squares: Float) -> Float {
        let beyond = max(3, half / 2)
        var largest: Float = 0
        for (end, outside) in [(middle - half, middle - half - beyond), (middle + half, middle + half + beyond)]
        where outside >= base && outside < base + window.count {
            largest = max(largest, picture(end).squaredDifference(picture(outside)) / squares)
        }
        return largest.squareRoot()
    }

    /// No step is large, which would be a cut, and hardly one goes back.
    private func isSteady(_ mixture: Mixture, middle: Int, half: Int) -> Bool {
        var (before, back) = (Float(0), Float(0))
        for step in (middle - half + 1)...(middle + half) {
            let share = mixture.share(of: picture(step))
            guard share - before <= max(0.4, 1.7 / Float(2 * half)) else { return false }
            back += max(0, before - share)
            before = share
        }
        return back <= 0.15
    }

    /// What is left over of `later` when it is taken for `earlier` moved by some whole number of cells. A mixture must
    /// explain it far better, or the camera panned over something as soft as a sky.
    private static func movedRest(_ earlier: ShotPicture, _ later: ShotPicture) -> Float {
        let (columns, rows) = (ShotPictureReader.columns, ShotPictureReader.rows)
        var least = Float.infinity
        for down in -panRowsMax...panRowsMax {
            for across in -panColumnsMax...panColumnsMax {
                var (sum, count) = (Float(0), Float(0))
                for row in max(0, -down)..<min(rows, rows - down) {
                    let (own, other) = (row * columns, (row + down) * columns + across)
                    for column in max(0, -across)..<min(columns, columns - across) {
                        let rest = later.cells[own + column] - earlier.cells[other + column]
                        sum += rest * rest
                    }
                    count += Float(columns - abs(across))
                }
                least = min(least, sum / count)
            }
        }
        return least
    }

    private static func likeness(_ one: ShotPicture, _ other: ShotPicture, _ contrasts: (Float, Float)) -> Float {
        let count = Float(max(1, one.cells.count))
        let (meanOne, meanOther) = (one.cells.reduce(0, +) / count, other.cells.reduce(0, +) / count)
        var sum: Float = 0
        for index in one.cells.indices { sum += (one.cells[index] - meanOne) * (other.cells[index] - meanOther) }
        return sum / count / max(contrasts.0 * contrasts.1, 0.001)
    }

    // MARK: Fades

    private mutating func followFlat(_ step: Int) {
        let isFlat = window[step - base].contrast < Self.flatMax
        if isFlat, flat == nil, step > Self.fadeSteps {
            let first = max(base, step - Self.fadeStepsMax)
            let contrast = (first..<step).map { window[$0 - base].contrast }.max() ?? 0
            let before = max(base, step - Self.fadeSteps)
            flat = Flat(
                before: picture(before), contrastBefore: contrast,
                fadedOut: isFading(step - 1, against: before, contrast: contrast))
        } else if !isFlat, let run = flat {
            flat = nil
            end(run, at: step)
        }
    }

    /// `step` is the first that is not flat any more.
    private mutating func end(_ run: Flat, at step: Int) {
        let last = base + window.count - 1
        let contrast = (step...min(last, step + Self.fadeStepsMax)).map { window[$0 - base].contrast }.max() ?? 0
        let after = min(last, step - 1 + Self.fadeSteps)
        guard min(run.contrastBefore, contrast) >= Self.pictureMin, fades.count < Self.changesMax else { return }
        guard run.fadedOut || isFading(step, against: after, contrast: contrast) else { return }
        let contrasts = (Self.contrast(run.before), window[after - base].contrast)
        guard Self.likeness(run.before, picture(after), contrasts) < Self.blinkLikenessMin else { return }
        // From where the picture was judged to where it is judged again: the flat run and what fades beside it.
        fades.append(Change(start: run.before.time, end: picture(after).time, isFade: true))
    }

    /// Whether the step beside a flat run is the picture at another step with less contrast.
    private func isFading(_ step: Int, against other: Int, contrast: Float) -> Bool {
        let contrasts = (window[step - base].contrast, window[other - base].contrast)
        guard contrasts.0 < Self.fadingShareMax * contrast else { return false }
        return Self.likeness(picture(step), picture(other), contrasts) >= Self.fadingLikenessMin
    }
}

/// The line from one picture to another, on which the pictures of a dissolve lie.
private struct Mixture {
    private let from: ShotPicture
    private let difference: [Float]
    private let squares: Float

    init(from: ShotPicture, to: ShotPicture, squares: Float) {
        self.from = from
        difference = zip(from.cells, to.cells).map { $1 - $0 }
        self.squares = squares
    }

    /// How much of the second is in `picture`: 0 to 1 between the ends.
    func share(of picture: ShotPicture) -> Float {
        var sum: Float = 0
        for index in difference.indices { sum += (picture.cells[index] - from.cells[index]) * difference[index] }
        return sum / Float(difference.count) / squares
    }

    /// The share, and what it leaves over, squared, against the squared difference of the ends.
    func parts(of picture: ShotPicture) -> (share: Float, rest: Float) {
        let share = share(of: picture)
        var sum: Float = 0
        for index in difference.indices {
            let rest = picture.cells[index] - from.cells[index] - share * difference[index]
            sum += rest * rest
        }
        return (share, sum / Float(difference.count) / squares)
    }
}
