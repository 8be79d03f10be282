package import ClipModel

/// How the picture of one clip is made from the source.
package struct Framing: Hashable, Sendable, Codable {
    /// One stretch without a cut, and what is shown in it.
    package struct Segment: Hashable, Sendable {
        package enum Layout: Hashable, Sendable {
            /// A window that moves over the source. Keyframes are joined by straight lines; times rise.
            case crop(CropPath)
            /// The whole picture, over a blurred copy of itself that fills the frame.
            case fit
            /// A window wider than the frame's shape, as wide as the frame, over the blurred picture: between a crop,
            /// which would cut off a large face or half of a group, and the whole picture.
            case padded(CropPath)
            /// Two who talk in turn and do not fit into one window, one above the other. Each window is as wide as the
            /// frame, and together they fill it.
            case split(upper: CropPath, lower: CropPath)
            /// A shared screen, and below it the small camera picture of who explains it. What the two leave of the
            /// frame shows the blurred picture.
            case inset(screen: CropPath, face: CropPath)

            package enum Kind: String, Hashable, Sendable, CaseIterable, Codable {
                case crop, fit, padded, split, inset
            }

            package var kind: Kind {
                switch self {
                case .crop: .crop
                case .fit: .fit
                case .padded: .padded
                case .split: .split
                case .inset: .inset
                }
            }

            /// What moves over the source, from top to bottom of the frame; none where the whole picture is shown.
            package var windows: [CropPath] {
                switch self {
                case .crop(let path), .padded(let path): [path]
                case .split(let one, let other), .inset(let one, let other): [one, other]
                case .fit: []
                }
            }
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
    /// Mean speed of the main face itself, in the same unit; nil without one, and in framings of older releases.
    package var subjectPixelsPerSecond: Double?
    /// Faces seen at clip-relative times, in display pixels of the source; for captions and thumbnails.
    package var faces: [FaceSighting]
    /// Whose face should be seen when, in order; nil in framings of older releases.
    package var leads: [Lead]?
    /// Who speaks when, in order, as far as it is known; nil where not two people are known apart, and in framings of
    /// older releases.
    package var turns: [Turn]?

    /// A stretch in which one face is the main one.
    package struct Lead: Hashable, Sendable, Codable {
        /// In seconds from the start of the clip.
        package var range: TimeRange
        /// As in `FaceSighting`.
        package var track: Int

        package init(range: TimeRange, track: Int) {
            self.range = range
            self.track = track
        }
    }

    /// Somebody speaks.
    package struct Turn: Hashable, Sendable, Codable {
        /// In seconds from the start of the clip.
        package var range: TimeRange
        /// The same number is the same person for the whole clip. From 1, in the order of their first turns.
        package var speaker: Int

        package init(range: TimeRange, speaker: Int) {
            self.range = range
            self.speaker = speaker
        }
    }

    package init(
        segments: [Segment], faceInFrame: Double?, reversalsPerSecond: Double, travelPixelsPerSecond: Double,
        subjectPixelsPerSecond: Double? = nil, faces: [FaceSighting], leads: [Lead]? = nil,
        turns: [Turn]? = nil
    ) {
        self.segments = segments
        self.faceInFrame = faceInFrame
        self.reversalsPerSecond = reversalsPerSecond
        self.travelPixelsPerSecond = travelPixelsPerSecond
        self.subjectPixelsPerSecond = subjectPixelsPerSecond
        self.faces = faces
        self.leads = leads
        self.turns = turns
    }
}

/// As the release before wrote it, and so that it can read what is written now: it knows `crop` and `fit` only, and
/// finds `fit` where another layout stands beside it under `arrangement`.
extension Framing.Segment: Codable {
    private enum CodingKeys: String, CodingKey { case range, layout, arrangement }

    private enum Known: Codable {
        case crop(CropPath)
        case fit
    }

    private struct Arrangement: Codable {
        var kind: Layout.Kind
        var windows: [CropPath]
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        range = try values.decode(TimeRange.self, forKey: .range)
        if let arrangement = try values.decodeIfPresent(Arrangement.self, forKey: .arrangement) {
            switch (arrangement.kind, arrangement.windows.count) {
            case (.padded, 1): layout = .padded(arrangement.windows[0])
            case (.split, 2): layout = .split(upper: arrangement.windows[0], lower: arrangement.windows[1])
            case (.inset, 2): layout = .inset(screen: arrangement.windows[0], face: arrangement.windows[1])
            default:
                throw DecodingError.dataCorruptedError(
                    forKey: .arrangement, in: values,
                    debugDescription: "\(arrangement.kind) of \(arrangement.windows.count) windows")
            }
            return
        }
        switch try values.decode(Known.self, forKey: .layout) {
        case .crop(let path): layout = .crop(path)
        case .fit: layout = .fit
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(range, forKey: .range)
        switch layout {
        case .crop(let path): try values.encode(Known.crop(path), forKey: .layout)
        case .fit: try values.encode(Known.fit, forKey: .layout)
        case .padded, .split, .inset:
            try values.encode(Known.fit, forKey: .layout)
            try values.encode(Arrangement(kind: layout.kind, windows: layout.windows), forKey: .arrangement)
        }
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
