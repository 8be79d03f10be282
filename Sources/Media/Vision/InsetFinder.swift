package import ClipModel

/// Finds the small camera picture of somebody who explains what is on the screen.
///
/// It is told by the face alone: small, in a corner, never far from its place, and there in nearly all of the clip,
/// whatever is cut on the screen. Somebody who stands in the corner of a stage beside slides looks the same, and is
/// shown well by the same layout.
package struct InsetFinder: Hashable, Sendable {
    package struct Limits: Hashable, Sendable {
        /// A source narrower than this shows no screen...
        package var sourceAspectMin = 1.2
        /// ...and in a clip wider than this there is no room below one.
        package var outputAspectMax = 0.8
        /// Height of the face, in heights of the source.
        package var faceHeight = 0.04...0.2
        /// Of its middle from the nearer side, in widths of the source...
        package var sideMax = 0.16
        /// ...and from the nearer of top and bottom, in heights.
        package var edgeMax = 0.24
        /// How far it may be from its usual place, in face heights, nearly always.
        package var straying = 0.8
        /// Share of the clip's samples in which it must be there...
        package var presenceMin = 0.7
        /// ...and, of a shot's, for that shot to be shown so.
        package var shotPresenceMin = 0.5
        /// Share of the clip's samples that may show a larger face elsewhere: a film that is watched, a guest.
        package var othersMax = 0.2
        /// Of the window that shows the face: its height in faces, and its shape.
        package var windowFaces = 2.3
        package var windowAspect = 1.25
        /// Of the clip against the source in that window.
        package var enlargementMax = 7.0

        package init() {}
    }

    /// The usual place of the face.
    package let face: DetectedFace
    private let source: PixelSize
    private let limits: Limits

    /// Nil when there is no such face, or the clip has no room for it.
    package init?(_ samples: [FaceSample], source: PixelSize, output: PixelSize, limits: Limits = Limits()) {
        let (width, height) = (Double(source.width), Double(source.height))
        guard source.aspectRatio >= limits.sourceAspectMin, output.aspectRatio <= limits.outputAspectMax else {
            return nil
        }
        let cornered = samples.flatMap(\.faces).filter { face in
            limits.faceHeight.contains(face.height / height)
                && min(face.middleX, width - face.middleX) <= limits.sideMax * width
                && min(face.middleY, height - face.middleY) <= limits.edgeMax * height
        }
        guard !cornered.isEmpty else { return nil }
        func median(_ value: (DetectedFace) -> Double, of faces: [DetectedFace]) -> Double {
            faces.map(value).upperMedian
        }
        // The corner with the most faces, so that a median is not one between two corners.
        let corners = Dictionary(grouping: cornered) { face in
            (face.middleX < width / 2 ? 0 : 1) + (face.middleY < height / 2 ? 0 : 2)
        }
        let faces = corners.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }?.value ?? cornered
        let usual = DetectedFace(
            x: median(\.x, of: faces), y: median(\.y, of: faces), width: median(\.width, of: faces),
            height: median(\.height, of: faces), confidence: median(\.confidence, of: faces),
            eyeLine: median(\.eyeLine, of: faces))
        face = usual
        self.source = source
        self.limits = limits
        let count = Double(samples.count)
        let present = Double(samples.count { sample in sample.faces.contains { Self.isUsual($0, usual, limits) } })
        let disturbed = samples.count { sample in
            sample.faces.contains { $0.height > 1.5 * usual.height && !Self.isUsual($0, usual, limits) }
        }
        guard present >= limits.presenceMin * count, Double(disturbed) <= limits.othersMax * count,
            Double(output.width) / (usual.height * limits.windowFaces * limits.windowAspect) <= limits.enlargementMax
        else { return nil }
    }

    private static func isUsual(_ face: DetectedFace, _ usual: DetectedFace, _ limits: Limits) -> Bool {
        let (dx, dy) = (face.middleX - usual.middleX, face.middleY - usual.middleY)
        return (dx * dx + dy * dy).squareRoot() <= limits.straying * usual.height && face.height < 1.5 * usual.height
            && usual.height < 1.5 * face.height
    }

    /// What a shot shows in which the face is at its place; nil for another shot.
    package func layout(of shot: some Collection<FaceSample>, from start: Double) -> Framing.Segment.Layout? {
        let present = shot.count { sample in sample.faces.contains { Self.isUsual($0, face, limits) } }
        guard Double(present) >= limits.shotPresenceMin * Double(shot.count), present > 0 else { return nil }
        let screen = CropPath(
            width: Double(source.width), height: Double(source.height),
            keyframes: [.init(time: start.rounded(toPlaces: 3), x: 0, y: 0)])
        let height = limits.windowFaces * face.height
        let width = min(height * limits.windowAspect, Double(source.width))
        let corner = CropPath.Keyframe(
            time: start.rounded(toPlaces: 3),
            x: min(max(0, face.middleX - width / 2), Double(source.width) - width).rounded(toPlaces: 2),
            y: min(max(0, face.eyeLine - 0.42 * height), Double(source.height) - height).rounded(toPlaces: 2))
        return .inset(
            screen: screen, face: CropPath(width: width, height: height, keyframes: [corner]))
    }
}
