package import ClipModel

/// Which of those who speak in one shot is which of those in another.
///
/// Nobody is known by features here: a track ends with its shot. Two things can be told without. Faces that are seen at
/// the same time are two people; and where a camera comes back (a jump cut, the wide shot between two close-ups), all
/// who matter stand where they stood, as large as they were. A close-up fits whoever is in it, so one face alone is
/// never recognised. Who cannot be told from all who have a number gets none: a number is one person.
package struct SpeakerIdentity: Sendable {
    package struct Limits: Hashable, Sendable {
        /// How far a face may be from where it stood, in its widths: people lean, and cameras on a tripod do not move.
        package var placeFacesMax = 0.4
        /// And how much larger or smaller.
        package var growthMax = 1.2
        /// So many at least must stand where they stood.
        package var matchesMin = 2
        /// How long two must be seen together to be two. A dissolve shows one person in two places, for less.
        package var togetherSecondsMin = 1.0

        package init() {}
    }

    /// Where a face is in a shot, in pixels: medians.
    private struct Place {
        var x: Double
        var y: Double
        var width: Double
    }

    private let stepSeconds: Double
    private let limits: Limits
    /// Of every shot in which somebody speaks, by person. People are counted from 0 as they are seen.
    private var shots: [[Int: Place]] = []
    /// By person: those who are known to be somebody else.
    private var others: [Set<Int>] = []
    /// By person, in seconds.
    private var spoken: [Double] = []
    private var said: [(range: TimeRange, person: Int)] = []

    package init(stepSeconds: Double, limits: Limits = Limits()) {
        precondition(stepSeconds > 0, "a step of \(stepSeconds) s")
        self.stepSeconds = stepSeconds
        self.limits = limits
    }

    /// The next shot.
    ///
    /// - Parameter times: Of its samples, in seconds of the clip, like its `range`.
    package mutating func add(_ cast: ShotCast, times: [Double], range: TimeRange) {
        guard !cast.turns.isEmpty else { return }
        let bodies = bodies(of: cast)
        let places = bodies.map { place(of: cast.members[$0[0]]) }
        let known = recognised(places)
        let people = bodies.indices.map { body -> Int in
            if let person = known[body] { return person }
            others.append([])
            spoken.append(0)
            return others.count - 1
        }
        shots.append(Dictionary(uniqueKeysWithValues: zip(people, places)))
        for (one, person) in zip(bodies, people) {
            for (other, another) in zip(bodies, people) where person != another {
                if areTogether(one, other, in: cast) { others[person].insert(another) }
            }
        }
        for turn in cast.turns {
            guard let body = bodies.firstIndex(where: { $0.contains(turn.member) }) else { continue }
            let (first, end) = (turn.samples.lowerBound, turn.samples.upperBound)
            let time = TimeRange(
                start: times[first].rounded(toPlaces: 3),
                end: (end < times.count ? times[end] : range.end).rounded(toPlaces: 3))
            spoken[people[body]] += time.duration
            said.append((time, people[body]))
        }
    }

    /// Who speaks when, with a number for everybody who can be told from all others with one; nil where not two can.
    package func turns() -> [Framing.Turn]? {
        let chosen = told()
        guard chosen.count > 1 else { return nil }
        var numbers: [Int: Int] = [:]
        return said.compactMap { turn in
            guard chosen.contains(turn.person) else { return nil }
            let number = numbers[turn.person] ?? numbers.count + 1
            numbers[turn.person] = number
            return Framing.Turn(range: turn.range, speaker: number)
        }
    }

    // MARK: Inside of a shot

    /// The members who matter or speak, one entry for each person: who was lost for long and found where he was is two
    /// tracks.
    private func bodies(of cast: ShotCast) -> [[Int]] {
        let members = Set([0] + cast.companions + cast.turns.map(\.member)).sorted()
        return members.reduce(into: []) { bodies, member in
            let here = place(of: cast.members[member])
            let same = bodies.firstIndex { body in
                distance(place(of: cast.members[body[0]]), here) != nil
                    && body.allSatisfy { cast.members[$0].company(of: cast.members[member]) == 0 }
            }
            if let same { bodies[same].append(member) } else { bodies.append([member]) }
        }
    }

    private func place(of member: ShotCast.Member) -> Place {
        let faces = member.places.compactMap { $0?.face }
        func median(_ value: (DetectedFace) -> Double) -> Double {
            faces.isEmpty ? 0 : faces.map(value).upperMedian
        }
        return Place(x: median(\.middleX), y: median(\.middleY), width: median(\.width))
    }

    private func areTogether(_ one: [Int], _ other: [Int], in cast: ShotCast) -> Bool {
        let samples = one.flatMap { left in other.map { right in (cast.members[left], cast.members[right]) } }
            .map { zip($0.places, $1.places).count { $0 != nil && $1 != nil } }.reduce(0, +)
        return Double(samples) * stepSeconds >= limits.togetherSecondsMin - stepSeconds / 2
    }

    // MARK: From shot to shot

    /// The people of the earlier shot in which all who matter stood at the same places, by index of `places`.
    private func recognised(_ places: [Place]) -> [Int: Int] {
        var best: (people: [Int: Int], distance: Double) = ([:], .infinity)
        for shot in shots {
            let (people, distance) = matched(places, shot)
            guard people.count >= limits.matchesMin, people.count == min(places.count, shot.count) else { continue }
            // Of equals the later: people settle down.
            if (best.people.count, -best.distance) <= (people.count, -distance) { best = (people, distance) }
        }
        return best.people
    }

    /// The closest pairs first; the distance is their mean.
    private func matched(_ places: [Place], _ shot: [Int: Place]) -> (people: [Int: Int], distance: Double) {
        var pairs: [(body: Int, person: Int, distance: Double)] = []
        for (body, here) in places.enumerated() {
            for (person, there) in shot {
                if let distance = distance(here, there) { pairs.append((body, person, distance)) }
            }
        }
        pairs.sort { ($0.distance, $0.body, $0.person) < ($1.distance, $1.body, $1.person) }
        var (people, sum): ([Int: Int], Double) = ([:], 0)
        for pair in pairs where people[pair.body] == nil && !people.values.contains(pair.person) {
            people[pair.body] = pair.person
            sum += pair.distance
        }
        return (people, people.isEmpty ? .infinity : sum / Double(people.count))
    }

    /// In widths of the larger face; nil where they are not at the same place.
    private func distance(_ one: Place, _ other: Place) -> Double? {
        let (small, large) = (min(one.width, other.width), max(one.width, other.width))
        guard small > 0, large <= limits.growthMax * small else { return nil }
        let (dx, dy) = (one.x - other.x, one.y - other.y)
        let distance = (dx * dx + dy * dy).squareRoot() / large
        return distance <= limits.placeFacesMax ? distance : nil
    }

    // MARK: Who gets a number

    /// The two who speak most of all that are known to be two, and whoever is known to be none of those before.
    private func told() -> Set<Int> {
        let speakers = spoken.indices.filter { spoken[$0] > 0 }
            .sorted { (spoken[$1], $0) < (spoken[$0], $1) }
        var best: (pair: [Int], seconds: Double) = ([], 0)
        for one in speakers {
            for other in speakers where one < other && others[one].contains(other) {
                let seconds = spoken[one] + spoken[other]
                if seconds > best.seconds { best = ([one, other], seconds) }
            }
        }
        guard !best.pair.isEmpty else { return [] }
        return speakers.reduce(into: Set(best.pair)) { told, person in
            if told.isSubset(of: others[person]) { told.insert(person) }
        }
    }
}
