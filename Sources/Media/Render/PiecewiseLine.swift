/// A function of time made of straight pieces, which may jump from one to the next, as ffmpeg evaluates it per frame.
///
/// Written as a balanced tree of comparisons: ffmpeg's parser gives up at about a hundred nested brackets and evaluates
/// all it has parsed, so a chain of `if`s would fail for a long clip and slow down a short one. The rejected way is a
/// `sendcmd` file, which moves a window in steps of its own and would be one more file to clean up.
package struct PiecewiseLine: Hashable, Sendable {
    /// `value + slope * (t - start)`, until the next piece starts.
    package struct Piece: Hashable, Sendable {
        package var start: Double
        package var value: Double
        package var slope: Double

        package init(start: Double, value: Double, slope: Double = 0) {
            self.start = start
            self.value = value
            self.slope = slope
        }

        func value(at time: Double) -> Double { value + slope * (time - start) }
    }

    /// A slope below this moves less than a pixel in three hours.
    private static let slopeMin = 1e-4

    /// Starts rise. The first holds for all times before it, too.
    package private(set) var pieces: [Piece]

    package init(_ pieces: [Piece]) {
        precondition(!pieces.isEmpty, "a line without pieces")
        self.pieces = [pieces[0]]
        for piece in pieces.dropFirst() {
            let last = self.pieces[self.pieces.count - 1]
            precondition(piece.start >= last.start, "pieces at \(last.start) and \(piece.start) are out of order")
            if piece.start == last.start {
                self.pieces[self.pieces.count - 1] = piece
            } else if abs(last.slope) < Self.slopeMin, abs(piece.slope) < Self.slopeMin, last.value == piece.value {
                continue
            } else {
                self.pieces.append(piece)
            }
        }
    }

    /// Joins points by straight lines, and holds the first before and the last after them. `start` is when the line
    /// begins to hold, which may lie before or after the first point.
    package init(through points: [(time: Double, value: Double)], from start: Double) {
        precondition(!points.isEmpty, "a line through no points")
        var pieces: [Piece] = []
        if start < points[0].time { pieces.append(Piece(start: start, value: points[0].value)) }
        for (point, next) in zip(points, points.dropFirst()) where next.time > start && next.time > point.time {
            let piece = Piece(
                start: point.time, value: point.value,
                slope: (next.value - point.value) / (next.time - point.time))
            let begin = max(start, point.time)
            pieces.append(Piece(start: begin, value: piece.value(at: begin), slope: piece.slope))
        }
        let last = points[points.count - 1]
        pieces.append(Piece(start: max(start, last.time), value: last.value))
        self.init(pieces)
    }

    package var isConstant: Bool { pieces.count == 1 && abs(pieces[0].slope) < Self.slopeMin }

    package func value(at time: Double) -> Double {
        (pieces.last { $0.start <= time } ?? pieces[0]).value(at: time)
    }

    /// Every value multiplied by `factor`.
    package func scaled(by factor: Double) -> PiecewiseLine {
        PiecewiseLine(
            pieces.map { Piece(start: $0.start, value: $0.value * factor, slope: $0.slope * factor) })
    }

    /// In ffmpeg's expression language, of the variable `t`.
    package var expression: String { Self.expression(pieces[...]) }

    private static func expression(_ pieces: ArraySlice<Piece>) -> String {
        if pieces.count == 1, let piece = pieces.first {
            let value = FilterText.number(piece.value)
            guard abs(piece.slope) >= slopeMin else { return value }
            let slope = FilterText.number(piece.slope, places: 5)
            let start = FilterText.number(piece.start, places: 4)
            return start == "0" ? "\(value)+\(slope)*t" : "\(value)+\(slope)*(t-\(start))"
        }
        let middle = (pieces.startIndex + pieces.endIndex) / 2
        let (early, late) = (pieces[..<middle], pieces[middle...])
        let border = FilterText.number(pieces[middle].start, places: 4)
        return "if(lt(t,\(border)),\(expression(early)),\(expression(late)))"
    }
}
