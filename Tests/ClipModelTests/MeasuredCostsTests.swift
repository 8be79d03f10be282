import ClipModel
import Foundation
import Testing

@Suite struct MeasuredCostsTests {
    private static func costs(_ name: StageName, _ factors: [Double]) -> MeasuredCosts {
        var costs = MeasuredCosts()
        for factor in factors { costs.record(name, took: factor * 10, expected: 10) }
        return costs
    }

    private static func close(_ one: Double, _ other: Double) -> Bool { abs(one - other) < 1e-9 }

    @Test func `the first runs weigh alike, and then older ones fade`() {
        #expect(MeasuredCosts().isEmpty && MeasuredCosts().factor(of: .render) == 1)
        let few = Self.costs(.render, [6, 1, 2])
        #expect(few[.render]?.runs == 3 && Self.close(few.factor(of: .render), 3))
        #expect(few[.reframe] == nil && few.factor(of: .reframe) == 1)
        let window = MeasuredCosts.window
        let slower = Self.costs(.render, Array(repeating: 1, count: window) + Array(repeating: 3, count: window))
        // Of the difference of 2 a twentieth is lost with each run; the mean of all of them would be 2.
        var rest = 2.0
        for _ in 0..<window { rest *= 1 - 1 / Double(window) }
        #expect(slower[.render]?.runs == 2 * window && Self.close(slower.factor(of: .render), 3 - rest))
    }

    @Test func `a run that cannot be is taken as the border, or not at all`() {
        #expect(Self.costs(.check, [1e9]).factor(of: .check) == 40)
        #expect(Self.costs(.check, [0]).factor(of: .check) == 0.025)
        var costs = MeasuredCosts()
        for (took, expected) in [(-1.0, 1.0), (.nan, 1), (.infinity, 1), (1, 0), (1, -1), (1, .nan)] {
            costs.record(.check, took: took, expected: expected)
        }
        #expect(costs.isEmpty)
    }

    @Test func `of several nodes each counts by its runs, and none for more than the window`() {
        let few = Self.costs(.render, [2]), some = Self.costs(.render, [5, 5, 5])
        let both = MeasuredCosts(merging: [few, some])
        #expect(both[.render] == MeasuredCosts.Measure(factor: 4.25, runs: 4))
        let busy = Self.costs(.render, Array(repeating: 1, count: 1000))
        let other = Self.costs(.render, Array(repeating: 3, count: MeasuredCosts.window))
        #expect(Self.close(MeasuredCosts(merging: [busy, other]).factor(of: .render), 2))
        // What one node alone has done is not thinned by those that have not.
        let mixed = MeasuredCosts(merging: [few, Self.costs(.reframe, [7]), MeasuredCosts()])
        #expect(mixed.factor(of: .render) == 2 && mixed.factor(of: .reframe) == 7)
        #expect(MeasuredCosts(merging: []).isEmpty)
    }

    @Test func `they are an object by the names of stages`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var costs = Self.costs(.render, [3, 3])
        costs.record(.audio, took: 1, expected: 2)
        let json = try encoder.encode(costs)
        #expect(
            String(decoding: json, as: UTF8.self)
                == #"{"audio":{"factor":0.5,"runs":1},"render":{"factor":3,"runs":2}}"#)
        #expect(try JSONDecoder().decode(MeasuredCosts.self, from: json) == costs)
    }

    @Test func `stages of a newer release are passed over, and what cannot be is set right`() throws {
        let json = #"""
            {"dub": {"factor": 2, "runs": 3}, "grade": [1], "render": {"factor": 3, "runs": 2, "spread": 1},
             "audio": {"factor": 9000, "runs": 1}, "shots": {"factor": 2, "runs": 0},
             "probe": "quick"}
            """#
        let costs = try JSONDecoder().decode(MeasuredCosts.self, from: Data(json.utf8))
        #expect(costs[.render] == MeasuredCosts.Measure(factor: 3, runs: 2))
        #expect(costs[.audio] == MeasuredCosts.Measure(factor: 40, runs: 1))
        #expect(costs[.shots] == nil && costs[.probe] == nil)
    }

    @Test func `a node of an earlier release tells none`() throws {
        let condition = try JSONDecoder().decode(NodeCondition.self, from: Data(#"{"level": "normal"}"#.utf8))
        #expect(condition == NodeCondition(level: .normal))
        #expect(condition.measuredCosts == nil)
    }
}
