package import ClipModel

/// What of a picture without faces draws the eye, summed up along its columns and along its rows.
package struct Attention: Hashable, Sendable {
    /// From left to right, in equal parts of the picture's width.
    package var columns: [Double]
    /// From top to bottom, in equal parts of its height.
    package var rows: [Double]
    /// Share of the picture that has no texture at all: the ground of a slide, a wall, a clear sky.
    package var plainShare: Double
    /// Of the rest, the share that is as crisp as print.
    package var crispShare: Double

    package init(columns: [Double], rows: [Double], plainShare: Double, crispShare: Double) {
        precondition(!columns.isEmpty && !rows.isEmpty, "attention to no picture")
        self.columns = columns
        self.rows = rows
        self.plainShare = plainShare
        self.crispShare = crispShare
    }
}

/// Measures it in small pictures, one after the other, each laid out on a grid of 64 by 36 cells (16:9).
///
/// A cell stands out by its colour, against the largest surround that is symmetric about it inside the picture (Achanta
/// and Süsstrunk: "Saliency detection using maximum symmetric surround", ICIP 2010), so that no gradient does, and
/// against what the picture has at its edges, so that the ground beside a large thing does not; the smaller of the two
/// counts. Then by its texture against the picture's own, and by what moves in it. Each is cut off at 1, so that none
/// drowns the others. The middle counts a little more than the edges, where channels have their signs.
///
/// Rejected: the spectral residual (Hou and Zhang, CVPR 2007). On a gradient alone it put 0.73 of all attention into
/// one window, and on a red square on a plain ground 0.45, in the wrong one.
package struct AttentionMeter {
    package struct Limits: Hashable, Sendable {
        /// Along the longer edge.
        package var cellsMax = 64
        /// Along the longer edge of the picture so many pixels are looked at, and the step between two of them is
        /// what texture is measured over.
        package var looksMax = 320
        /// In steps of 8 bits, like all below. Colours differ from their surround by so much in any picture...
        package var contrastMin = 12.0
        /// ...and what differs by this much more stands out wholly.
        package var contrastFull = 96.0
        /// Texture: the mean difference of neighbours across and down. Noise and compression are below this...
        package var textureMin = 6.0
        /// ...and this much above the picture's median stands out wholly.
        package var textureFull = 36.0
        /// Motion: the change of a cell since the picture before, less one and a half times the median, which the
        /// camera and the light explain...
        package var motionMin = 3.0
        package var motionFull = 16.0
        /// ...unless most of the picture changed by more: a cut, or a pan.
        package var motionMedianMax = 12.0
        /// What a cell at the very edge counts less than one in the middle.
        package var edgeLoss = 0.4
        /// A cell with less texture is plain; one with more is crisp. Trees, cloth and faces are between, print and
        /// drawn lines above.
        package var plainMax = 4.0
        package var crispMin = 30.0

        package init() {}
    }

    private let size: PixelSize
    private let limits: Limits
    private let columns: Int
    private let rows: Int
    /// How much each cell counts.
    private let weights: [Double]
    /// Brightness of the cells of the picture before; empty without one.
    private var before: [Double] = []

    /// - Parameter size: Of all pictures, in pixels.
    package init(size: PixelSize, limits: Limits = Limits()) {
        precondition(size.width > 0 && size.height > 0, "a picture of \(size.width) x \(size.height)")
        self.size = size
        self.limits = limits
        let scale = Double(limits.cellsMax) / Double(max(size.width, size.height))
        let columns = max(1, min(size.width, Int((Double(size.width) * scale).rounded())))
        let rows = max(1, min(size.height, Int((Double(size.height) * scale).rounded())))
        weights = (0..<(columns * rows)).map { cell in
            let across = (Double(cell % columns) + 0.5) / Double(columns) * 2 - 1
            let down = (Double(cell / columns) + 0.5) / Double(rows) * 2 - 1
            let off = max(abs(across), abs(down))
            return 1 - limits.edgeLoss * off * off
        }
        self.columns = columns
        self.rows = rows
    }

    /// The next picture is of another scene, as far as motion goes.
    package mutating func forget() { before = [] }

    /// - Parameter pixels: A tightly packed BGR picture of 8 bits a channel.
    package mutating func attention(to pixels: [UInt8]) -> Attention {
        precondition(
            pixels.count == size.width * size.height * 3,
            "\(pixels.count) bytes are not a picture of \(size.width) x \(size.height)")
        let cells = Cells(pixels, size: size, columns: columns, rows: rows, looksMax: limits.looksMax)
        let motions = motions(to: cells.brightness)
        let textureFloor = max(limits.textureMin, cells.texture.upperMedian)
        var looked = Attention(
            columns: [Double](repeating: 0, count: columns), rows: [Double](repeating: 0, count: rows), plainShare: 0,
            crispShare: 0)
        let contrasts = cells.contrasts()
        for cell in weights.indices {
            let contrast = Self.share(contrasts[cell] - limits.contrastMin, of: limits.contrastFull)
            let texture = Self.share(cells.texture[cell] - textureFloor, of: limits.textureFull)
            let worth = weights[cell] * (contrast + texture + (motions.isEmpty ? 0 : motions[cell]))
            looked.columns[cell % columns] += worth
            looked.rows[cell / columns] += worth
        }
        let plain = cells.texture.count { $0 < limits.plainMax }
        let crisp = cells.texture.count { $0 >= limits.crispMin }
        looked.plainShare = Double(plain) / Double(weights.count)
        looked.crispShare = plain < weights.count ? Double(crisp) / Double(weights.count - plain) : 0
        return looked
    }

    /// 0 to 1 for every cell; empty where nothing can be said.
    private mutating func motions(to brightness: [Double]) -> [Double] {
        defer { before = brightness }
        guard !before.isEmpty else { return [] }
        let changes = zip(brightness, before).map { abs($0 - $1) }
        let median = changes.upperMedian
        guard median <= limits.motionMedianMax else { return [] }
        return changes.map { Self.share($0 - 1.5 * median - limits.motionMin, of: limits.motionFull) }
    }

    private static func share(_ value: Double, of full: Double) -> Double { min(1, max(0, value / full)) }
}

