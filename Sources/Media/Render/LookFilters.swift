import ClipModel

/// The filters that make one look: from frames of the source to frames of the clip's size, yuv420p, in BT.709.
struct LookFilters: Hashable, Sendable {
    let facts: VideoFacts
    let size: PixelSize

    /// `from` and `to` are what stands before and after the chain; `name` keeps the labels inside it apart.
    func chain(_ look: FramingRuns.Look, from: String, to: String, name: String) -> String {
        switch look {
        case .fit: fit(from: from, to: to, name: name)
        case .window(let window): from + filters(of: window, size: size).joined(separator: ",") + to
        case .stack(let windows): stack(windows, from: from, to: to, name: name)
        }
    }

    // MARK: Pixels that are not square

    private var stored: PixelSize { facts.storedSize }
    private var storedPerDisplayX: Double { Double(stored.width) / Double(facts.displaySize.width) }
    private var storedPerDisplayY: Double { Double(stored.height) / Double(facts.displaySize.height) }

    // MARK: A moving window

    /// How one axis of the window is cut: a coarse cut on even pixels of the source, then a fine one after scaling.
    private struct Axis {
        var coarseExtent: Int
        var coarseStart: String
        var scaledExtent: Int
        /// Nil: scaling already gave the wanted extent.
        var fineStart: String?
    }

    private func filters(of window: FramingRuns.Window, size: PixelSize) -> [String] {
        let (sx, sy) = (storedPerDisplayX, storedPerDisplayY)
        let across = axis(
            extent: window.width * sx, line: window.x.scaled(by: sx), limit: stored.width, output: size.width)
        let down = axis(
            extent: window.height * sy, line: window.y.scaled(by: sy), limit: stored.height, output: size.height)
        var filters: [String] = []
        if across.coarseExtent < stored.width || down.coarseExtent < stored.height {
            filters.append(
                "crop=\(across.coarseExtent):\(down.coarseExtent):\(across.coarseStart):\(down.coarseStart):exact=1")
        }
        let from = PixelSize(width: across.coarseExtent, height: down.coarseExtent)
        filters += scaled(from: from, to: PixelSize(width: across.scaledExtent, height: down.scaledExtent))
        if across.fineStart != nil || down.fineStart != nil {
            let (fineX, fineY) = (across.fineStart ?? "0", down.fineStart ?? "0")
            filters.append("crop=\(size.width):\(size.height):\(fineX):\(fineY):exact=1")
        }
        return filters
    }

    /// When the picture grows, a window that moves by whole pixels of the source would jump by several of the clip.
    /// So a little more is cut out and scaled, and the rest is cut off in pixels of the clip. The coarse cut moves in
    /// steps of two, because a chroma sample covers two.
    private func axis(extent: Double, line: PiecewiseLine, limit: Int, output: Int) -> Axis {
        let window = min(max(extent, 2), Double(limit))
        let growth = Double(output) / window
        guard growth > 1, !line.isConstant else {
            let whole = min(limit, max(2, Int(window.rounded())))
            return Axis(coarseExtent: whole, coarseStart: start(of: line, max: limit - whole), scaledExtent: output)
        }
        let wanted = 2 * Int(((window + 2) / 2).rounded(.up))
        let coarse = min(limit, wanted)
        let scaled = Int((Double(coarse) * growth).rounded())
        let inside = "clip(\(line.expression),0,\(FilterText.number(Double(limit) - window)))"
        let coarseMax = limit - coarse
        let corner = coarseMax > 0 ? "min(2*floor(\(inside)/2),\(coarseMax))" : "0"
        let fine = "clip((\(inside)-\(corner))*\(FilterText.number(growth, places: 5))+0.5,0,\(scaled - output))"
        return Axis(
            coarseExtent: coarse, coarseStart: "'\(corner)'", scaledExtent: scaled, fineStart: "'\(fine)'")
    }

    /// To the nearest pixel of the source.
    private func start(of line: PiecewiseLine, max: Int) -> String {
        guard max > 0 else { return "0" }
        guard !line.isConstant else {
            return "\(Swift.min(max, Swift.max(0, Int(line.pieces[0].value.rounded()))))"
        }
        return "'clip(\(line.expression)+0.5,0,\(max))'"
    }

    // MARK: Windows, or the whole picture, over a blurred copy

    /// The blurred copy is made this many times smaller than the clip: a blur over few pixels costs little, and growing
    /// it again blurs as well.
    private static let backdropShrink = 8

