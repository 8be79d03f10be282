import ClipModel

/// Where the window of a shot without faces stands: still, for the whole shot, on what draws the eye in most of it.
package struct SalientWindow: Hashable, Sendable {
    package struct Limits: Hashable, Sendable {
        /// Mean over the cells of a picture. With less, nothing stands out: a black picture, a wall, fog.
        package var massMin = 0.004
        /// Of all that draws the eye, how much more than the middle a place must hold to be preferred to it.
        package var gainMin = 0.2
        /// Of a best place, what another may hold less and still be taken because it has the thing in its middle.
        package var centringLossMax = 0.02
        /// A picture with so much plain ground, and so much of the rest as crisp as print, is a slide or a screen...
        package var printPlainMin = 0.5
        package var printCrispMin = 0.25
        /// ...and is shown whole unless a window holds this much of what is on it.
        package var printHeldMin = 0.9

        package init() {}
    }

    package enum Choice: Hashable, Sendable {
        /// Nothing stands out from what the middle shows.
        case centre
        /// The corner of the window, in display pixels of the source.
        case corner(x: Double, y: Double)
        /// Print that no window holds.
        case whole
    }

    private let window: CropWindow
    private let limits: Limits

    package init(_ window: CropWindow, limits: Limits = Limits()) {
        self.window = window
        self.limits = limits
    }

    /// - Parameter looks: At the pictures of one shot.
    package func choice(for looks: [Attention]) -> Choice {
        let isAcross = window.freedomX >= 1
        guard let first = looks.first, isAcross || window.freedomY >= 1 else { return .centre }
        let parts = isAcross ? first.columns.count : first.rows.count
        precondition(
            looks.allSatisfy { ($0.columns.count, $0.rows.count) == (first.columns.count, first.rows.count) },
            "looks at pictures of different sizes")
        var profile = [Double](repeating: 0, count: parts)
        for look in looks {
            for (part, mass) in (isAcross ? look.columns : look.rows).enumerated() { profile[part] += mass }
        }
        let count = Double(looks.count)
        let mass = profile.reduce(0, +)
        guard mass / count / Double(first.columns.count * first.rows.count) >= limits.massMin else { return .centre }

        let share = isAcross ? window.width / Double(window.source.width) : window.height / Double(window.source.height)
        let reach = Reach(profile, extent: share * Double(parts))
        let best = reach.best(centringLossMax: limits.centringLossMax * mass)
        let held = reach.mass(from: best) / mass
        let isPrint =
            looks.reduce(0) { $0 + $1.plainShare } >= limits.printPlainMin * count
            && looks.reduce(0) { $0 + $1.crispShare } >= limits.printCrispMin * count
        if isPrint, held < limits.printHeldMin { return .whole }
        guard held - reach.mass(from: reach.last / 2) / mass >= limits.gainMin else { return .centre }
        let place = best / reach.last
        return isAcross
            ? .corner(x: place * window.freedomX, y: window.freedomY / 2)
            : .corner(x: window.freedomX / 2, y: place * window.freedomY)
    }
}

/// A window that is moved along a profile; all lengths in parts of the profile.
private struct Reach {
    /// Of the places that are tried, between two.
    private static let step = 0.25

    private let profile: [Double]
    private let extent: Double
    /// All mass before every part, and before the end.
    private let before: [Double]

    init(_ profile: [Double], extent: Double) {
        self.profile = profile
        self.extent = extent
        before = profile.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    }

    /// The last place where the window is inside.
    var last: Double { Double(profile.count) - extent }

    func mass(from start: Double) -> Double { mass(before: start + extent) - mass(before: start) }

    private func mass(before place: Double) -> Double {
        let whole = min(max(0, Int(place)), profile.count - 1)
        return before[whole] + min(1, max(0, place - Double(whole))) * profile[whole]
    }

    /// Where most is held; with that in the middle, when little is lost by it.
    func best(centringLossMax: Double) -> Double {
        let places = (0...Int(last / Self.step)).map { Double($0) * Self.step } + [last]
        var (best, most) = (0.0, -1.0)
        for place in places where mass(from: place) > most + 1e-9 { (best, most) = (place, mass(from: place)) }
        var moment = 0.0
        for (part, mass) in profile.enumerated() {
            let (low, high) = (max(best, Double(part)), min(best + extent, Double(part + 1)))
            if low < high { moment += mass * (high - low) * (low + high) / 2 }
        }
        guard most > 0 else { return best }
        let centred = min(max(0, moment / most - extent / 2), last)
        return mass(from: centred) >= most - centringLossMax ? centred : best
    }
}
