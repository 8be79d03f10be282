package import ClipModel

/// How the picture of one clip is made from the source.
package struct Framing: Hashable, Sendable, Codable {
    /// One stretch without a cut, and what is shown in it.
    package struct Segment: Hashable, Sendable, Codable {
        package enum Layout: Hashable, Sendable, Codable {
            /// A window that moves over the source. Keyframes are joined by straight lines; times rise.
            case crop(CropPath)
            /// The whole picture, over a blurred copy of itself that fills the frame.
            case fit
        }

        /// In seconds from the start of the clip.
        package var range: TimeRange
        package var layout: Layout

        package init(range: TimeRange, layout: Layout) {
            self.range = range
            self.layout = layout
        }
    }

    /// Cover the clip without gaps, in order.
    package var segments: [Segment]
    /// Share of the sampled frames in which the main face lies inside the window; nil when no face was seen.
    package var faceInFrame: Double?
    /// Changes of direction per second inside shots.
    package var reversalsPerSecond: Double
    /// Mean speed of the window in source pixels scaled to a 1080-wide output, per second.
    package var travelPixelsPerSecond: Double
    /// Faces seen at clip-relative times, in display pixels of the source; for captions and thumbnails.
    package var faces: [FaceSighting]

    package init(
        segments: [Segment], faceInFrame: Double?, reversalsPerSecond: Double, travelPixelsPerSecond: Double,
        faces: [FaceSighting]
    ) {
        self.segments = segments
        self.faceInFrame = faceInFrame
        self.reversalsPerSecond = reversalsPerSecond
        self.travelPixelsPerSecond = travelPixelsPerSecond
        self.faces = faces
    }
}

/// A crop window of fixed size whose top-left corner moves, in display pixels of the source.
package struct CropPath: Hashable, Sendable, Codable {
    package struct Keyframe: Hashable, Sendable, Codable {
        /// Seconds from the start of the clip.
        package var time: Double
        package var x: Double
        package var y: Double

        package init(time: Double, x: Double, y: Double) {
            self.time = time
            self.x = x
            self.y = y
        }
    }

    package var width: Double
    package var height: Double
    package var keyframes: [Keyframe]

    package init(width: Double, height: Double, keyframes: [Keyframe]) {
        precondition(!keyframes.isEmpty, "a crop path needs a keyframe")
        self.width = width
        self.height = height
        self.keyframes = keyframes
    }
}

/// A face in one frame. The box is in display pixels of the source.
package struct FaceSighting: Hashable, Sendable, Codable {
    /// Seconds from the start of the clip.
    package var time: Double
    package var x: Double
    package var y: Double
    package var width: Double
    package var height: Double
    /// 0 to 1.
    package var confidence: Double
    /// The track this face belongs to, counted from 0 inside the clip.
    package var track: Int

    package init(
        time: Double, x: Double, y: Double, width: Double, height: Double, confidence: Double, track: Int
    ) {
        self.time = time
        self.x = x
        self.y = y
        self.width = width
        self.height = height
        self.confidence = confidence
        self.track = track
    }
}
