package import ClipModel

/// How open the eyes of a face are in one picture, 0 to about 0.5. Eyes differ too much (lids, lashes, glasses, light)
/// for a bound that is right for all: it is comparable between pictures of one person, taken shortly after each other.
package struct EyeOpenness: Hashable, Sendable {
    /// Nil where an eye is too small to judge, or too near to the edge of the picture.
    package var right: Double?
    package var left: Double?

    package init(right: Double?, left: Double?) {
        self.right = right
        self.left = left
    }

    package struct Limits: Hashable, Sendable {
        /// Between the eyes, in pixels. Below it an iris has less than five, and the measure flickers.
        package var distanceMin = 24.0
        /// Eyes that are this much less open than they are otherwise are closed...
        package var closedShareMax = 0.5
        /// ...unless they hardly seem open at any time: behind sunglasses, out of focus, cast down.
        package var usualMin = 0.1

        package init() {}
    }

    /// - Parameter pixels: A tightly packed BGR picture of 8 bits a channel.
    package init(_ pixels: [UInt8], size: PixelSize, eyes: DetectedFace.Eyes, limits: Limits = Limits()) {
        guard eyes.distance >= limits.distanceMin else { return }
        right = EyeGrid(pixels, size: size, middle: eyes.right, eyes: eyes)?.openness
        left = EyeGrid(pixels, size: size, middle: eyes.left, eyes: eyes)?.openness
    }

    /// Whether a face that looks like this otherwise has its eyes closed here; nil where that cannot be told. Each eye
    /// is held against itself, since a turned head shows two different ones, and both together decide.
    package func isClosed(otherwise others: [EyeOpenness], limits: Limits = Limits()) -> Bool? {
        var (here, usual, count) = (0.0, 0.0, 0.0)
        for eye in [\EyeOpenness.right, \.left] {
            let known = others.compactMap { $0[keyPath: eye] }.sorted()
            guard let now = self[keyPath: eye], known.count > 1 else { continue }
            here += now
            usual += (known[(known.count - 1) / 2] + known[known.count / 2]) / 2
            count += 1
        }
        guard count > 0, usual >= limits.usualMin * count else { return nil }
        return here < limits.closedShareMax * usual
    }
}

/// The brightness around one eye, on a grid that turns and grows with the face: 26 by 18 cells of a fiftieth of the
/// distance between the eyes, so that brows and nose stay outside. In shares of the skin's brightness.
private struct EyeGrid {
    private static let columns = 26
    private static let rows = 18
    private static let cell = 0.02
    /// An iris is a fifth to a sixth of the distance between the eyes wide, and cut off by the lids above and below.
    private static let irisColumns = 6
    private static let irisRows = 6
    /// Of the white of the eye, on each side, after a column of neither.
    private static let whiteColumns = 4
    /// Added to the energy of gradients: a flat patch is all noise.
    private static let energyFloor = 1e-4

    private var cells: [Double]

    /// Nil where it would reach over the edge of the picture.
    init?(_ pixels: [UInt8], size: PixelSize, middle: SIMD2<Double>, eyes: DetectedFace.Eyes) {
        // With a border that the smoothing takes away again, and four places of the picture for each cell.
        let (width, height) = (Self.columns + 2, Self.rows + 2)
        let right = (eyes.left - eyes.right) * (Self.cell / 2)
        let down = SIMD2(-right.y, right.x)
        let (across, along) = (right * Double(width), down * Double(height))
        for corner in [across + along, across - along, along - across, -across - along] {
            let place = middle + corner
            guard place.x >= 0, place.y >= 0, place.x <= Double(size.width - 1), place.y <= Double(size.height - 1)
            else { return nil }
        }
        func brightness(_ place: SIMD2<Double>) -> Double {
            let (column, row) = (min(Int(place.x), size.width - 2), min(Int(place.y), size.height - 2))
            let (x, y) = (place.x - Double(column), place.y - Double(row))
            // Green of a BGR picture stands for its brightness.
            func at(_ row: Int, _ column: Int) -> Double { Double(pixels[(row * size.width + column) * 3 + 1]) }
            let upper = at(row, column) * (1 - x) + at(row, column + 1) * x
            return upper * (1 - y) + (at(row + 1, column) * (1 - x) + at(row + 1, column + 1) * x) * y
        }
        var raw = [Double](repeating: 0, count: width * height)
        for row in 0..<(2 * height) {
            let start = middle + down * (Double(row - height) + 0.5)
            for column in 0..<(2 * width) {
                raw[row / 2 * width + column / 2] += brightness(start + right * (Double(column - width) + 0.5)) / 4
            }
        }
        cells = Self.smoothed(raw, width: width)
        // A quarter of the eye is lid and cheek at least.
        let skin = max(8, cells.sorted()[cells.count * 3 / 4])
        for index in cells.indices { cells[index] /= skin }
    }

    /// The mean of three by three, without the border.
    private static func smoothed(_ raw: [Double], width: Int) -> [Double] {
        var smooth: [Double] = []
        for row in 0..<rows {
            for column in 0..<columns {
                var sum = 0.0
                for line in row...(row + 2) {
                    sum += raw[line * width + column] + raw[line * width + column + 1] + raw[line * width + column + 2]
                }
                smooth.append(sum / 9)
            }
        }
        return smooth
    }

    /// An open eye has upright edges, between the iris and the white beside it; a closed one has the line of its
    /// lashes, which lies down. An open eye has a dark spot that is high, with brightness on both sides; lashes make
    /// one that is low, or that climbs. Either is fooled at times (a finger, thick lashes on a curved lid), so the
    /// geometric mean counts.
    var openness: Double { (uprightShare * max(0, irisContrast)).squareRoot() }

    private func at(_ row: Int, _ column: Int) -> Double { cells[row * Self.columns + column] }

    /// Of the energy of all gradients, that of those from side to side.
    private var uprightShare: Double {
        var (across, along) = (0.0, 0.0)
        for row in 2..<(Self.rows - 3) {
            for column in 2..<(Self.columns - 3) {
                let here = at(row, column)
                let (aside, below) = (at(row, column + 1) - here, at(row + 1, column) - here)
                across += aside * aside
                along += below * below
            }
        }
        return across / (across + along + Self.energyFloor)
    }

    /// How much darker a place as wide and high as an iris is than what lies beside it, at the best place; judged by
    /// the two of its rows in which it is least so.
    private var irisContrast: Double {
        func mean(_ row: Int, _ columns: Range<Int>) -> Double {
            columns.reduce(0) { $0 + at(row, $1) } / Double(columns.count)
        }
        let reach = Self.whiteColumns + 1
        var best = 0.0
        for left in (reach + 1)..<(Self.columns - Self.irisColumns - reach) {
            let end = left + Self.irisColumns
            let contrasts = (0..<Self.rows).map { row in
                (mean(row, (left - reach)..<(left - 1)) + mean(row, (end + 1)..<(end + reach))) / 2
                    - mean(row, left..<end)
            }
            for top in 1..<(Self.rows - Self.irisRows - 1) {
                let weakest = contrasts[top..<(top + Self.irisRows)].sorted()
                best = max(best, (weakest[0] + weakest[1]) / 2)
            }
        }
        return best
    }
}
