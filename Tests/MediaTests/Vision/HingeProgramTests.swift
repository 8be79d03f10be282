import Media
import Testing

/// Small programmes whose least is known.
@Suite struct HingeProgramTests {
    /// Its parts, and where the least of their sum is.
    struct Known: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var least: [Double]
        var build: @Sendable (inout HingeProgram) -> Void

        init(_ text: String, least: [Double], _ build: @escaping @Sendable (inout HingeProgram) -> Void) {
            testDescription = text
            self.least = least
            self.build = build
        }
    }

    /// The distance of each unknown from its place, and of neighbours from each other at a price.
    @Sendable private static func chain(_ places: [Double], price: Double, _ programme: inout HingeProgram) {
        for (index, place) in places.enumerated() { programme.add([1], from: index, bend: place, above: 1, below: 1) }
        for index in places.indices.dropFirst() {
            programme.add([-1, 1], from: index - 1, above: price, below: price)
        }
    }

    private static let known = [
        Known("a median", least: [4]) { programme in
            for place in [3.0, 10, 4] { programme.add([1], from: 0, bend: place, above: 1, below: 1) }
        },
        Known("an upper quartile: to be below costs three times as much", least: [4]) { programme in
            for place in 1...5 { programme.add([1], from: 0, bend: Double(place), above: 1, below: 3) }
        },
        Known("a bound that holds against a price", least: [0]) { programme in
            programme.add([1], from: 0, bend: -5, above: 1, below: 1)
            programme.add([1], from: 0, below: .infinity)
        },
        Known("a step that is cheaper than to be in the wrong place", least: [0, 0, 6]) { programme in
            Self.chain([0, 0, 6], price: 0.4, &programme)
        },
        Known("a step that is dearer", least: [0, 0, 0]) { programme in Self.chain([0, 0, 6], price: 2, &programme) },
        Known("two on a leash: the dearer one stays, the other is dragged", least: [6, 10]) { programme in
            programme.add([1], from: 0, above: 1, below: 1)
            programme.add([1], from: 1, bend: 10, above: 3, below: 3)
            programme.add([-1, 1], from: 0, bend: 4, above: .infinity)
        },
        Known("a line through four points and past the fifth", least: [0, 1, 2, 3, 4]) { programme in
            for (index, place) in [0.0, 1, 4, 3, 4].enumerated() {
                programme.add([1], from: index, bend: place, above: 1, below: 1)
            }
            for first in 0...1 { programme.add([-1, 3, -3, 1], from: first, above: 100, below: 100) }
        },
    ]

    @Test(arguments: known, [0, 7.0, -300])
    func `the least is found, from wherever the search begins`(known: Known, start: Double) {
        var programme = HingeProgram(unknowns: known.least.count)
        known.build(&programme)
        let solution = programme.solved(from: [Double](repeating: start, count: known.least.count))
        #expect(solution.isFound)
        #expect(solution.steps <= 40)
        for (value, least) in zip(solution.values, known.least) { #expect(abs(value - least) < 1e-5) }
    }

    @Test func `what nothing is said about stays where it was`() {
        var programme = HingeProgram(unknowns: 2)
        #expect(programme.solved(from: [7, 8]).values == [7, 8])
        programme.add([1], from: 0, bend: 3, above: 1, below: 1)
        let solution = programme.solved(from: [7, 8])
        #expect(solution.isFound)
        #expect(abs(solution.values[0] - 3) < 1e-5)
        #expect(solution.values[1] == 8)
    }

    @Test func `bounds that contradict each other are told`() {
        var programme = HingeProgram(unknowns: 1)
        programme.add([1], from: 0, bend: 1, below: .infinity)
        programme.add([1], from: 0, bend: -1, above: .infinity)
        programme.add([1], from: 0, above: 1, below: 1)
        #expect(!programme.solved(from: [0]).isFound)
    }

    /// Targets that leap anywhere, are as wide as the source, come and go.
    @Test(arguments: [UInt64](1...12))
    func `every programme of a camera has an answer that is found`(seed: UInt64) {
        var chance = SceneNoise(seed: seed)
        for (window, count) in [(608.0, 60), (1900, 60), (608, 1), (608, 2), (608, 3), (1080, 5)] {
            let targets = (0..<count).map { index -> CameraTarget? in
                let isSeen = Int.random(in: 0..<10, using: &chance) > 1
                let middle = Double.random(in: -50...1970, using: &chance)
                let half = Double.random(in: 20...500, using: &chance)
                guard index == 0 || isSeen else { return nil }
                return CameraTarget(middle: middle, low: middle - half, high: middle + half)
            }
            let camera = CameraPath(window: window, source: 1920, stepSeconds: 0.2)
            let solution = camera.programme(targets).solved(from: [Double](repeating: 0, count: count))
            #expect(solution.isFound, "a window of \(window), \(count) samples")
            #expect(solution.steps <= 60)
        }
    }
}
