package import ClipModel

/// Who matters in one shot, and when.
///
/// The main face is the most prominent one: large, central, seen often and with confidence. Where it is absent for a
/// while the next one stands in for it. Others are companions when they are prominent enough to be missed.
package struct ShotCast: Hashable, Sendable {
    package struct Limits: Hashable, Sendable {
        /// Share of the main face's prominence from which another face is a companion.
        package var companionProminenceMin = 0.35
        /// Share of the main face's samples in which a companion is there too.
        package var companionPresenceMin = 0.5
        /// A face that stands in for less long is not worth a move of the camera.
        package var standInSecondsMin = 2.0

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
    }

    /// The most prominent first.
    package let members: [Member]
    /// For every sample of the shot the index of the member that is the main face, if there is one.
    package let leads: [Int?]
    /// Indices of the members that matter beside the first, and at the same time.
    package let companions: [Int]

    package init(
        tracks: [FaceTrack], samples: Range<Int>, stepSeconds: Double, source: PixelSize, limits: Limits = Limits()
    ) {
        let members = tracks.compactMap { track -> Member? in
            let places = track.places(in: samples)
            guard places.contains(where: { $0 != nil }) else { return nil }
            return Member(
                track: track.id, prominence: Self.prominence(places, source: source), places: places)
        }.sorted { ($1.prominence, $0.track) < ($0.prominence, $1.track) }
        self.members = members
        leads = Self.leads(
            members, sampleCount: samples.count,
            standInSamplesMin: Int((limits.standInSecondsMin / stepSeconds).rounded(.up)))
        companions = members.indices.dropFirst().filter { index in
            members[0].company(of: members[index]) >= limits.companionPresenceMin
                && members[index].prominence >= limits.companionProminenceMin * members[0].prominence
        }
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
