import Foundation

/// Tells who speaks in a shot by whose mouth moves while something is heard.
///
/// Every sample is evidence for each face: how much more its mouth moved than the rest of it (a logarithm, so that
/// neither size nor light matters), less what it does in silence (chewing), and how its motion goes up and down with
/// the sound (Hershey and Movellan 1999, in its plainest form). Then the most likely sequence of the whole shot is
/// looked for at once (Viterbi), with a price on every change: a laugh or a nod does not pay it, a sentence does. In
/// silence nothing speaks for a change, so who spoke is held.
struct ActiveSpeaker {
    struct Limits: Hashable, Sendable {
        /// What a change costs. A speaker shows about 0.4 a sample (0.2 s) more than a listener, so a turn of half a
        /// second between two others does not pay for its two changes, and one of 1.5 s does.
        var changeCost = 1.5
        /// Per sample, for a face that is not there.
        var absenceCost = 0.25
        /// Per sample, for the most prominent face, in proportion for others: decides where nothing else does.
        var prominenceGain = 0.03
        /// How much more motion counts that is in step with the sound, and less that is against it.
        var syncGain = 0.5
        /// Half the stretch over which they are correlated: holds a pause or two.
        var syncSeconds = 1.5
        /// Bounds of one sample's evidence: a face that turns away is no loud speech.
        var evidence = -0.3...0.8
        /// Of motion, as a share of contrast: what noise and compression do to any still face.
        var motionFloor = 0.03
        /// How far the motion of the head accounts for that of the mouth.
        var headShare = 0.5
        /// Of a mouth that rests and a head that hardly moves: no evidence for anything.
        var restingMotion = 0.05
        /// Pauses up to this do not end a turn.
        var pauseSecondsMax = 0.6
        /// A turn whose mouth moves less than this on average is another's voice over a silent face.
        var turnEvidenceMin = 0.02
    }

    /// One face: its place in each sample of the shot, and how prominent it is against the most prominent one.
    struct Face {
        var places: [FaceTrack.Place?]
        var prominence: Double
    }

    private let faces: [Face]
    private let firstSample: Int
    private let stepSeconds: Double
    private let speech: SpeechEvidence
    private let limits: Limits
    private let isHeard: [Bool]
    /// By face and sample; nil where nothing was measured.
    private var evidence: [[Double?]] = []

    /// - Parameter firstSample: Of the shot, counted from the start of the clip.
    init(
        faces: [Face], firstSample: Int, stepSeconds: Double, speech: SpeechEvidence, limits: Limits = Limits()
    ) {
        precondition(!faces.isEmpty, "nobody to choose from")
        self.faces = faces
        self.firstSample = firstSample
        self.stepSeconds = stepSeconds
        self.speech = speech
        self.limits = limits
        isHeard = faces[0].places.indices.map {
            speech.isHeard(at: (Double(firstSample + $0) + 0.5) * stepSeconds)
        }
        evidence = faces.map { weighed($0) }
    }

    /// Who speaks, or spoke last, at every sample: an index of `faces`.
    func path() -> [Int] {
        var scores = faces.indices.map { gain($0, at: 0) }
        var cameFrom: [[Int]] = []
        for sample in isHeard.indices.dropFirst() {
            let best = scores.indices.max { (scores[$0], $1) < (scores[$1], $0) } ?? 0
            // At the last moment: in silence the one who spoke before is held.
            let stays = scores.indices.map { $0 == best || scores[$0] > scores[best] - limits.changeCost }
            cameFrom.append(scores.indices.map { stays[$0] ? $0 : best })
            scores = scores.indices.map { face in
                (stays[face] ? scores[face] : scores[best] - limits.changeCost) + gain(face, at: sample)
            }
        }
        var path = [scores.indices.max { (scores[$0], $1) < (scores[$1], $0) } ?? 0]
        for before in cameFrom.reversed() { path.append(before[path[path.count - 1]]) }
        return path.reversed()
    }

