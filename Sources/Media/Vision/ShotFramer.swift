package import ClipModel

/// What one shot shows and how its windows move: one segment, or several where the picture changes over to another
/// speaker.
///
/// Who matters is followed in a window of the clip's shape. Where that would cut off a large face or run after a
/// restless one, the window is wider than the clip (`padded`); where that does not help, the whole picture is shown.
/// To another face far away the window leaps, as a director would cut, and never pans; two who talk in quick turns
/// are shown above each other.
package struct ShotFramer {
    package struct Limits: Hashable, Sendable {
        /// From this many faces that matter, all are shown or none is singled out, unless it is known who speaks.
        package var groupSizeMin = 3
        /// Share of the window that a group may take up to be framed together. With its margins it must stay below
        /// `CameraPath.Style.reachMax`, or its outer faces may be let out.
        package var groupWidthMax = 0.76
        /// Share of the group's samples in which it must be so.
        package var groupFitMin = 0.95
        /// Share of the source that a padded window may show; beyond it the whole picture is shown.
        package var paddedShareMax = 0.85
        /// Of the window, what one face with its margins may take up. A larger one fills the clip from ear to ear...
        package var closeUpMax = 0.76
        /// ...and gets a window in which it takes up this much.
        package var closeUpShare = 0.74
        /// A main face that holds for less is not worth a leap of the window.
        package var holdSecondsMin = 1.5
        /// Of the window, how far another face may be for the camera to go over to it: beyond, it leaps.
        package var panMax = 0.5
        /// A turn that lasts longer is followed, and not shown beside the other's.
        package var splitTurnSecondsMax = 4.0
        /// So many such turns in a row, and so long, make a split...
        package var splitTurnsMin = 4
        package var splitSecondsMin = 6.0
        /// ...in which a face takes up this share of its window's height, where the source has the room.
        package var splitFaceShare = 0.34
        /// Of the clip against the source, in the windows of a split. Beyond it they are mush.
        package var splitEnlargementMax = 6.0
        /// Changes of direction per second that a shot may have, beyond the first.
        package var reversalsPerSecondMax = 0.1
        /// Of the window, how far it may stand beside those it follows, so as not to cut another face in two.
        package var bystanderOffsetMax = 0.2
        /// Share of the samples in which all that is followed must be inside.
        package var keptMin = 0.98
        /// Windows that are tried in turn, against the narrowest.
        package var widenings = [1, 1.1, 1.2, 1.32, 1.45, 1.55]
        /// Where the eyes stand in the window, from its top, when it can move up and down.
        package var eyeLine = 0.4
        /// Around a face, in faces: hair, chin and the error of the box.
        package var faceMargin = 0.08
        /// Of a target that lies between two sightings, against one that was seen.
        package var guessedWeight = 0.5

        package init() {}
    }

    /// Samples that are shown alike.
    struct Stretch: Hashable {
        enum Shown: Hashable {
            /// For every sample of the stretch the members to be seen.
            case followed([[Int]])
            /// Two members, the left one first.
            case split(Int, Int)
        }

        var samples: Range<Int>
        var shown: Shown
    }

    let window: CropWindow
    let output: PixelSize
    let stepSeconds: Double
    let cast: ShotCast
    /// Of the shot's samples, in seconds of the clip.
    let times: [Double]
    /// Who speaks when; empty where that is not known.
    let turns: [ShotCast.Turn]
    let limits: Limits
    /// All who matter when the first does.
    let group: [Int]
    /// Whether they fit into the window, nearly always.
    let isTogether: Bool

    /// - Parameter times: Of the shot's samples, in seconds of the clip.
    package init(
        _ cast: ShotCast, turns: [ShotCast.Turn] = [], times: [Double], window: CropWindow, output: PixelSize,
        stepSeconds: Double, limits: Limits = Limits()
    ) {
        precondition(!cast.members.isEmpty, "nobody to frame")
        precondition(cast.leads.count == times.count, "\(cast.leads.count) leads for \(times.count) samples")
        self.window = window
        self.output = output
        self.stepSeconds = stepSeconds
        self.cast = cast
        self.times = times
        self.turns = turns
        self.limits = limits
        group = [0] + cast.companions
        isTogether = Self.fits(group, of: cast, in: window, limits: limits)
    }

    /// Cover `range`, the shot's own stretch of the clip, in order.
    package func segments(over range: TimeRange) -> [Framing.Segment] {
        guard isTogether || group.count < limits.groupSizeMin || !turns.isEmpty else {
            return [Framing.Segment(range: range, layout: wide(in: times.indices))]
        }
        return stretches().map { stretch in
            let (first, end) = (stretch.samples.lowerBound, stretch.samples.upperBound)
            let part = TimeRange(
                start: first == 0 ? range.start : times[first].rounded(toPlaces: 3),
                end: end == times.count ? range.end : times[end].rounded(toPlaces: 3))
            switch stretch.shown {
            case .followed(let members):
                return Framing.Segment(range: part, layout: follow(members, in: stretch.samples))
            case .split(let left, let right):
                let layout = split(left, right, in: stretch.samples)
                return Framing.Segment(range: part, layout: layout ?? wide(in: stretch.samples))
            }
        }
    }

    // MARK: Who is shown when

    /// Whether the members fit into the window together, nearly always.
    private static func fits(_ group: [Int], of cast: ShotCast, in window: CropWindow, limits: Limits) -> Bool {
        guard group.count > 1 else { return true }
        let unions = cast.leads.indices.compactMap { sample -> Bool? in
            let faces = group.compactMap { cast.members[$0].places[sample]?.face }
            guard faces.count > 1 else { return nil }
            let width = faces.map { $0.x + $0.width }.max()! - faces.map(\.x).min()!
            let height = faces.map { $0.y + $0.height }.max()! - faces.map(\.y).min()!
            return width <= limits.groupWidthMax * window.width && height <= limits.groupWidthMax * window.height
        }
        return Double(unions.count { $0 }) >= limits.groupFitMin * Double(unions.count)
    }

    /// Cover all samples, in order; none is empty.
    func stretches() -> [Stretch] {
        var stretches = followed()
        for var split in splits() {
            var kept: [Stretch] = []
            for stretch in stretches {
                let own = stretch.samples
                let before = own.clamped(to: 0..<max(0, split.samples.lowerBound))
                let after = own.clamped(to: min(times.count, split.samples.upperBound)..<times.count)
                for rest in [before, after] where !rest.isEmpty {
                    // What is left is shown by itself unless it is too short for that.
                    if rest.count >= samplesMin || rest == own {
                        kept.append(stretch.part(rest))
                    } else {
                        let (low, high) = (split.samples.lowerBound, split.samples.upperBound)
                        split.samples = min(low, rest.lowerBound)..<max(high, rest.upperBound)
                    }
                }
            }
            stretches = kept + [split]
        }
        return stretches.sorted { $0.samples.lowerBound < $1.samples.lowerBound }
    }

    private var samplesMin: Int { Int((limits.holdSecondsMin / stepSeconds).rounded(.up)) }

    /// Runs of main faces, where the window need not leap between them.
    private func followed() -> [Stretch] {
        var stretches: [Stretch] = []
        for run in heldRuns() {
            let members = run.member == 0 && isTogether ? group : [run.member]
            let shown = [[Int]](repeating: members, count: run.samples.count)
            if let last = stretches.last, case .followed(let before) = last.shown, let came = before.last,
                isNear(came, members, at: run.samples.lowerBound)
            {
                stretches[stretches.count - 1] = Stretch(
                    samples: last.samples.lowerBound..<run.samples.upperBound, shown: .followed(before + shown))
            } else {
                stretches.append(Stretch(samples: run.samples, shown: .followed(shown)))
            }
        }
        return stretches
    }

    /// The main face of every sample: runs that hold, and cover the shot. In a group that fits, all are the first.
    private func heldRuns() -> [ShotCast.Turn] {
        var runs: [ShotCast.Turn] = []
        for (sample, lead) in cast.leads.enumerated() {
            let member = lead.map { isTogether && group.contains($0) ? 0 : $0 }
            if let last = runs.last, member == nil || last.member == member {
                runs[runs.count - 1].samples = last.samples.lowerBound..<(sample + 1)
            } else if let member {
                runs.append(ShotCast.Turn(member: member, samples: (runs.isEmpty ? 0 : sample)..<(sample + 1)))
            }
        }
        if runs.isEmpty { runs = [ShotCast.Turn(member: 0, samples: cast.leads.indices)] }
        var held: [ShotCast.Turn] = []
        for run in runs {
            let isAgain = held.last?.member == run.member
            if let last = held.last, isAgain || run.samples.count < samplesMin || last.samples.count < samplesMin {
                // The first run of a shot has nobody before it who could hold, and goes over to the next.
                let member = isAgain || last.samples.count >= samplesMin ? last.member : run.member
                held[held.count - 1] = ShotCast.Turn(
                    member: member, samples: last.samples.lowerBound..<run.samples.upperBound)
            } else {
                held.append(run)
            }
        }
        return held
    }

    /// Whether the camera may go over from some members to others at a sample, rather than leap.
    private func isNear(_ some: [Int], _ others: [Int], at sample: Int) -> Bool {
        func middle(_ members: [Int]) -> (x: Double, y: Double)? {
            let faces = members.compactMap { nearest(to: sample, of: $0) }
            guard !faces.isEmpty else { return nil }
            let count = Double(faces.count)
            return (
                faces.map(\.middleX).reduce(0, +) / count, faces.map(\.middleY).reduce(0, +) / count
            )
        }
        guard let here = middle(some), let there = middle(others) else { return true }
        return abs(here.x - there.x) <= limits.panMax * window.width
            && abs(here.y - there.y) <= limits.panMax * window.height
    }

    private func nearest(to sample: Int, of member: Int) -> DetectedFace? {
        let places = cast.members[member].places
        let known = places.indices.filter { places[$0] != nil }.min { abs($0 - sample) < abs($1 - sample) }
        return known.flatMap { places[$0]?.face }
    }

    /// Stretches in which two take quick turns, far apart.
    private func splits() -> [Stretch] {
        guard output.aspectRatio < 1, !isTogether else { return [] }
        var splits: [Stretch] = []
        var first = 0
        while first < turns.count {
            var end = first
            while end < turns.count, isQuick(end, from: first) { end += 1 }
            if let split = split(turns[first..<end]) { splits.append(split) }
            first = max(end, first + 1)
        }
        return splits
    }

    /// Whether a turn goes on with the exchange that began with another: short, soon after, by one of the same two.
    private func isQuick(_ index: Int, from first: Int) -> Bool {
        let turn = turns[index]
        guard Double(turn.samples.count) * stepSeconds <= limits.splitTurnSecondsMax else { return false }
        guard index > first else { return true }
        let pause = Double(turn.samples.lowerBound - turns[index - 1].samples.upperBound) * stepSeconds
        return pause <= limits.splitTurnSecondsMax / 2
            && Set(turns[first...index].map(\.member)).count <= 2
    }

    private func split(_ turns: ArraySlice<ShotCast.Turn>) -> Stretch? {
        let members = Set(turns.map(\.member)).sorted()
        guard let first = turns.first, let last = turns.last, turns.count >= limits.splitTurnsMin, members.count == 2
        else { return nil }
        let samples = first.samples.lowerBound..<last.samples.upperBound
        let pair = members.compactMap { member in
            nearest(to: samples.lowerBound, of: member).map { (member: member, x: $0.middleX) }
        }.sorted { $0.x < $1.x }
        guard Double(samples.count) * stepSeconds >= limits.splitSecondsMin, pair.count == 2,
            split(pair[0].member, pair[1].member, in: samples) != nil
        else { return nil }
        return Stretch(samples: samples, shown: .split(pair[0].member, pair[1].member))
    }
}

extension ShotFramer.Stretch {
    fileprivate func part(_ samples: Range<Int>) -> Self {
        guard case .followed(let members) = shown else { return Self(samples: samples, shown: shown) }
        let (from, to) = (samples.lowerBound - self.samples.lowerBound, samples.upperBound - self.samples.lowerBound)
        return Self(samples: samples, shown: .followed(Array(members[from..<to])))
    }
}