/// What a picture looks like cell by cell, row after row, in steps of 8 bits.
private struct Cells {
    private let columns: Int
    private let rows: Int
    private(set) var brightness: [Double] = []
    private(set) var texture: [Double] = []
    /// Two axes of colour, as the eye has them.
    private var redness: [Double] = []
    private var blueness: [Double] = []

    init(_ pixels: [UInt8], size: PixelSize, columns: Int, rows: Int, looksMax: Int) {
        self.columns = columns
        self.rows = rows
        let step = max(1, max(size.width, size.height) / looksMax)
        for row in 0..<rows {
            let lines = Self.part(row, of: rows, in: size.height)
            for column in 0..<columns {
                let places = Self.part(column, of: columns, in: size.width)
                var (bright, red, blue, differences, count) = (0, 0, 0, 0, 0)
                for y in stride(from: lines.lowerBound, to: lines.upperBound, by: step) {
                    let line = y * size.width
                    let below = min(y + step, size.height - 1) * size.width
                    for x in stride(from: places.lowerBound, to: places.upperBound, by: step) {
                        let at = (line + x) * 3
                        let (b, g, r) = (Int(pixels[at]), Int(pixels[at + 1]), Int(pixels[at + 2]))
                        let beside = Int(pixels[(line + min(x + step, size.width - 1)) * 3 + 1])
                        let under = Int(pixels[(below + x) * 3 + 1])
                        bright += r + 2 * g + b
                        red += r - g
                        blue += 2 * b - r - g
                        differences += abs(beside - g) + abs(under - g)
                        count += 1
                    }
                }
                brightness.append(Double(bright) / Double(4 * count))
                redness.append(Double(red) / Double(count))
                blueness.append(Double(blue) / Double(2 * count))
                texture.append(Double(differences) / Double(count))
            }
        }
    }

    /// Never empty: there are no more parts than pixels.
    private static func part(_ index: Int, of count: Int, in extent: Int) -> Range<Int> {
        (index * extent / count)..<((index + 1) * extent / count)
    }

    /// How far every cell is, over brightness and both colours, from the mean of its largest symmetric surround or from
    /// the median of the picture's edge, whichever is nearer.
    func contrasts() -> [Double] {
        var fromSurround = [Double](repeating: 0, count: columns * rows)
        var fromEdge = fromSurround
        for channel in [brightness, redness, blueness] {
            let (means, edge) = (surrounds(of: channel), edge(of: channel))
            for cell in channel.indices {
                fromSurround[cell] += abs(channel[cell] - means[cell])
                fromEdge[cell] += abs(channel[cell] - edge)
            }
        }
        return zip(fromSurround, fromEdge).map(min)
    }

    private func edge(of channel: [Double]) -> Double {
        let cells = channel.indices.filter { cell in
            let (row, column) = (cell / columns, cell % columns)
            return row == 0 || row == rows - 1 || column == 0 || column == columns - 1
        }
        return cells.map { channel[$0] }.upperMedian
    }

    private func surrounds(of channel: [Double]) -> [Double] {
        // Of all cells above and to the left: the sum over any rectangle is four look-ups.
        let wide = columns + 1
        var sums = [Double](repeating: 0, count: wide * (rows + 1))
        for row in 0..<rows {
            var line = 0.0
            for column in 0..<columns {
                line += channel[row * columns + column]
                sums[(row + 1) * wide + column + 1] = sums[row * wide + column + 1] + line
            }
        }
        return channel.indices.map { cell in
            let (row, column) = (cell / columns, cell % columns)
            let (down, across) = (min(row, rows - 1 - row), min(column, columns - 1 - column))
            let (top, bottom) = ((row - down) * wide, (row + down + 1) * wide)
            let (left, right) = (column - across, column + across + 1)
            let sum = sums[bottom + right] - sums[bottom + left] - sums[top + right] + sums[top + left]
            return sum / Double((2 * across + 1) * (2 * down + 1))
        }
    }
}
