import Media
import Testing

@Suite struct PiecewiseLineTests {
    @Test func `the line is held before its first and after its last point`() {
        let line = PiecewiseLine(through: [(time: 1, value: 10), (time: 3, value: 30)], from: 0)
        #expect([0, 1, 2, 3, 9].map(line.value(at:)) == [10, 10, 20, 30, 30])
        #expect(line.expression == "if(lt(t,1),10,if(lt(t,3),10+10*(t-1),30))")
    }

    @Test func `a line that begins between two points begins with the value there`() {
        let line = PiecewiseLine(through: [(time: 0, value: 0), (time: 4, value: 8)], from: 1)
        #expect(line.pieces.first == PiecewiseLine.Piece(start: 1, value: 2, slope: 2))
        #expect(line.value(at: 3) == 6)
    }

    @Test func `a window that stands still is one number`() {
        let line = PiecewiseLine(through: [(time: 0, value: 7), (time: 2, value: 7), (time: 5, value: 7)], from: 0)
        #expect(line.isConstant)
        #expect(line.expression == "7")
    }

    /// ffmpeg's parser gives up at a hundred nested brackets.
    @Test func `a thousand points nest ten deep`() {
        let points = (0..<1000).map { (time: Double($0) / 30, value: Double($0 * $0 % 97)) }
        let text = PiecewiseLine(through: points, from: 0).expression
        var (depth, deepest) = (0, 0)
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            deepest = max(deepest, depth)
        }
        #expect(depth == 0)
        #expect(deepest <= 12)
    }

    @Test func `numbers never have an exponent`() {
        let line = PiecewiseLine(through: [(time: 0, value: 1e-9), (time: 1, value: 3_000_000)], from: 0)
        #expect(!line.expression.contains("e"))
    }
}
