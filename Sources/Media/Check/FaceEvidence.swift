import ClipModel

/// What the faces in a rendered clip say of its framing: is who should be seen to be seen?
///
/// The source's faces and the framing say where in the frame a face must be; the detector, run on the rendered clip,
/// says where one is. A picture in which the face must be seen, and no face is found, tells nothing (a profile, a hand,
/// captions) and counts for neither side.
package struct FaceEvidence: Hashable, Sendable {
    package struct Limits: Hashable, Sendable {
        /// Fewer pictures with a face say nothing about the rest.
        package var samplesMin = 4
        /// How far in time a sampled picture and a sighting in the source may be apart.
        package var secondsApartMax = 0.3
        /// How far from its place a face may be found, in its own size.
        package var slack = 0.3
        /// Of a face, the share that must be inside for it not to be cut off.
        package var visibleMin = 0.5

        package init() {}
    }

    /// Of the pictures for which the source shows a face, the share that shows one.
    package private(set) var faceInFrame: Double?
    /// Of the pictures with a main face, the share that shows that one; the share that shows nobody.
    package private(set) var speakerInFrame: Double?
    package private(set) var emptyFrames: Double?
    /// When the main face was not shown, in seconds from the start of the clip.
    package private(set) var missed: [Double] = []
    /// In how many pictures the main face was found, and in how many nobody though it was cut off.
    package private(set) var shownCount = 0
    package private(set) var emptyCount = 0

    package init(
        _ samples: [PictureScan.Sample], framing: Framing, geometry: FrameGeometry, limits: Limits = Limits()
    ) {
        let times = framing.faces.map(\.time).sorted()
        let looked = samples.filter { sample in times.contains { abs($0 - sample.time) <= limits.secondsApartMax } }
        guard looked.count >= limits.samplesMin else { return }
        faceInFrame = Double(looked.count { !$0.faces.isEmpty }) / Double(looked.count)

        var led = 0
        for sample in looked {
            guard let face = Self.mainFace(at: sample.time, framing, limits),
                let segment = framing.segments.last(where: { $0.range.start <= sample.time + 0.001 })
            else { continue }
            led += 1
            let box = FrameGeometry.Box(x: face.x, y: face.y, width: face.width, height: face.height)
            let expected = geometry.shown(box, in: segment.layout, at: sample.time)
            let visible = geometry.visibleShare(of: box, in: segment.layout, at: sample.time)
            if sample.faces.contains(where: { found in expected.contains { found.isAbout($0, slack: limits.slack) } }) {
                shownCount += 1
            } else if visible < limits.visibleMin {
                missed.append(sample.time)
                if sample.faces.isEmpty { emptyCount += 1 }
            }
        }
        guard led >= limits.samplesMin else { return }
        emptyFrames = Double(emptyCount) / Double(led)
        let told = shownCount + missed.count
        speakerInFrame = told > 0 ? Double(shownCount) / Double(told) : nil
    }

    private static func mainFace(at time: Double, _ framing: Framing, _ limits: Limits) -> FaceSighting? {
        guard let lead = framing.leads?.first(where: { $0.range.contains(time) }) else { return nil }
        return framing.faces.filter { $0.track == lead.track && abs($0.time - time) <= limits.secondsApartMax }
            .min { abs($0.time - time) < abs($1.time - time) }
    }
}

extension FrameGeometry.Box {
    /// Whether the middle lies in `other`, grown on every side by a share of its size.
    fileprivate func isAbout(_ other: Self, slack: Double) -> Bool {
        let (middleX, middleY) = (x + width / 2, y + height / 2)
        return middleX >= other.x - slack * other.width && middleX <= other.x + (1 + slack) * other.width
            && middleY >= other.y - slack * other.height && middleY <= other.y + (1 + slack) * other.height
    }
}
