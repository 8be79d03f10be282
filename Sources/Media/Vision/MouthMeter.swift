import ClipModel

/// How much of a face moved between two pictures, once the motion of the head is taken out.
package struct MouthMotion: Hashable, Sendable {
    /// Of the lower third: what no shift of it explains, as a share of the face's own contrast. A speaking mouth shows
    /// 0.1 to 0.7, a resting one 0.02 to 0.08 and a printed one 0.005.
    package var mouth: Double
    /// The same of eyes and nose: what turning the head, blinking, noise and compression do to any part of a face.
    package var upper: Double

    package init(mouth: Double, upper: Double) {
        self.mouth = mouth
        self.upper = upper
    }
}

/// Follows the faces of one picture through the next ones and measures how their mouths move.
///
/// Each face is laid out on a small grid of its own. Eyes and nose of one picture are looked for in the next one (best
/// of all shifts, zero-mean differences, then a parabola through the neighbours for the fraction of a cell); so is the
/// mouth, by itself. What is left over after the best shift is deformation: lips, teeth, chin. Nods and turns of the
/// head move the mouth as a whole and leave little; the little they leave shows around the eyes as well.
struct MouthMeter {
    struct Limits: Hashable, Sendable {
        /// In pixels of the picture. A smaller face has no mouth to speak of.
        var faceWidthMin = 18.0
        /// Against the widest face: others are the public.
        var widthShareMin = 0.4
        /// Widest first.
        var facesMax = 6
    }

    private struct Followed {
        /// Index among the faces that `follow` was given.
        var index: Int
        var face: DetectedFace
    }

    private let size: PixelSize
    private let limits: Limits
    private var followed: [Followed] = []
    private var before: [UInt8] = []

    init(size: PixelSize, limits: Limits = Limits()) {
        self.size = size
        self.limits = limits
    }

    /// What moved since the picture before, by index of the face. Empty unless faces are followed.
    mutating func motions(to pixels: [UInt8]) -> [(face: Int, motion: MouthMotion)] {
        var motions: [(face: Int, motion: MouthMotion)] = []
        for place in followed.indices {
            let face = followed[place].face
            let (old, new) = (FaceGrid(before, size: size, face: face), FaceGrid(pixels, size: size, face: face))
            let (upper, mouth) = (old.shift(of: .upper, to: new), old.shift(of: .mouth, to: new))
            let contrast = old.contrast(of: .upper) + FaceGrid.contrastFloor
            motions.append(
                (followed[place].index, MouthMotion(mouth: mouth.rest / contrast, upper: upper.rest / contrast)))
            followed[place].face.x += upper.x * face.width / Double(FaceGrid.columns)
            followed[place].face.y += upper.y * face.height / Double(FaceGrid.rows)
        }
        if !followed.isEmpty { before = pixels }
        return motions
    }

    /// Begins anew with the faces of `pixels`. Who is alone speaks, or nobody seen does: one face is not followed.
    mutating func follow(_ faces: [DetectedFace], in pixels: [UInt8]) {
        let widest = faces.map(\.width).max() ?? 0
        let worthIt = faces.indices.filter {
            faces[$0].width >= max(limits.faceWidthMin, limits.widthShareMin * widest)
        }.sorted { (faces[$1].width, $0) < (faces[$0].width, $1) }.prefix(limits.facesMax)
        followed = worthIt.count > 1 ? worthIt.map { Followed(index: $0, face: faces[$0]) } : []
        before = followed.isEmpty ? [] : pixels
    }
}

/// The brightness of a face and its surroundings, on a grid of 40 by 52 cells over its box and a margin around it.
private struct FaceGrid {
    static let columns = 40
    static let rows = 52
    /// Added to the contrast: a face in the dark is all noise. In steps of 8 bits.
    static let contrastFloor = 3.0
    private static let margin = 8
    private static let width = columns + 2 * margin
    private static let height = rows + 2 * margin
    /// In cells: an eighth of a face in a fifteenth of a second.
    private static let reach = 5

    /// A part of the face, in cells of its box.
    struct Part {
        var columns: Range<Int>
        var rows: Range<Int>
        static let upper = Part(columns: 6..<34, rows: 12..<32)
        static let mouth = Part(columns: 8..<32, rows: 33..<51)
    }

    private var cells: [Float]

    init(_ pixels: [UInt8], size: PixelSize, face: DetectedFace) {
        let (stepX, stepY) = (face.width / Double(Self.columns), face.height / Double(Self.rows))
        // A cell wider than a pixel is the mean of four, or it would flicker with every fraction of a shift.
        let fine = max(stepX, stepY) < 1.5 ? 1 : 2
        let across = Axis(from: face.x, step: stepX, cells: Self.width, fine: fine, limit: size.width)
        let down = Axis(from: face.y, step: stepY, cells: Self.height, fine: fine, limit: size.height)
        var raw = [Float](repeating: 0, count: Self.width * Self.height)
        for line in down.low.indices {
            let (top, bottom) = (down.low[line] * size.width, down.high[line] * size.width)
            let (shareY, begin) = (down.share[line], line / fine * Self.width)
            for place in across.low.indices {
                // Green of a BGR picture stands for its brightness.
                func at(_ row: Int, _ column: Int) -> Float { Float(pixels[(row + column) * 3 + 1]) }
                let (left, right, shareX) = (across.low[place], across.high[place], across.share[place])
                let upper = at(top, left) + (at(top, right) - at(top, left)) * shareX
                let lower = at(bottom, left) + (at(bottom, right) - at(bottom, left)) * shareX
                raw[begin + place / fine] += upper + (lower - upper) * shareY
            }
        }
        cells = Self.smoothed(raw.map { $0 / Float(fine * fine) })
    }

