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
///
/// At the end of a shot tracks are joined that are one person with something between: turned away, behind a hand or
/// somebody who walked past. The later one begins where the earlier one stood or was going, as large as it was.
package struct FaceTracker: Sendable {
    package struct Limits: Hashable, Sendable {
        /// How long a face may be gone (turned away, behind a hand) and still be the same.
        package var gapSecondsMax = 1.0
        /// How long it may be gone when it comes back as large as it was, and where it stood or was going.
        package var joinSecondsMax = 3.0
        /// How far from there, in face sizes...
        package var joinFacesMax = 0.8
        /// ...and how much larger or smaller.
        package var joinGrowthMax = 1.5
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
        /// In pixels per sample, over the last few sightings: of two alone it would be mostly the jitter of boxes.
        var velocity: (x: Double, y: Double) = (0, 0)
    }

    /// Two tracks that may be one.
    private struct Joint {
        var earlier: Int
        var later: Int
        var gap: Int
        /// In face sizes.
        var distance: Double
    }

    private struct Pair {
        var open: Int
        var face: Int
        var affinity: Double
    }

    private let limits: Limits
    private let gapSamplesMax: Int
    private let joinSamplesMax: Int
    private var open: [Open] = []
    /// Of the present shot.
    private var ended: [Open] = []
    private var kept: [FaceTrack] = []
    private var begun = 0
    private var nextSample = 0
    private var shotBegan = 0

    package init(stepSeconds: Double, limits: Limits = Limits()) {
        precondition(stepSeconds > 0, "a step of \(stepSeconds) s")
        self.limits = limits
        gapSamplesMax = Int((limits.gapSecondsMax / stepSeconds).rounded())
        joinSamplesMax = Int((limits.joinSecondsMax / stepSeconds).rounded())
    }

    /// The next sample shows another shot.
    package mutating func cut() {
        for track in joined(ended + open) where isWorthy(track) { kept.append(track) }
        (open, ended) = ([], [])
        shotBegan = nextSample
    }

    /// The faces of the next sample.
    package mutating func observed(_ faces: [DetectedFace]) {
        let sample = nextSample
        nextSample += 1
        ended += open.filter { sample - $0.track.last > gapSamplesMax + 1 }
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

    private func isWorthy(_ track: FaceTrack) -> Bool {
        let count = track.sightings.count
        let sure = count >= min(2, nextSample - shotBegan) && track.meanConfidence >= limits.briefConfidenceMin
        return count >= limits.sightingsMin || sure
    }

    /// The shortest gaps are closed first, and of equals the closest.
    private func joined(_ parts: [Open]) -> [FaceTrack] {
        let parts = parts.sorted { $0.track.id < $1.track.id }
        var joints: [Joint] = []
        for earlier in parts.indices {
            // In the order in which they began: a crowd has thousands, of which few come into question.
            let end = parts[earlier].track.last + joinSamplesMax + 1
            for later in parts.indices.dropFirst(earlier + 1) {
                guard parts[later].track.first <= end else { break }
                guard let joint = joint(parts, earlier: earlier, later: later) else { continue }
                joints.append(joint)
            }
        }
        joints.sort { ($0.gap, $0.distance, $0.earlier, $0.later) < ($1.gap, $1.distance, $1.earlier, $1.later) }
        var next = [Int?](repeating: nil, count: parts.count)
        var isContinuation = [Bool](repeating: false, count: parts.count)
        for joint in joints where next[joint.earlier] == nil && !isContinuation[joint.later] {
            next[joint.earlier] = joint.later
            isContinuation[joint.later] = true
        }
        return parts.indices.filter { !isContinuation[$0] }.map { start in
            var track = parts[start].track
            var part = start
            while let following = next[part] {
                track.sightings += parts[following].track.sightings
                part = following
            }
            return track
        }
    }

    private func joint(_ parts: [Open], earlier: Int, later: Int) -> Joint? {
        let (before, after) = (parts[earlier].track, parts[later].track)
        let gap = after.first - before.last
        guard gap > 0, gap <= joinSamplesMax + 1 else { return nil }
        let (left, came) = (before.sightings[before.sightings.count - 1].face, after.sightings[0].face)
        guard left.growth(to: came) <= limits.joinGrowthMax else { return nil }
        var going = left
        going.x += parts[earlier].velocity.x * Double(gap)
        going.y += parts[earlier].velocity.y * Double(gap)
        let distance = min(left.distance(to: came), going.distance(to: came))
        guard distance <= limits.joinFacesMax else { return nil }
        return Joint(earlier: earlier, later: later, gap: gap, distance: distance)
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
        guard face.size > 0, expected.size > 0, expected.growth(to: face) <= limits.growthMax else { return nil }
        let surprise = expected.distance(to: face)
        let allowed = min(limits.surpriseFacesMax + 0.5 * (steps - 1), 2 * limits.surpriseFacesMax)
        guard surprise <= allowed else { return nil }
        return expected.overlap(face) + 0.5 * (1 - surprise / allowed)
    }

    fileprivate mutating func extend(with face: DetectedFace, sample: Int) {
        track.sightings.append(.init(sample: sample, face: face))
        let recent = track.sightings.suffix(4)
        guard let first = recent.first else { return }
        // As if it had also stood still for half a step: of a jittering box at first less is believed.
        let steps = Double(sample - first.sample) + 0.5
        velocity = ((face.middleX - first.face.middleX) / steps, (face.middleY - first.face.middleY) / steps)
    }
}

extension DetectedFace {
    fileprivate var size: Double { (width * height).squareRoot() }

    /// How many times larger the larger one is.
    fileprivate func growth(to other: DetectedFace) -> Double { max(size / other.size, other.size / size) }

    /// Between the middles, in sizes of the larger one.
    fileprivate func distance(to other: DetectedFace) -> Double {
        let (dx, dy) = (other.middleX - middleX, other.middleY - middleY)
        return (dx * dx + dy * dy).squareRoot() / max(size, other.size)
    }

    fileprivate func moved(towards other: DetectedFace, by share: Double) -> DetectedFace {
        func mix(_ path: KeyPath<DetectedFace, Double>) -> Double {
            self[keyPath: path] + (other[keyPath: path] - self[keyPath: path]) * share
        }
        return DetectedFace(
            x: mix(\.x), y: mix(\.y), width: mix(\.width), height: mix(\.height), confidence: mix(\.confidence),
            eyeLine: mix(\.eyeLine))
    }
}
