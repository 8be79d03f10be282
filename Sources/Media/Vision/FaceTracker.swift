/// One face followed through one shot.
package struct FaceTrack: Hashable, Sendable {
    package struct Sighting: Hashable, Sendable {
        /// Index of the sample in the clip.
        package var sample: Int
        package var face: DetectedFace
    }

    /// Counted from 0 in the order of first appearance.
    package var id: Int
    /// In order of samples, at least one.
    package var sightings: [Sighting]

    package var first: Int { sightings[0].sample }
    package var last: Int { sightings[sightings.count - 1].sample }
    package var meanConfidence: Double {
        sightings.reduce(0) { $0 + $1.face.confidence } / Double(sightings.count)
    }

    /// Where the face is at every one of `samples`: as seen, on the straight line between two sightings, or nil before
    /// the first and after the last.
    package func places(in samples: Range<Int>) -> [Place?] {
        var places = [Place?](repeating: nil, count: samples.count)
        for (index, sighting) in sightings.enumerated() {
            if samples.contains(sighting.sample) {
                places[sighting.sample - samples.lowerBound] = Place(face: sighting.face, isSeen: true)
            }
            guard index > 0 else { continue }
            let before = sightings[index - 1]
            for sample in (before.sample + 1)..<sighting.sample where samples.contains(sample) {
                let share = Double(sample - before.sample) / Double(sighting.sample - before.sample)
                places[sample - samples.lowerBound] = Place(
                    face: before.face.moved(towards: sighting.face, by: share), isSeen: false)
            }
        }
        return places
    }

    package struct Place: Hashable, Sendable {
        package var face: DetectedFace
        /// False: reckoned from the sightings before and after.
        package var isSeen: Bool
    }
}

/// Links the faces of successive samples into tracks.
///
/// A face belongs to the track whose place it is expected at: the best pairs first, by overlap and closeness to where
/// the track would be had it gone on as before. Ties go to the older track and the stronger face, so the same samples
/// give the same tracks. Tracks end at cuts, because the same place in another shot is another person.
package struct FaceTracker: Sendable {
    package struct Limits: Hashable, Sendable {
        /// How long a face may be gone (turned away, behind a hand) and still be the same.
        package var gapSecondsMax = 1.0
        /// How far from its expected place a face may be after one step, in face sizes; grows by half a face for every
        /// missed sample, up to twice this.
        package var surpriseFacesMax = 1.2
        /// How much larger or smaller it may have become.
        package var growthMax = 1.8
        /// A track seen less often is dropped...
        package var sightingsMin = 3
        /// ...unless YuNet was this sure of it, twice (or once in a shot of one sample).
        package var briefConfidenceMin = 0.85

        package init() {}
    }

    fileprivate struct Open {
        var track: FaceTrack
        /// In pixels per sample.
        var velocity: (x: Double, y: Double) = (0, 0)
    }

    private struct Pair {
        var open: Int
        var face: Int
        var affinity: Double
    }

    private let limits: Limits
    private let gapSamplesMax: Int
    private var open: [Open] = []
    private var kept: [FaceTrack] = []
    private var begun = 0
    private var nextSample = 0
    private var shotBegan = 0

    package init(stepSeconds: Double, limits: Limits = Limits()) {
        precondition(stepSeconds > 0, "a step of \(stepSeconds) s")
        self.limits = limits
        gapSamplesMax = Int((limits.gapSecondsMax / stepSeconds).rounded())
    }

    /// The next sample shows another shot.
    package mutating func cut() {
        for ended in open { end(ended) }
        open = []
        shotBegan = nextSample
    }

    /// The faces of the next sample.
    package mutating func observed(_ faces: [DetectedFace]) {
        let sample = nextSample
        nextSample += 1
        for ended in open where sample - ended.track.last > gapSamplesMax + 1 { end(ended) }
        open.removeAll { sample - $0.track.last > gapSamplesMax + 1 }

        var (takenTracks, takenFaces) = (Set<Int>(), Set<Int>())
        for pair in pairs(faces, sample: sample)
        where !takenTracks.contains(pair.open) && !takenFaces.contains(pair.face) {
            takenTracks.insert(pair.open)
            takenFaces.insert(pair.face)
            open[pair.open].extend(with: faces[pair.face], sample: sample)
        }
        for (index, face) in faces.enumerated() where !takenFaces.contains(index) {
            open.append(Open(track: FaceTrack(id: begun, sightings: [.init(sample: sample, face: face)])))
            begun += 1
        }
    }

    /// The tracks worth believing, in order of first appearance, numbered anew from 0.
    package consuming func finish() -> [FaceTrack] {
        cut()
        kept.sort { $0.id < $1.id }
        for index in kept.indices { kept[index].id = index }
        return kept
    }

    /// Every pair that may belong together, the likeliest first.
    private func pairs(_ faces: [DetectedFace], sample: Int) -> [Pair] {
        var pairs: [Pair] = []
        for (openIndex, candidate) in open.enumerated() {
            for (faceIndex, face) in faces.enumerated() {
                guard let affinity = candidate.affinity(to: face, sample: sample, limits: limits) else { continue }
                pairs.append(Pair(open: openIndex, face: faceIndex, affinity: affinity))
            }
        }
        return pairs.sorted { ($1.affinity, $0.open, $0.face) < ($0.affinity, $1.open, $1.face) }
    }

    private mutating func end(_ ended: Open) {
        let count = ended.track.sightings.count
        let sure = count >= min(2, nextSample - shotBegan) && ended.track.meanConfidence >= limits.briefConfidenceMin
        if count >= limits.sightingsMin || sure { kept.append(ended.track) }
    }
}

extension FaceTracker.Open {
    /// How well `face` goes on this track, or nil when it cannot.
    fileprivate func affinity(to face: DetectedFace, sample: Int, limits: FaceTracker.Limits) -> Double? {
        let last = track.sightings[track.sightings.count - 1]
        let steps = Double(sample - last.sample)
        var expected = last.face
        expected.x += velocity.x * steps
        expected.y += velocity.y * steps
        let (size, lastSize) = (
            (face.width * face.height).squareRoot(), (expected.width * expected.height).squareRoot()
        )
        guard size > 0, lastSize > 0, max(size / lastSize, lastSize / size) <= limits.growthMax else { return nil }
        let (dx, dy) = (face.middleX - expected.middleX, face.middleY - expected.middleY)
        let surprise = (dx * dx + dy * dy).squareRoot() / max(size, lastSize)
        let allowed = min(limits.surpriseFacesMax + 0.5 * (steps - 1), 2 * limits.surpriseFacesMax)
        guard surprise <= allowed else { return nil }
        return expected.overlap(face) + 0.5 * (1 - surprise / allowed)
    }

    fileprivate mutating func extend(with face: DetectedFace, sample: Int) {
        let last = track.sightings[track.sightings.count - 1]
        let steps = Double(sample - last.sample)
        // Halved: a jittering box must not send the expectation flying.
        velocity = ((face.middleX - last.face.middleX) / steps / 2, (face.middleY - last.face.middleY) / steps / 2)
        track.sightings.append(.init(sample: sample, face: face))
    }
}

extension DetectedFace {
    fileprivate func moved(towards other: DetectedFace, by share: Double) -> DetectedFace {
        func mix(_ path: KeyPath<DetectedFace, Double>) -> Double {
            self[keyPath: path] + (other[keyPath: path] - self[keyPath: path]) * share
        }
        return DetectedFace(
            x: mix(\.x), y: mix(\.y), width: mix(\.width), height: mix(\.height), confidence: mix(\.confidence),
            eyeLine: mix(\.eyeLine))
    }
}
