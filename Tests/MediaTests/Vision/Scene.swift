import ClipModel
import Media

/// A clip with known truth: people who stand and walk in a picture, seen by a detector with noise.
struct Scene: Sendable {
    var source = PixelSize(width: 1920, height: 1080)
    var output = PixelSize(width: 1080, height: 1920)
    var seconds = 20.0
    var cuts: [Double] = []
    /// Where the clip lies in its source; cuts are given relative to it, and told to the planner as it wants them.
    var clipStart = 100.0
    /// In pixels, up to which every edge of a box is off.
    var noise = 4.0
    var people: [Person]

    struct Person: Sendable {
        var size = 220.0
        /// The middle of the face at a time; nil: not to be seen.
        var place: @Sendable (Double) -> (x: Double, y: Double)?
    }

    static let stepSeconds = 0.2

    func samples(seed: UInt64 = 1) -> [FaceSample] {
        var chance = SceneNoise(seed: seed)
        return (0..<Int((seconds / Self.stepSeconds).rounded(.up))).map { index in
            let time = Double(index) * Self.stepSeconds
            let faces = people.compactMap { person -> DetectedFace? in
                guard let place = person.place(time) else { return nil }
                let width = person.size * 0.75
                func off() -> Double { Double.random(in: -noise...noise, using: &chance) }
                return DetectedFace(
                    x: place.x - width / 2 + off(), y: place.y - person.size / 2 + off(), width: width + off(),
                    height: person.size + off(), confidence: 0.92, eyeLine: place.y - 0.1 * person.size + off())
            }
            return FaceSample(time: time, faces: faces)
        }
    }

    var planner: FramingPlanner {
        FramingPlanner(
            source: source, output: output, clip: TimeRange(start: clipStart, end: clipStart + seconds),
            cuts: cuts.map { $0 + clipStart }, stepSeconds: Self.stepSeconds)
    }

    func framing(seed: UInt64 = 1) -> Framing { planner.framing(samples(seed: seed)) }
}

/// SplitMix64.
struct SceneNoise: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension Framing {
    /// The moving parts, with the range in which each is shown.
    var crops: [(range: TimeRange, path: CropPath)] {
        segments.compactMap { segment in
            if case .crop(let path) = segment.layout { (segment.range, path) } else { nil }
        }
    }

    /// The window's corner at a time of the clip; nil while the whole picture is shown.
    func corner(at time: Double) -> CropPath.Keyframe? {
        crops.first { $0.range.contains(time) }?.path.corner(at: time)
    }
}
