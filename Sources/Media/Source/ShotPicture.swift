/// What is kept of one picture of a source to find where shots end.
package struct ShotPicture: Hashable, Sendable {
    /// In seconds from the start.
    package var time: Double
    /// Mean difference to the picture before, over all pixels, 0 to 100.
    package var change: Double
    /// The picture in 32 by 18 cells of brightness, 0 to 255, row by row.
    package var cells: [Float]

    package init(time: Double, change: Double, cells: [Float]) {
        self.time = time
        self.change = change
        self.cells = cells
    }

    /// Mean of the squared difference of two pictures' cells.
    func squaredDifference(_ other: ShotPicture) -> Float {
        precondition(cells.count == other.cells.count, "pictures of \(cells.count) and \(other.cells.count) cells")
        var sum: Float = 0
        for index in cells.indices {
            let difference = cells[index] - other.cells[index]
            sum += difference * difference
        }
        return sum / Float(max(1, cells.count))
    }
}

/// Reads the grey pictures that `ShotDetection` has ffmpeg write: 160 by 90 pixels, whatever shape the source has, and
/// below them two rows that begin with the picture's time, since a raw stream tells none.
package struct ShotPictureReader: Sendable {
    package static let width = 160
    package static let height = 90
    /// Below the picture; two, because ffmpeg scales no picture to one row.
    static let timeRows = 2
    /// Of the time that the rows tell, in four bytes, the lowest first.
    static let ticksPerSecond = 10_000
    package static let blockBytes = width * (height + timeRows)
    private static let cellEdge = 5
    static let columns = width / cellEdge
    static let rows = height / cellEdge

    private var before: [UInt8] = []

    package init() {}

    package mutating func read(_ block: [UInt8]) -> ShotPicture {
        precondition(block.count == Self.blockBytes, "\(block.count) bytes are no picture")
        let pixels = Self.width * Self.height
        var change = 0
        if !before.isEmpty {
            for index in 0..<pixels { change += abs(Int(block[index]) - Int(before[index])) }
        }
        before = block
        let ticks = (0..<4).reduce(0) { $0 | Int(block[pixels + $1]) << (8 * $1) }
        return ShotPicture(
            time: Double(ticks) / Double(Self.ticksPerSecond), change: Double(change) * 100 / 256 / Double(pixels),
            cells: Self.cells(block))
    }

    private static func cells(_ block: [UInt8]) -> [Float] {
        var sums = [Int](repeating: 0, count: columns * rows)
        for row in 0..<height {
            for column in 0..<width {
                sums[row / cellEdge * columns + column / cellEdge] += Int(block[row * width + column])
            }
        }
        return sums.map { Float($0) / Float(cellEdge * cellEdge) }
    }
}
