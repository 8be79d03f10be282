import ClipModel

/// How well a framing does, gathered shot by shot: the figures a clip is judged by before it is rendered.
package struct FramingScore: Hashable, Sendable {
    private let window: CropWindow
    private let clipSeconds: Double
    private var leadSamples = 0
    private var leadsInside = 0
    private var reversals = 0
    private var travelWidths = 0.0
    private var subjectWidths = 0.0

    package init(window: CropWindow, clipSeconds: Double) {
        self.window = window
        self.clipSeconds = clipSeconds
    }

    /// - Parameters:
    ///   - segments: Of one shot.
    ///   - times: Of the shot's samples, in seconds of the clip.
    package mutating func add(_ segments: [Framing.Segment], cast: ShotCast, times: [Double]) {
        for (sample, lead) in cast.leads.enumerated() {
            guard let lead, let place = cast.members[lead].places[sample], place.isSeen else { continue }
            let time = times[sample]
            guard let layout = segments.last(where: { $0.range.start <= time + 0.001 })?.layout else { continue }
            leadSamples += 1
            let isInside =
                layout == .fit || layout.windows.contains { $0.shows(place.face, at: time, of: window.source) }
            leadsInside += isInside ? 1 : 0
        }
        for segment in segments {
            reversals += segment.reversals
            travelWidths += segment.travelWidths
        }
        subjectWidths += Self.subjectTravel(cast, times: times) / window.width
    }

    /// Share of the samples with a main face in which all of it is seen.
    package var faceInFrame: Double? {
        leadSamples > 0 ? (Double(leadsInside) / Double(leadSamples)).rounded(toPlaces: 4) : nil
    }

    package var reversalsPerSecond: Double { Framing.reversalsPerSecond(reversals, in: clipSeconds) }

    /// In pixels of the source scaled so that a window is 1080 wide.
    package var travelPixelsPerSecond: Double { Framing.pixelsPerSecond(travelWidths, in: clipSeconds) }

    /// How fast the main face itself goes, likewise; nil without one.
    package var subjectPixelsPerSecond: Double? {
        leadSamples > 0 ? Framing.pixelsPerSecond(subjectWidths, in: clipSeconds) : nil
    }

    /// The way of the main face in pixels, from second to second of its means, so that the detector's noise is none.
    private static func subjectTravel(_ cast: ShotCast, times: [Double]) -> Double {
        var (travel, second, lead) = (0.0, -1, -1)
        var before: (x: Double, y: Double)?
        var sum = (x: 0.0, y: 0.0, count: 0.0)
        func close() {
            guard sum.count > 0 else { return }
            let mean = (x: sum.x / sum.count, y: sum.y / sum.count)
            if let before {
                let (dx, dy) = (mean.x - before.x, mean.y - before.y)
                travel += (dx * dx + dy * dy).squareRoot()
            }
            before = mean
            sum = (0, 0, 0)
        }
        for (sample, member) in cast.leads.enumerated() {
            guard let member, let face = cast.members[member].places[sample]?.face else { continue }
            let now = Int(times[sample])
            if member != lead || now != second { close() }
            // The way from one person to another is nobody's.
            if member != lead { before = nil }
            (lead, second) = (member, now)
            sum = (sum.x + face.middleX, sum.y + face.middleY, sum.count + 1)
        }
        close()
        return travel
    }
}