    /// Where the places of a row or a column of cells lie: between which pixels, and the share of the second.
    private struct Axis {
        var low: [Int] = []
        var high: [Int] = []
        var share: [Float] = []

        init(from start: Double, step: Double, cells: Int, fine: Int, limit: Int) {
            for place in 0..<(cells * fine) {
                let at = start + ((Double(place) + 0.5) / Double(fine) - Double(margin)) * step - 0.5
                let inside = min(max(at, 0), Double(limit - 1))
                low.append(Int(inside))
                high.append(min(Int(inside) + 1, limit - 1))
                share.append(Float(inside - inside.rounded(.down)))
            }
        }
    }

    /// The mean of three by three: a shift by half a cell blurs a sharp picture, and must not look like motion.
    private static func smoothed(_ raw: [Float]) -> [Float] {
        var across = raw
        for row in 0..<height {
            for column in 1..<(width - 1) {
                let at = row * width + column
                across[at] = (raw[at - 1] + raw[at] + raw[at + 1]) / 3
            }
        }
        var smooth = across
        for at in width..<(width * (height - 1)) {
            smooth[at] = (across[at - width] + across[at] + across[at + width]) / 3
        }
        return smooth
    }

    /// Standard deviation.
    func contrast(of part: Part) -> Double {
        var (sum, squares) = (Float(0), Float(0))
        for row in part.rows {
            for column in part.columns {
                let value = cells[(row + Self.margin) * Self.width + column + Self.margin]
                (sum, squares) = (sum + value, squares + value * value)
            }
        }
        let count = Float(part.rows.count * part.columns.count)
        return Double(max(0, squares / count - sum * sum / count / count)).squareRoot()
    }

    /// Where `part` went, in cells, and the standard deviation of what is then still different.
    func shift(of part: Part, to new: FaceGrid) -> (x: Double, y: Double, rest: Double) {
        let side = 2 * Self.reach + 1
        var differences = [Float](repeating: 0, count: side * side)
        for index in differences.indices {
            differences[index] = difference(
                of: part, to: new, x: Double(index % side - Self.reach), y: Double(index / side - Self.reach))
        }
        // Of equals the one closest to no shift: a flat patch does not wander off.
        let centre = Self.reach * side + Self.reach
        func distance(_ index: Int) -> Int {
            abs(index % side - Self.reach) + abs(index / side - Self.reach)
        }
        let best =
            differences.indices.min {
                (differences[$0], distance($0), $0) < (differences[$1], distance($1), $1)
            } ?? centre
        let (column, row) = (best % side, best / side)
        var (x, y) = (Double(column - Self.reach), Double(row - Self.reach))
        if column > 0, column < side - 1 {
            x += Self.bottom(differences[best - 1], differences[best], differences[best + 1])
        }
        if row > 0, row < side - 1 {
            y += Self.bottom(differences[best - side], differences[best], differences[best + side])
        }
        let rest = min(differences[best], difference(of: part, to: new, x: x, y: y))
        return (x, y, Double(max(0, rest)).squareRoot())
    }

    /// Variance of the difference: a change of the light as a whole does not count.
    private func difference(of part: Part, to new: FaceGrid, x: Double, y: Double) -> Float {
        let (left, top) = (Int(x.rounded(.down)), Int(y.rounded(.down)))
        let (shareX, shareY) = (Float(x - Double(left)), Float(y - Double(top)))
        let isWhole = shareX == 0 && shareY == 0
        var (sum, squares) = (Float(0), Float(0))
        for row in part.rows {
            let own = (row + Self.margin) * Self.width + Self.margin
            let other = (row + Self.margin + top) * Self.width + Self.margin + left
            for column in part.columns {
                var value = new.cells[other + column]
                if !isWhole {
                    let right = new.cells[other + column + 1]
                    let (below, across) = (
                        new.cells[other + column + Self.width], new.cells[other + column + Self.width + 1]
                    )
                    let upper = value + (right - value) * shareX
                    value = upper + (below + (across - below) * shareX - upper) * shareY
                }
                let off = cells[own + column] - value
                (sum, squares) = (sum + off, squares + off * off)
            }
        }
        let count = Float(part.rows.count * part.columns.count)
        return squares / count - (sum / count) * (sum / count)
    }

    /// The lowest place of the parabola through three neighbours, from the middle one.
    private static func bottom(_ before: Float, _ here: Float, _ after: Float) -> Double {
        let bend = before - 2 * here + after
        return bend > 1e-6 ? Double(min(0.5, max(-0.5, (before - after) / (2 * bend)))) : 0
    }
}
