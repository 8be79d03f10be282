package import ClipModel

/// Who matters in one shot, and when.
///
/// The main face is the most prominent one: large, central, seen often and with confidence. Where it is absent for a
/// while the next one stands in for it. Others are companions when they are prominent enough to be missed. Where the
/// sound is known and several are in the picture, who speaks leads instead.
package struct ShotCast: Hashable, Sendable {
    package struct Limits: Hashable, Sendable {
        /// Share of the main face's prominence from which another face is a companion.
        package var companionProminenceMin = 0.35
        /// Share of the main face's samples in which a companion is there too.
        package var companionPresenceMin = 0.5
        /// A face that stands in for less long is not worth a move of the camera.
        package var standInSecondsMin = 2.0
        /// Who is this much smaller than the largest face does not take the lead by speaking: the public.
        package var speakerSizeShareMin = 0.4
        /// A face whose liveliest moments (the upper tenth) stay below this, as a share of its contrast...
        package var printedMotionMax = 0.03
        /// ...and below this share of the liveliest face's is printed, or on a screen, and never leads the living.
        package var printedShareMax = 0.25

        package init() {}
    }

    /// A track inside the shot.
    package struct Member: Hashable, Sendable {
        package var track: Int
        package var prominence: Double
        /// For every sample of the shot.
        package var places: [FaceTrack.Place?]

        /// Share of the samples with this face in which `other` is there too.
        package func company(of other: Member) -> Double {
            let (own, shared) = zip(places, other.places).reduce(into: (0, 0)) { counts, pair in
                guard pair.0 != nil else { return }
                counts.0 += 1
                counts.1 += pair.1 != nil ? 1 : 0
            }
            return own > 0 ? Double(shared) / Double(own) : 0
        }

        /// What moved in its liveliest moments; nil where too little was measured to tell.
        fileprivate var liveliness: Double? {
            let motions = places.flatMap { $0?.face.mouth ?? [] }.map { max($0.mouth, $0.upper) }.sorted()
            return motions.count < 6 ? nil : motions[motions.count * 9 / 10]
        }

        fileprivate var medianSize: Double {
            let widths = places.compactMap { $0?.face.width }
            return widths.isEmpty ? 0 : widths.upperMedian
        }
    }

    /// Somebody speaks.
    package struct Turn: Hashable, Sendable {
        /// Index of the member.
        package var member: Int
        /// Of the shot, counted from its first.
        package var samples: Range<Int>

        package init(member: Int, samples: Range<Int>) {
            self.member = member
            self.samples = samples
        }
    }

    /// The most prominent first, and the printed ones last.
    package let members: [Member]
    /// For every sample of the shot the index of the member that is to be shown, if there is one: who speaks or spoke
    /// last, where that is known.
    package let leads: [Int?]
    /// Who speaks when, in order. Stretches in which nobody does, or nobody in the picture, are left out.
    package let turns: [Turn]
    /// Indices of the members that matter beside the first, and at the same time.
    package let companions: [Int]

    package init(
        tracks: [FaceTrack], samples: Range<Int>, stepSeconds: Double, source: PixelSize,
        speech: SpeechEvidence = .none, limits: Limits = Limits()
    ) {
        let seen = tracks.compactMap { track -> Member? in
            let places = track.places(in: samples)
            guard places.contains(where: { $0 != nil }) else { return nil }
            return Member(
                track: track.id, prominence: Self.prominence(places, source: source), places: places)
        }
        let printed = Self.printed(seen, limits: limits)
        let living = seen.filter { !printed.contains($0.track) }.sorted(by: Self.isMoreProminent)
        let members = living + seen.filter { printed.contains($0.track) }.sorted(by: Self.isMoreProminent)
        self.members = members
        let standInSamplesMin = Int((limits.standInSecondsMin / stepSeconds).rounded(.up))
        let byPlace = Self.leads(living, sampleCount: samples.count, standInSamplesMin: standInSamplesMin)
        if let heard = Self.speaking(
            living, firstSample: samples.lowerBound, stepSeconds: stepSeconds, speech: speech, limits: limits)
        {
            leads = Self.filled(heard.leads, from: byPlace, gapMin: standInSamplesMin)
            turns = heard.turns
        } else {
            leads = byPlace
            turns = []
        }
        companions = living.indices.dropFirst().filter { index in
            living[0].company(of: living[index]) >= limits.companionPresenceMin
                && living[index].prominence >= limits.companionProminenceMin * living[0].prominence
        }
    }

    private static func isMoreProminent(_ one: Member, than other: Member) -> Bool {
        (other.prominence, one.track) < (one.prominence, other.track)
    }

    /// The tracks of posters, pictures and screens: nothing of them ever moves, while somebody else does.
    private static func printed(_ members: [Member], limits: Limits) -> Set<Int> {
        let liveliest = members.compactMap(\.liveliness).max() ?? 0
        let bound = min(limits.printedMotionMax, limits.printedShareMax * liveliest)
        return Set(members.filter { ($0.liveliness ?? .infinity) < bound }.map(\.track))
    }

    /// Mean over the shot of size times confidence, less towards the edges of the picture; zero where absent. So that
    /// a face counts by how long it is there.
    private static func prominence(_ places: [FaceTrack.Place?], source: PixelSize) -> Double {
        let (middle, height) = (Double(source.width) / 2, Double(source.height))
        let sum = places.reduce(0.0) { sum, place in
            guard let face = place?.face else { return sum }
            let size = (face.width * face.height).squareRoot() / height
            let offCentre = min(1, abs(face.middleX - middle) / middle)
            return sum + size * face.confidence * (1 - 0.5 * offCentre)
        }
        return sum / Double(max(1, places.count))
    }

    /// Who is to be shown for what is heard, and the turns; nil where that cannot be told: without sound, or with only
    /// one face that is large enough to see its mouth.
    private static func speaking(
        _ members: [Member], firstSample: Int, stepSeconds: Double, speech: SpeechEvidence, limits: Limits
    ) -> (leads: [Int?], turns: [Turn])? {
        guard !speech.isEmpty else { return nil }
        let sizes = members.map(\.medianSize)
        let sizeMin = limits.speakerSizeShareMin * (sizes.max() ?? 0)
        let candidates = members.indices.filter { sizes[$0] >= sizeMin && members[$0].liveliness != nil }
        guard candidates.count > 1 else { return nil }
        let prominenceMax = max(members[0].prominence, .leastNonzeroMagnitude)
        let speaker = ActiveSpeaker(
            faces: candidates.map {
                .init(places: members[$0].places, prominence: members[$0].prominence / prominenceMax)
            },
            firstSample: firstSample, stepSeconds: stepSeconds, speech: speech)
        let path = speaker.path()
        let leads = path.enumerated().map { sample, face in
            members[candidates[face]].places[sample] == nil ? nil : candidates[face]
        }
        let turns = speaker.turns(along: path).map { Turn(member: candidates[$0.member], samples: $0.samples) }
        return (leads, turns)
    }

    /// Nobody of those who may speak is there for so long that somebody else is shown.
    private static func filled(_ leads: [Int?], from others: [Int?], gapMin: Int) -> [Int?] {
        var filled = leads
        var start = 0
        while start < leads.count {
            let end = leads[start...].firstIndex { ($0 == nil) != (leads[start] == nil) } ?? leads.count
            if leads[start] == nil, end - start >= gapMin {
                filled.replaceSubrange(start..<end, with: others[start..<end])
            }
            start = end
        }
        return filled
    }

    private static func leads(_ members: [Member], sampleCount: Int, standInSamplesMin: Int) -> [Int?] {
        var leads = (0..<sampleCount).map { sample in members.firstIndex { $0.places[sample] != nil } }
        var start = 0
        while start < sampleCount {
            let end = leads[start...].firstIndex { $0 != leads[start] } ?? sampleCount
            // A fragment of the shot's only face is never too short; a stand-in for a more prominent one may be.
            if let lead = leads[start], lead > 0, end - start < standInSamplesMin {
                for sample in start..<end { leads[sample] = nil }
            }
            start = end
        }
        return leads
    }
}
