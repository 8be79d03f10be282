/// How long stages really take, against the constants of `StageCost`: a factor of 3 means three times as long. Of one
/// node by its own finished work, or of a cluster by that of its nodes.
///
/// After each run `factor += (run - factor) / min(runs, window)`. The first `window` runs weigh alike, so that one odd
/// run at the beginning does not stay; from then on each weighs one part of `window` and older ones fade, so that a
/// machine that has become slower is known as such after about as many runs. It needs no list of runs.
package struct MeasuredCosts: Hashable, Sendable {
    package struct Measure: Hashable, Sendable, Codable {
        package let factor: Double
        /// That it rests on.
        package let runs: Int

        package init(factor: Double, runs: Int) {
            self.factor = factor
            self.runs = runs
        }
    }

    /// Runs that the mean remembers.
    package static let window = 20
    /// What is outside is taken as its border: a stopped clock or a machine that slept says nothing about stages. A run
    /// beyond the upper one ends by its limit of time, but for stages that cost next to nothing.
    package static let factors = 0.025...40.0

    private var measures: [StageName: Measure] = [:]

    package init() {}

    /// Of several nodes: the mean of their factors by the runs that these rest on. None counts for more than `window`
    /// runs: its factor remembers no more, and one busy node does not drown the others.
    package init(merging nodes: some Sequence<MeasuredCosts>) {
        var sums: [StageName: (weighted: Double, runs: Int)] = [:]
        for (name, measure) in nodes.flatMap(\.measures) {
            let runs = min(measure.runs, Self.window)
            let sum = sums[name, default: (0, 0)]
            sums[name] = (sum.weighted + measure.factor * Double(runs), sum.runs + runs)
        }
        measures = sums.mapValues { Measure(factor: $0.weighted / Double($0.runs), runs: $0.runs) }
    }

    package var isEmpty: Bool { measures.isEmpty }

    /// Nil: no run of it has ended.
    package subscript(name: StageName) -> Measure? { measures[name] }

    /// 1, the constant itself, where nothing was measured.
    package func factor(of name: StageName) -> Double { measures[name]?.factor ?? 1 }

    /// A run took `seconds` for which the constant says `expected`.
    package mutating func record(_ name: StageName, took seconds: Double, expected: Double) {
        guard seconds.isFinite, seconds >= 0, expected.isFinite, expected > 0 else { return }
        let run = Self.clamped(seconds / expected)
        let (old, runs) = (measures[name]?.factor ?? run, (measures[name]?.runs ?? 0) + 1)
        measures[name] = Measure(factor: old + (run - old) / Double(min(runs, Self.window)), runs: runs)
    }

    private static func clamped(_ factor: Double) -> Double {
        min(max(factor, factors.lowerBound), factors.upperBound)
    }
}

/// An object with the names of stages: `{"render": {"factor": 3, "runs": 7}}`.
extension MeasuredCosts: Codable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// What is not known here, a name or what is said of one, is of a newer release and passed over: the rest of a
    /// node's condition counts all the same.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        for name in StageName.allCases {
            let told = try? container.decode(Measure.self, forKey: Key(stringValue: name.rawValue))
            guard let told, told.runs > 0, told.factor.isFinite else { continue }
            measures[name] = Measure(factor: Self.clamped(told.factor), runs: told.runs)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for name in StageName.allCases {
            try container.encodeIfPresent(measures[name], forKey: Key(stringValue: name.rawValue))
        }
    }
}
