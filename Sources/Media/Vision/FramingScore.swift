/// How well a framing does, gathered shot by shot: the figures a clip is judged by.
package struct FramingScore: Hashable, Sendable {
    private let window: CropWindow
    private let clipSeconds: Double
    private var leadSamples = 0
    private var leadsInside = 0
    private var reversals = 0
    private var travelPixels = 0.0

    package init(window: CropWindow, clipSeconds: Double) {
        self.window = window
        self.clipSeconds = clipSeconds
    }

    /// - Parameter times: Of the shot's samples, in seconds of the clip.
    package mutating func add(_ layout: Framing.Segment.Layout, cast: ShotCast, times: [Double]) {
        for (sample, lead) in cast.leads.enumerated() {
            guard let lead, let place = cast.members[lead].places[sample], place.isSeen else { continue }
            leadSamples += 1
            switch layout {
            case .fit: leadsInside += 1
            case .crop(let path): leadsInside += window.shows(place.face, from: path.corner(at: times[sample])) ? 1 : 0
            }
        }
        if case .crop(let path) = layout {
            reversals += Self.reversals(path)
            travelPixels += Self.travel(path)
        }
    }

    /// Share of the samples with a main face in which all of it is inside the window.
    package var faceInFrame: Double? {
        leadSamples > 0 ? (Double(leadsInside) / Double(leadSamples)).rounded(toPlaces: 4) : nil
    }

    package var reversalsPerSecond: Double {
        clipSeconds > 0 ? (Double(reversals) / clipSeconds).rounded(toPlaces: 4) : 0
    }

    /// In pixels of the source scaled so that the window is 1080 wide.
    package var travelPixelsPerSecond: Double {
        clipSeconds > 0 ? (travelPixels * 1080 / window.width / clipSeconds).rounded(toPlaces: 2) : 0
    }

    /// How often the window, having moved one way along an axis, next moves the other way. Rests in between do not
    /// make it another movement; cuts do.
    private static func reversals(_ path: CropPath) -> Int {
        func turns(_ axis: KeyPath<CropPath.Keyframe, Double>) -> Int {
            let directions = zip(path.keyframes.dropFirst(), path.keyframes)
                .map { ($0[keyPath: axis] - $1[keyPath: axis]) }.filter { $0 != 0 }
            return zip(directions.dropFirst(), directions).count { ($0 < 0) != ($1 < 0) }
        }
        return turns(\.x) + turns(\.y)
    }

    private static func travel(_ path: CropPath) -> Double {
        zip(path.keyframes.dropFirst(), path.keyframes).reduce(0) { sum, pair in
            let (dx, dy) = (pair.0.x - pair.1.x, pair.0.y - pair.1.y)
            return sum + (dx * dx + dy * dy).squareRoot()
        }
    }
}