    /// The stretches of `path` in which the face is there, something is heard and its mouth moves.
    func turns(along path: [Int]) -> [ShotCast.Turn] {
        let pauseMax = Int((limits.pauseSecondsMax / stepSeconds).rounded())
        var turns: [ShotCast.Turn] = []
        for (sample, face) in path.enumerated() where isHeard[sample] && faces[face].places[sample] != nil {
            if let last = turns.last, last.member == face, sample - last.samples.upperBound <= pauseMax {
                turns[turns.count - 1].samples = last.samples.lowerBound..<(sample + 1)
            } else {
                turns.append(ShotCast.Turn(member: face, samples: sample..<(sample + 1)))
            }
        }
        return turns.filter { turn in
            let measured = turn.samples.filter { isHeard[$0] }.compactMap { evidence[turn.member][$0] }
            let sum = measured.reduce(0, +)
            return !measured.isEmpty && sum >= limits.turnEvidenceMin * Double(measured.count)
        }
    }

    private func gain(_ face: Int, at sample: Int) -> Double {
        let standing = limits.prominenceGain * faces[face].prominence
        guard faces[face].places[sample] != nil else { return standing - limits.absenceCost }
        return isHeard[sample] ? standing + (evidence[face][sample] ?? 0) : 0
    }

    // MARK: The evidence for one face

    private func weighed(_ face: Face) -> [Double?] {
        let motions = face.places.map { place in (place?.face.mouth ?? []).map(motion) }
        let means = motions.map { $0.isEmpty ? nil : $0.reduce(0, +) / Double($0.count) }
        let silent = means.indices.filter { !isHeard[$0] }.compactMap { means[$0] }
        // Of one moment of silence nothing is learned: it may hold the breath before a sentence.
        let habit = silent.count < 5 ? 0 : max(0, silent.reduce(0, +) / Double(silent.count))
        let sync = synchrony(motions)
        return means.indices.map { sample in
            means[sample].map { mean in
                let found = min(max(mean - habit, limits.evidence.lowerBound), limits.evidence.upperBound)
                return found * (1 + limits.syncGain * sync[sample])
            }
        }
    }

    private func motion(_ motion: MouthMotion) -> Double {
        let rest = log(limits.restingMotion + limits.motionFloor) * (1 - limits.headShare)
        let motion = log(motion.mouth + limits.motionFloor) - limits.headShare * log(motion.upper + limits.motionFloor)
        return motion - rest
    }

    /// Correlation of a mouth's motion with the loudness around every sample, -1 to 1.
    private func synchrony(_ motions: [[Double]]) -> [Double] {
        var known: [(sample: Int, motion: Double, level: Double)] = []
        for (sample, values) in motions.enumerated() {
            for (index, value) in values.enumerated() {
                let part = (Double(index) + 0.5) / Double(values.count)
                // A room's noise and what lies below it are one.
                let level = max(-60, speech.level(at: (Double(firstSample + sample) + part) * stepSeconds))
                known.append((sample, value, level))
            }
        }
        let reach = Int((limits.syncSeconds / stepSeconds).rounded(.up))
        var (first, next) = (0, 0)
        return motions.indices.map { sample in
            while first < known.count, known[first].sample < sample - reach { first += 1 }
            while next < known.count, known[next].sample <= sample + reach { next += 1 }
            let around = known[first..<max(first, next)]
            guard around.count >= 8 else { return 0 }
            return correlation(around.map(\.motion), around.map(\.level))
        }
    }

    private func correlation(_ left: [Double], _ right: [Double]) -> Double {
        let count = Double(left.count)
        let (meanLeft, meanRight) = (left.reduce(0, +) / count, right.reduce(0, +) / count)
        var (product, squaresLeft, squaresRight) = (0.0, 0.0, 0.0)
        for (one, other) in zip(left, right) {
            product += (one - meanLeft) * (other - meanRight)
            squaresLeft += (one - meanLeft) * (one - meanLeft)
            squaresRight += (other - meanRight) * (other - meanRight)
        }
        // The additions say that less than this is no variation: a tenth of a motion, 3 dB of sound.
        return product / ((squaresLeft + 0.01 * count).squareRoot() * (squaresRight + 9 * count).squareRoot())
    }
}
