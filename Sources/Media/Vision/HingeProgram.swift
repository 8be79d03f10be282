/// A sum of hinges to be made as small as it gets: every term is a straight price on each side of a bend, over a
/// weighted sum of up to four successive unknowns.
///
/// As a linear programme it is a quantile regression with another quantile at every row, and is solved as one: by the
/// primal-dual interior-point method of Portnoy and Koenker ("The Gaussian hare and the Laplacian tortoise",
/// Statistical Science 1997) with the predictor and corrector of Mehrotra (1992). The normal equations have seven
/// diagonals, so a step takes time and memory in proportion to the unknowns; a few dozen steps at most reach the last
/// digits, whatever the length. No chance, no clock: the same rows give the same answer.
package struct HingeProgram {
    /// `above * max(0, r) + below * max(0, -r)`, where `r` is the weighted sum less `bend`. An infinite price is a
    /// bound that must hold.
    fileprivate struct Row {
        var first: Int
        var weights: SIMD4<Double>
        var bend: Double
        var above: Double
        var below: Double
    }

    /// What is still wrong may be this small against the prices when the search ends.
    private static let precision = 1e-9
    /// What rounding may leave of it: an end with less is an answer all the same.
    private static let roughPrecision = 1e-6
    private static let stepsMax = 80
    /// How close to a border of what is allowed a step may go.
    private static let stepShare = 0.995

    private let unknowns: Int
    private var rows: [Row] = []

    package init(unknowns: Int) {
        precondition(unknowns > 0, "a programme without unknowns")
        self.unknowns = unknowns
    }

    /// - Parameter weights: Of the unknowns from `first` on, up to four.
    package mutating func add(
        _ weights: [Double], from first: Int, bend: Double = 0, above: Double = 0, below: Double = 0
    ) {
        precondition(weights.count <= 4 && first >= 0 && first + weights.count <= unknowns, "a row from \(first)")
        precondition(above.isFinite || below.isFinite, "an equation is no hinge")
        guard above > 0 || below > 0 else { return }
        var four = SIMD4<Double>.zero
        for (index, weight) in weights.enumerated() { four[index] = weight }
        rows.append(Row(first: first, weights: four, bend: bend, above: above, below: below))
    }

    // MARK: The search

    /// Where the search stands. `over` and `under` are what each row is above and below its bend, `price` is its
    /// multiplier, which lies between `-below` and `above`.
    private struct State {
        var unknowns: [Double]
        var over: [Double]
        var under: [Double]
        var price: [Double]
    }

    /// A direction, and how far it may be followed.
    private struct Move {
        var unknowns: [Double]
        var over: [Double]
        var under: [Double]
        var price: [Double]
        var primalStep = 1.0
        var dualStep = 1.0
    }

    /// Where a search ended.
    package struct Solution: Hashable, Sendable {
        package var values: [Double]
        package var steps: Int
        /// False: bounds contradict each other, or rounding won. Then `values` mean nothing.
        package var isFound: Bool
    }

    package func solved(from start: [Double]) -> Solution {
        precondition(start.count == unknowns, "\(start.count) values for \(unknowns) unknowns")
        guard !rows.isEmpty else { return Solution(values: start, steps: 0, isFound: true) }
        var state = opening(start)
        for step in 0..<Self.stepsMax {
            if isSolved(state, within: Self.precision) {
                return Solution(values: state.unknowns, steps: step, isFound: true)
            }
            let move = next(state)
            state = advanced(state, move)
            if max(move.primalStep, move.dualStep) < 1e-8 { break }
        }
        return Solution(
            values: state.unknowns, steps: Self.stepsMax, isFound: isSolved(state, within: Self.roughPrecision))
    }

    private func isSolved(_ state: State, within precision: Double) -> Bool {
        gap(state) < precision && (primalResiduals(state) + dualResiduals(state)).allSatisfy { abs($0) < precision }
    }

    /// Predicts where the answer lies, then aims at it with the bend of the way taken into account.
    private func next(_ state: State) -> Move {
        let (missing, unbalanced) = (primalResiduals(state), dualResiduals(state))
        let gap = gap(state)
        let weights = weights(state)
        let system = BandedSystem(normal(weights))
        func aim(_ centre: Double, _ bent: Move?) -> Move {
            move(state, weights, system, missing, unbalanced, centre: centre, bent: bent)
        }
        let predicted = aim(0, nil)
        let left = self.gap(advanced(state, predicted)) / gap
        return aim(gap * left * left * left, predicted)
    }

    private func opening(_ start: [Double]) -> State {
        var state = State(unknowns: start, over: [], under: [], price: [])
        for row in rows {
            let residual = row.sum(of: start) - row.bend
            state.over.append(row.above.isFinite ? max(residual, 0) + 0.1 : 0)
            state.under.append(row.below.isFinite ? max(-residual, 0) + 0.1 : 0)
            switch (row.above.isFinite, row.below.isFinite) {
            case (true, true): state.price.append((row.above - row.below) / 2)
            case (false, _): state.price.append(1 - row.below)
            case (_, false): state.price.append(row.above - 1)
            }
        }
        return state
    }

    /// Mean of slack times what its price may still grow; zero at the answer.
    private func gap(_ state: State) -> Double {
        var sum = 0.0
        for (index, row) in rows.enumerated() {
            if row.above.isFinite { sum += state.over[index] * (row.above - state.price[index]) }
            if row.below.isFinite { sum += state.under[index] * (row.below + state.price[index]) }
        }
        return sum / Double(2 * rows.count)
    }

    private func primalResiduals(_ state: State) -> [Double] {
        rows.indices.map { index in
            rows[index].bend - rows[index].sum(of: state.unknowns) + state.over[index] - state.under[index]
        }
    }

    private func dualResiduals(_ state: State) -> [Double] { scattered { -state.price[$0] } }

    private func weights(_ state: State) -> [Double] {
        rows.indices.map { index in
            let (over, under) = slackPerPrice(state, index)
            return 1 / (over + under)
        }
    }

    private func slackPerPrice(_ state: State, _ index: Int) -> (over: Double, under: Double) {
        let row = rows[index]
        return (
            row.above.isFinite ? state.over[index] / (row.above - state.price[index]) : 0,
            row.below.isFinite ? state.under[index] / (row.below + state.price[index]) : 0
        )
    }

    private func move(
        _ state: State, _ weights: [Double], _ system: BandedSystem, _ missing: [Double], _ unbalanced: [Double],
        centre: Double, bent: Move?
    ) -> Move {
        var (overs, unders, goals) = ([Double](), [Double](), missing)
        for (index, row) in rows.enumerated() {
            let price = state.price[index]
            let over = (centre + (bent.map { $0.over[index] * $0.price[index] } ?? 0)) / (row.above - price)
            let under = (centre - (bent.map { $0.under[index] * $0.price[index] } ?? 0)) / (row.below + price)
            overs.append(row.above.isFinite ? over - state.over[index] : 0)
            unders.append(row.below.isFinite ? under - state.under[index] : 0)
            goals[index] += overs[index] - unders[index]
        }
        let right = scattered { weights[$0] * goals[$0] }
        let steps = system.solved(zip(unbalanced, right).map { $0 + $1 })
        var move = Move(unknowns: steps, over: [], under: [], price: [])
        for (index, row) in rows.enumerated() {
            let change = weights[index] * (row.sum(of: steps) - goals[index])
            let (over, under) = slackPerPrice(state, index)
            move.price.append(change)
            move.over.append(row.above.isFinite ? overs[index] + over * change : 0)
            move.under.append(row.below.isFinite ? unders[index] - under * change : 0)
        }
        limit(&move, state)
        return move
    }

    /// No slack and no distance of a price from its limits may fall to zero.
    private func limit(_ move: inout Move, _ state: State) {
        func allowed(_ value: Double, _ change: Double, _ step: inout Double) {
            if change < 0 { step = min(step, -Self.stepShare * value / change) }
        }
        for (index, row) in rows.enumerated() {
            if row.above.isFinite {
                allowed(state.over[index], move.over[index], &move.primalStep)
                allowed(row.above - state.price[index], -move.price[index], &move.dualStep)
            }
            if row.below.isFinite {
                allowed(state.under[index], move.under[index], &move.primalStep)
                allowed(row.below + state.price[index], move.price[index], &move.dualStep)
            }
        }
    }

    private func advanced(_ state: State, _ move: Move) -> State {
        func sum(_ values: [Double], _ changes: [Double], _ step: Double) -> [Double] {
            zip(values, changes).map { $0 + step * $1 }
        }
        return State(
            unknowns: sum(state.unknowns, move.unknowns, move.primalStep),
            over: sum(state.over, move.over, move.primalStep), under: sum(state.under, move.under, move.primalStep),
            price: sum(state.price, move.price, move.dualStep))
    }

    // MARK: Rows and columns

    /// For every unknown the sum over all rows of its weight times the row's value.
    private func scattered(_ value: (Int) -> Double) -> [Double] {
        var sums = [Double](repeating: 0, count: unknowns + 3)
        for (index, row) in rows.enumerated() {
            let value = value(index)
            for place in 0..<4 { sums[row.first + place] += row.weights[place] * value }
        }
        return Array(sums.prefix(unknowns))
    }

    /// The lower half of the rows' normal matrix: for every unknown its product with itself and with the three before.
    private func normal(_ weights: [Double]) -> [SIMD4<Double>] {
        var bands = [SIMD4<Double>](repeating: .zero, count: unknowns + 3)
        for (row, weight) in zip(rows, weights) {
            for place in 0..<4 where row.weights[place] != 0 {
                for back in 0...place {
                    bands[row.first + place][back] += weight * row.weights[place] * row.weights[place - back]
                }
            }
        }
        return Array(bands.prefix(unknowns))
    }
}

