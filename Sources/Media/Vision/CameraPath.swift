/// What the camera should show at one sample, along one axis, in pixels of the source.
package struct CameraTarget: Hashable, Sendable {
    /// Where the middle of the window is best.
    package var middle: Double
    /// What must not leave the window.
    package var low: Double
    package var high: Double
    /// 1 for something seen, less for something guessed.
    package var weight: Double

    package init(middle: Double, low: Double, high: Double, weight: Double = 1) {
        precondition(low <= high, "a target from \(low) to \(high)")
        self.middle = middle
        self.low = low
        self.high = high
        self.weight = weight
    }
}

/// How the window moves along one axis through one shot: from what should be seen at every sample to where the window
/// stands at every sample.
///
/// The path is the cheapest of all paths on a grid of places and speeds (Viterbi over place, speed and the direction
/// of the last move). It pays for showing the target off-centre, much more for losing it, for every move begun, for
/// the way travelled, for changes of speed, and for turning back. Speeds and their changes are limited by what the
/// grid allows, the window stays inside the source because no other place exists, and since the whole shot is known
/// the camera starts before the speaker does. A still speaker costs less off-centre than a move does, which is the
/// dead zone.
///
/// Rejected: smoothing the centres (Kalman, Gaussian), which lags, overshoots, and never stands still.
package struct CameraPath: Sendable {
    /// What a camera move costs. One unit is the discomfort of one sample with the target at the window's edge.
    package struct Style: Hashable, Sendable {
        /// Steps of the grid in one window; a step is under a hundredth of it.
        package var stepsPerWindow = 128.0
        /// Of the whole grid: a source many times as wide as the window gets coarser steps instead of more memory.
        package var stepsMax = 512
        /// In windows per second. A walker crosses a 16:9 frame in three seconds at 1.
        package var speedMax = 1.2
        /// For beginning to move. At five samples a second a target must be half-way to the edge for 3 s to earn it.
        package var startCost = 4.0
        /// For turning against the direction of the last move of the shot.
        package var turnCost = 6.0
        /// For travelling one window.
        package var travelCost = 2.0
        /// For every notch of speed gained or lost.
        package var joltCost = 0.05
        /// For losing the target: times the part of a window that it is out by, and times its square. So an ear that
        /// peeps out for a second moves nothing, and half a face does at once.
        package var lossCost = 80.0
        package var lossCostSquared = 200.0
        /// Of the window: a target that takes more than this may leave it by the rest. A close-up wider than the
        /// window cannot be kept inside, and chasing its middle would never rest.
        package var reachMax = 0.8

        package init() {}
    }

    /// Speeds in grid steps per sample. Roughly geometric: gentle starts, and few enough to search.
    private static let speeds = [1, 2, 3, 4, 6, 8, 11, 15, 20, 27, 36]
    /// Notches of `speeds` that one sample may gain or lose.
    private static let notchesPerSample = 2

    /// A way to move: at rest, knowing the direction of the last move, or at one of the speeds.
    private struct Gait {
        /// In grid steps per sample; 0 at rest.
        var speed: Int
        /// Signed index into `speeds` counted from 1; 0 at rest.
        var notch: Int
        /// Of the last move, this one included: -1, +1, or 0 when there was none.
        var direction: Int
        /// Gaits this one may follow, with the price of the change.
        var predecessors: [(gait: Int, cost: Double)] = []
    }

    private let window: Double
    private let style: Style
    private let stepPixels: Double
    private let stepCount: Int
    private let gaits: [Gait]
    private let fresh: Int

    /// - Parameters:
    ///   - window: Its extent along the axis, in pixels of the source.
    ///   - source: The extent of the source along the axis.
    package init(window: Double, source: Double, stepSeconds: Double, style: Style = Style()) {
        precondition(0 < window && window <= source, "a window of \(window) in a source of \(source)")
        precondition(stepSeconds > 0, "a step of \(stepSeconds) s")
        self.window = window
        self.style = style
        let freedom = source - window
        stepCount = min(style.stepsMax, Int((freedom / window * style.stepsPerWindow).rounded(.up)))
        stepPixels = stepCount > 0 ? freedom / Double(stepCount) : 0
        let speedMax = style.speedMax * window * stepSeconds / max(stepPixels, .leastNormalMagnitude)
        let speeds = Self.speeds.filter { Double($0) <= max(1, speedMax) }
        gaits = Self.gaits(speeds: speeds, travelCost: style.travelCost * stepPixels / window, style: style)
        fresh = gaits.firstIndex { $0.speed == 0 && $0.direction == 0 }!
    }

    /// The low edge of the window at every sample of a shot, in pixels of the source, between 0 and `source - window`.
    ///
    /// A sample without a target is free: the window stays, or uses the time to get where it is needed next.
    package func positions(for targets: [CameraTarget?]) -> [Double] {
        // No target at all: a calm centre.
        guard stepCount > 0, targets.contains(where: { $0 != nil }) else {
            return targets.map { _ in Double(stepCount) * stepPixels / 2 }
        }
        return cheapestPath(targets).map { Double($0) * stepPixels }
    }

    // MARK: The search

    private func cheapestPath(_ targets: [CameraTarget?]) -> [Int] {
        let places = stepCount + 1
        var costs = [[Double]](repeating: [Double](repeating: .infinity, count: places), count: gaits.count)
        costs[fresh] = discomfort(targets[0])
        // For every later sample, gait and place: the gait before. The place before follows from the speed.
        var before: [[[UInt8]]] = []
        for target in targets.dropFirst() {
            let discomfort = discomfort(target)
            var next = [[Double]](repeating: [Double](repeating: .infinity, count: places), count: gaits.count)
            var from = [[UInt8]](repeating: [UInt8](repeating: 0, count: places), count: gaits.count)
            for (index, gait) in gaits.enumerated() {
                advance(costs, by: gait, into: &next[index], from: &from[index])
                for place in 0..<places { next[index][place] += discomfort[place] }
            }
            costs = next
            before.append(from)
        }
        return trace(before, end: cheapestEnd(costs))
    }

    private func advance(_ costs: [[Double]], by gait: Gait, into next: inout [Double], from: inout [UInt8]) {
        guard abs(gait.speed) <= stepCount else { return }
        let places = max(0, -gait.speed)...min(stepCount, stepCount - gait.speed)
        for predecessor in gait.predecessors {
            let row = costs[predecessor.gait]
            for place in places {
                let cost = row[place] + predecessor.cost
                if cost < next[place + gait.speed] {
                    next[place + gait.speed] = cost
                    from[place + gait.speed] = UInt8(predecessor.gait)
                }
            }
        }
    }

    private func cheapestEnd(_ costs: [[Double]]) -> (gait: Int, place: Int) {
        var best = (gait: fresh, place: 0)
        for gait in costs.indices {
            for place in costs[gait].indices where costs[gait][place] < costs[best.gait][best.place] {
                best = (gait, place)
            }
        }
        return best
    }

    private func trace(_ before: [[[UInt8]]], end: (gait: Int, place: Int)) -> [Int] {
        var (gait, place) = end
        var path = [place]
        for from in before.reversed() {
            let previous = Int(from[gait][place])
            place -= gaits[gait].speed
            gait = previous
            path.append(place)
        }
        return path.reversed()
    }

    /// What it costs to stand at each place while `target` should be seen.
    private func discomfort(_ target: CameraTarget?) -> [Double] {
        guard let target else { return [Double](repeating: 0, count: stepCount + 1) }
        let reach = min((target.high - target.low) / 2, style.reachMax / 2 * window)
        let middle = (target.low + target.high) / 2
        return (0...stepCount).map { place in
            let low = Double(place) * stepPixels
            let offset = abs(target.middle - (low + window / 2)) / (window / 2)
            let outside = max(0, low - (middle - reach), middle + reach - (low + window)) / window
            let loss = (style.lossCost + style.lossCostSquared * outside) * outside
            return target.weight * (offset * offset + loss)
        }
    }

    private static func gaits(speeds: [Int], travelCost: Double, style: Style) -> [Gait] {
        var gaits: [Gait] = []
        for (index, speed) in speeds.enumerated().reversed() {
            gaits.append(Gait(speed: -speed, notch: -index - 1, direction: -1))
        }
        for direction in [-1, 0, 1] { gaits.append(Gait(speed: 0, notch: 0, direction: direction)) }
        for (index, speed) in speeds.enumerated() {
            gaits.append(Gait(speed: speed, notch: index + 1, direction: 1))
        }
        for index in gaits.indices {
            let travel = travelCost * Double(abs(gaits[index].speed))
            gaits[index].predecessors = gaits.indices.compactMap { previous in
                change(from: gaits[previous], to: gaits[index], style: style).map { (previous, $0 + travel) }
            }
        }
        return gaits
    }

    /// The price of going from one gait to another between two samples; nil when it cannot be done.
    private static func change(from: Gait, to: Gait, style: Style) -> Double? {
        let notches = abs(to.notch - from.notch)
        guard notches <= notchesPerSample else { return nil }
        let jolt = style.joltCost * Double(notches)
        // Rest remembers where the window came from; it is entered from that direction only.
        if to.speed == 0 { return to.direction == from.direction ? jolt : nil }
        // Through rest, even when turning back: a camera that bounces has no smallest speed.
        if from.speed != 0 { return to.direction == from.direction ? jolt : nil }
        return jolt + style.startCost + (to.direction == -from.direction ? style.turnCost : 0)
    }
}
