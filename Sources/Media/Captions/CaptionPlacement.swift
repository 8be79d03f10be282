import ClipModel

/// Where text may stand in a picture so that no app of a phone draws over it.
///
/// The safe box of 1080x1920 is x 108...972, y 384...1536: the feed apps put names, buttons and their own captions
/// outside it. Other sizes use the same shares of their own width and height.
struct CaptionPlacement: Hashable, Sendable {
    enum Band: Hashable, Sendable, CaseIterable {
        /// The last line stands on the lower edge of the safe box: 20 % above the bottom.
        case lower
        /// The first line hangs from the upper edge of the safe box.
        case upper

        var other: Band { self == .lower ? .upper : .lower }
    }

    let size: PixelSize
    let safe: FrameGeometry.Box
    /// What the lengths of a design are multiplied with: 1 for letters of the usual size in 1080x1920.
    let scale: Double
    /// Of captions, as ASS counts it (ascent plus descent), in pixels.
    let fontSize: Double
    /// Of the watermark at most, likewise.
    let watermarkSize: Double
    /// Columns on one line at that size.
    let columnsMax: Int

    init(_ size: PixelSize, design: CaptionDesign) {
        self.size = size
        let width = Double(size.width), height = Double(size.height)
        safe = FrameGeometry.Box(left: 0.1 * width, top: 0.2 * height, right: 0.9 * width, bottom: 0.8 * height)
        // 84 px on 1080x1920. A low, wide picture is limited by its height: two lines take a fifth of it at most.
        let usual = (min(width / 1080 * 84, height / 1080 * 76)).rounded()
        scale = usual / 84
        fontSize = (usual * design.sizeShare).rounded()
        watermarkSize = (usual * 0.43).rounded()
        // 17 or 18 columns fill the safe width of a portrait; a landscape has room for more.
        let columns = safe.width / (fontSize * design.typeface.columnShare)
        columnsMax = max(12, min(size.width > size.height ? 32 : 19, Int(columns)))
    }

    /// The space that two lines of captions need.
    func box(_ band: Band) -> FrameGeometry.Box {
        let height = 2 * fontSize
        let top = band == .lower ? safe.bottom - height : safe.y
        return FrameGeometry.Box(x: safe.x, y: top, width: safe.width, height: height)
    }

    /// Below, or in `usual`, unless faces are there much more than in the other band. `faces` holds the visible boxes
    /// of each sampled moment.
    func band(avoiding faces: [FrameGeometry.Box], from usual: Band = .lower) -> Band {
        func covered(_ band: Band) -> Double {
            let box = box(band)
            // The share of a face that is hidden, so that a small face counts as much as a large one.
            return faces.reduce(0) { $0 + $1.shareHidden(by: box) }
        }
        let here = covered(usual), there = covered(usual.other)
        // A chin now and then is no reason to leave the usual place: a tenth of a face on average is.
        return here > 0.1 * Double(faces.count) && there < 0.5 * here ? usual.other : usual
    }
}

/// Which band captions stand in, and when in the other one.
///
/// Over the whole clip the band that covers fewer faces; in a shot where that one is on a face and the other is not,
/// the other: a change of place goes unseen in a cut. Short shots keep the place, so that captions do not jump about.
struct CaptionBands: Hashable, Sendable {
    let usual: CaptionPlacement.Band
    /// Where it is the other band, in seconds from the start of the clip.
    let changes: [TimeRange]

    /// How long a shot must be for captions to move in it, in seconds.
    static let secondsMin = 1.5

    init(_ placement: CaptionPlacement, faces: [FaceSighting], framing: Framing?, mapping: FaceMapping) {
        let usual = placement.band(avoiding: mapping.shown(faces))
        self.usual = usual
        changes = (framing?.segments ?? []).map(\.range).filter { range in
            guard range.duration >= Self.secondsMin else { return false }
            let shown = mapping.shown(faces.filter { range.contains($0.time) })
            // In a shot without faces nothing asks for a move.
            return !shown.isEmpty && placement.band(avoiding: shown, from: usual) != usual
        }
    }

    func band(at time: Double) -> CaptionPlacement.Band {
        changes.contains { $0.contains(time) } ? usual.other : usual
    }
}

/// Carries faces from the source to the rendered picture.
struct FaceMapping {
    private let framing: Framing?
    private let size: PixelSize
    private let sourceSize: PixelSize?

    init(_ framing: Framing?, size: PixelSize, sourceSize: PixelSize?) {
        self.framing = framing
        self.size = size
        self.sourceSize = sourceSize
    }

    /// Boxes of the faces that can be seen, in pixels of the output, clipped to it.
    func shown(_ faces: [FaceSighting]) -> [FrameGeometry.Box] {
        guard let framing else { return [] }
        let geometry = FrameGeometry(source: sourceSize ?? size, frame: size)
        let known = faces.filter { face in
            // Where the whole picture is fitted in, nobody can tell without the source's size.
            sourceSize != nil || framing.segments.last { $0.range.start <= face.time + 0.001 }?.layout != .fit
        }
        return known.flatMap { geometry.shown($0, in: framing) }
    }
}