extension HingeProgram.Row {
    fileprivate func sum(of values: [Double]) -> Double {
        var sum = 0.0
        for place in 0..<4 where weights[place] != 0 { sum += weights[place] * values[first + place] }
        return sum
    }
}

/// A symmetric positive matrix with three diagonals below its own, taken apart (LDL') once and solved for many sides.
private struct BandedSystem {
    /// Of every row, the factor towards the one, two and three rows before; the pivot comes first.
    private let rows: [SIMD4<Double>]

    /// - Parameter bands: Element `back` of row `i` is the matrix at `(i, i - back)`.
    init(_ bands: [SIMD4<Double>]) {
        var rows = bands
        for index in rows.indices {
            for back in stride(from: min(3, index), through: 1, by: -1) {
                // What the rows before both have in common is already taken out of the pivots.
                var value = bands[index][back]
                for other in stride(from: min(3, index), to: back, by: -1) {
                    let column = rows[index - other]
                    value -= rows[index][other] * column[0] * rows[index - back][other - back]
                }
                rows[index][back] = value / rows[index - back][0]
            }
            var pivot = bands[index][0]
            for back in 1..<4 where back <= index {
                pivot -= rows[index][back] * rows[index][back] * rows[index - back][0]
            }
            // Rounding may leave next to nothing, or less, of a pivot whose rows have all but lost their weight.
            rows[index][0] = max(pivot, bands[index][0] * 1e-14, .leastNormalMagnitude)
        }
        self.rows = rows
    }

    func solved(_ right: [Double]) -> [Double] {
        var values = right
        for index in values.indices {
            for back in 1..<4 where back <= index { values[index] -= rows[index][back] * values[index - back] }
        }
        for index in values.indices { values[index] /= rows[index][0] }
        for index in values.indices.reversed() {
            for back in 1..<4 where back <= index { values[index - back] -= rows[index][back] * values[index] }
        }
        return values
    }
}
