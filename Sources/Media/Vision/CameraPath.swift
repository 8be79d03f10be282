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
/// The path is the cheapest of all paths, found as a linear programme (Grundmann, Kwatra, Essa: "Auto-directed video
/// stabilization with robust L1 optimal camera paths", CVPR 2011, where the rows follow a shaking camera; here they
/// follow people). It pays for the way travelled, for changes of speed and for changes of acceleration, each by its
/// absolute value: so the answer is made of rests, even pans and soft joints between them, and never of a creep that
/// is a little of each. Against that stand the prices of showing the target off-centre. Speed and acceleration have
/// bounds that hold, as has the source's edge, and since the whole shot is known the camera starts before the speaker
/// does.
///
/// Inside the dead zone being off-centre costs so little that only a long stay earns a move. Rejected: the best path on
/// a grid of places and speeds (Viterbi), which came before this, chose among eleven speeds and could not start softly;
/// smoothing the centres (Kalman, Gaussian), which lags, overshoots, and never stands still.
package struct CameraPath: Sendable {
    /// What a camera move costs, per window of the axis. Prices of being off are for a second of it.
    package struct Style: Hashable, Sendable {
        /// In windows per second. A walker crosses a 16:9 frame in three seconds at 1.
        package var speedMax = 1.2
        /// In windows per second, per second: from rest to full speed in half of one.
        package var accelerationMax = 2.4
        /// For travelling one window.
        package var travelCost = 2.0
        /// For a speed gained or lost of one window a second.
        package var joltCost = 0.3
        /// For an acceleration gained or lost of one window a second, per second.
        package var jerkCost = 0.03
        /// For being off-centre at all. A stay must last `travelCost / centreCost` seconds to earn a move by itself.
        package var centreCost = 0.25
        /// Half the width of the dead zone, in windows...
        package var deadZone = 0.16
        /// ...and for being off-centre by more than it.
        package var strayCost = 2.0
        /// For a target that is cut off: an ear that peeps out for a second moves nothing...
        package var lossCost = 2.5
        /// ...but what is out by more than this many windows...
        package var lossSlack = 0.04
        /// ...does: a face that is half out for a quarter of a second earns the way there and back.
        package var deepLossCost = 25.0
        /// Of the window: a target that takes more than this may leave it by the rest. A close-up wider than the
        /// window cannot be kept inside, and chasing its middle would never rest.
        package var reachMax = 0.8

        package init() {}
    }

    /// In windows: what stays within it rests. A tenth of a pixel, and more than the search leaves undecided.
    private static let restMax = 2e-4

    private let window: Double
    private let style: Style
    private let stepSeconds: Double
    /// How far the window can move, in windows.
    private let freedom: Double

    /// - Parameters:
    ///   - window: Its extent along the axis, in pixels of the source.
    ///   - source: The extent of the source along the axis.
    package init(window: Double, source: Double, stepSeconds: Double, style: Style = Style()) {
        precondition(0 < window && window <= source, "a window of \(window) in a source of \(source)")
        precondition(stepSeconds > 0, "a step of \(stepSeconds) s")
        self.window = window
        self.style = style
        self.stepSeconds = stepSeconds
        freedom = (source - window) / window
    }

    /// The low edge of the window at every sample of a shot, in pixels of the source, between 0 and `source - window`.
    ///
    /// A sample without a target is free: the window stays, or uses the time to get where it is needed next.
    package func positions(for targets: [CameraTarget?]) -> [Double] {
        let wanted = targets.compactMap { $0 }.map(centre)
        // No target at all: a calm centre.
        guard freedom > 0, !wanted.isEmpty else { return targets.map { _ in freedom * window / 2 } }
        let start = [Double](repeating: wanted.upperMedian, count: targets.count)
        let found = programme(targets).solved(from: start)
        // To rest is always allowed, so there is an answer, and no search without one has been seen. Should rounding
        // win, a window that rests is the safe one: what it loses is counted, and a wider one tried.
        return rested(found.isFound ? found.values : start).map { min(max(0, $0), freedom) * window }
    }

    // MARK: The programme, in windows

    /// Where the window's low edge is best.
    private func centre(_ target: CameraTarget) -> Double { min(max(0, target.middle / window - 0.5), freedom) }

    package func programme(_ targets: [CameraTarget?]) -> HingeProgram {
        var programme = HingeProgram(unknowns: targets.count)
        for (sample, target) in targets.enumerated() {
            programme.add([1], from: sample, above: 0, below: .infinity)
            programme.add([1], from: sample, bend: freedom, above: .infinity)
            if let target { add(target, at: sample, to: &programme) }
        }
        let step = stepSeconds
        let (speed, acceleration) = (style.speedMax * step, style.accelerationMax * step * step)
        for sample in targets.indices.dropFirst() {
            add([-1, 1], from: sample - 1, price: style.travelCost, limit: speed, to: &programme)
        }
        for sample in targets.indices.dropFirst(2) {
            add([1, -2, 1], from: sample - 2, price: style.joltCost / step, limit: acceleration, to: &programme)
        }
        for sample in targets.indices.dropFirst(3) {
            let price = style.jerkCost / step / step
            programme.add([-1, 3, -3, 1], from: sample - 3, above: price, below: price)
        }
        return programme
    }

    private func add(
        _ weights: [Double], from first: Int, price: Double, limit: Double, to programme: inout HingeProgram
    ) {
        programme.add(weights, from: first, above: price, below: price)
        programme.add(weights, from: first, bend: limit, above: .infinity)
        programme.add(weights, from: first, bend: -limit, below: .infinity)
    }

    private func add(_ target: CameraTarget, at sample: Int, to programme: inout HingeProgram) {
        let weight = target.weight * stepSeconds
        let best = centre(target)
        programme.add([1], from: sample, bend: best, above: weight * style.centreCost, below: weight * style.centreCost)
        programme.add([1], from: sample, bend: best + style.deadZone, above: weight * style.strayCost)
        programme.add([1], from: sample, bend: best - style.deadZone, below: weight * style.strayCost)
        let middle = (target.low + target.high) / 2 / window
        let reach = min((target.high - target.low) / 2 / window, style.reachMax / 2)
        // Beyond the source there is nothing to show.
        let (latest, earliest) = (min(middle - reach, freedom), max(middle + reach - 1, 0))
        for (slack, cost) in [(0, style.lossCost), (style.lossSlack, style.deepLossCost)] {
            programme.add([1], from: sample, bend: max(0, latest) + slack, above: weight * cost)
            programme.add([1], from: sample, bend: min(freedom, earliest) - slack, below: weight * cost)
        }
    }

    /// The same path with rests that are rests to the last digit.
    private func rested(_ path: [Double]) -> [Double] {
        var rested = path
        var start = 0
        while start < path.count {
            var end = start + 1
            while end < path.count, abs(path[end] - path[start]) < Self.restMax { end += 1 }
            let mean = path[start..<end].reduce(0, +) / Double(end - start)
            for sample in start..<end { rested[sample] = mean }
            start = end
        }
        return rested
    }
}