    private func fit(from: String, to: String, name: String) -> String {
        let display = facts.displaySize
        let shown = geometry.places(of: [(Double(display.width), Double(display.height))])[0]
        guard size.width - shown.size.width > 2 || size.height - shown.size.height > 2 else {
            return from + scaled(from: stored, to: size).joined(separator: ",") + to
        }
        let front = scaled(from: stored, to: shown.size)
        return [
            from + "split[\(name)f][\(name)b]",
            "[\(name)f]" + front.joined(separator: ",") + "[\(name)s]",
            "[\(name)b]" + backdrop.joined(separator: ",") + "[\(name)d]",
            "[\(name)d][\(name)s]overlay=\(shown.left):\(shown.top):format=yuv420" + to,
        ].joined(separator: ";")
    }

    private func stack(_ windows: [FramingRuns.Window], from: String, to: String, name: String) -> String {
        let places = geometry.places(of: windows.map { ($0.width, $0.height) })
        let fills =
            places.reduce(0) { $0 + $1.size.height } == size.height
            && places.allSatisfy { $0.size.width == size.width }
        let inputs = windows.indices.map { "[\(name)f\($0)]" }
        let fronts = windows.indices.map { index in
            let filters = filters(of: windows[index], size: places[index].size)
            return inputs[index] + filters.joined(separator: ",") + ",setsar=1[\(name)s\(index)]"
        }
        guard !fills else {
            let outputs = windows.indices.map { "[\(name)s\($0)]" }.joined()
            let split = from + "split=\(windows.count)" + inputs.joined()
            return ([split] + fronts + [outputs + "vstack=inputs=\(windows.count)" + to]).joined(separator: ";")
        }
        let split = from + "split=\(windows.count + 1)" + inputs.joined() + "[\(name)b]"
        var parts = [split] + fronts + ["[\(name)b]" + backdrop.joined(separator: ",") + "[\(name)d0]"]
        for (index, place) in places.enumerated() {
            let end = index + 1 == places.count ? to : "[\(name)d\(index + 1)]"
            parts.append(
                "[\(name)d\(index)][\(name)s\(index)]overlay=\(place.left):\(place.top):format=yuv420" + end)
        }
        return parts.joined(separator: ";")
    }

    private var geometry: FrameGeometry { FrameGeometry(source: facts.displaySize, frame: size) }

    /// From the source to a blurred picture that fills the frame.
    private var backdrop: [String] {
        let display = facts.displaySize
        let small = PixelSize(
            width: FrameGeometry.even(Double(size.width / Self.backdropShrink), max: size.width),
            height: FrameGeometry.even(Double(size.height / Self.backdropShrink), max: size.height))
        let cover = max(Double(size.width) / Double(display.width), Double(size.height) / Double(display.height))
        let middle = PixelSize(
            width: min(stored.width, max(2, Int(Double(size.width) / cover * storedPerDisplayX))),
            height: min(stored.height, max(2, Int(Double(size.height) / cover * storedPerDisplayY))))
        return ["crop=\(middle.width):\(middle.height)"] + scaled(from: middle, to: small, flags: "area") + [
            "gblur=sigma=6", "eq=brightness=-0.06:saturation=0.9", "scale=\(size.width):\(size.height):flags=bicubic",
        ]
    }

    // MARK: Size and colour at once

    private func scaled(from: PixelSize, to: PixelSize, flags: String = "bicubic") -> [String] {
        let resize = "scale=\(to.width):\(to.height):flags=\(flags)"
        guard facts.isHDR else {
            return [
                "\(resize):in_color_matrix=\(facts.scalerMatrix):out_color_matrix=bt709:out_range=tv", "format=yuv420p",
            ]
        }
        let shrinks = to.width * to.height < from.width * from.height
        // zscale refuses odd sides with halved chroma; only what is scaled already has even ones.
        return shrinks
            ? [resize, "format=yuv420p10le"] + Self.toneMapping + ["format=yuv420p"]
            : ["format=yuv444p10le"] + Self.toneMapping + ["format=yuv444p", resize, "format=yuv420p"]
    }

    /// From PQ or HLG to BT.709, in floating point, which is why it runs on as few pixels as possible.
    private static let toneMapping = [
        "zscale=t=linear:npl=100", "format=gbrpf32le", "zscale=p=bt709", "tonemap=tonemap=hable:desat=0",
        "zscale=t=bt709:m=bt709:r=tv",
    ]
}
