import ClipModel
import Foundation
import HTTPGateway
import Placement

/// What the operator's commands print.
enum ClusterText {
    /// One line, keys sorted, so that equal answers are equal lines.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func status(_ report: ClusterReport) -> String {
        var table = TextTable([
            "NODE", "STATE", "WANTED", "REGION", "ZONE", "VERSION", "STAGES", "THREADS", "KEYS", "RTT", "CERTIFICATE",
            "EPOCH", "HTTP",
        ])
        for node in report.nodes {
            table.add([
                node.id + (node.isLocal ? " *" : ""), node.state.rawValue,
                node.schedulability.rawValue + (node.obeys == false ? " (ordered)" : ""), node.region, node.zone ?? "-",
                node.version, node.load.map { "\($0.stages)" } ?? "-", node.load.map { "\($0.threads)" } ?? "-",
                node.keyShare.map { percent($0) } ?? "-", node.roundTripMilliseconds.map { milliseconds($0) } ?? "-",
                node.certificateExpiresAt.map { remaining(until: $0, from: report.at) } ?? "-",
                node.epoch.map { "\($0)" } ?? "-", node.http,
            ])
        }
        let age = report.database.ageSeconds.map { $0 < 1 ? "" : ", \(Terminal.duration($0)) old" } ?? ""
        return """
            cluster \(report.cluster) as \(report.node) sees it: view \(report.view.number), \
            \(report.view.members) members, digest \(report.view.digest)
            database \(report.database.state.rawValue)\(age)

            \(table.rendered)

            \(health(report.health))
            """
    }

    static func health(_ health: ClusterHealth) -> String {
        let reasons = health.reasons.map { "  \($0.code): \($0.text)" }
        let notes = health.notes.map { "  note: \($0.text)" }
        return ([health.isHealthy ? "healthy" : "unhealthy"] + reasons + notes).joined(separator: "\n")
    }

    static func order(_ answer: SchedulabilityAnswer) -> String {
        let stages = answer.stages == 0 ? "" : "; it still runs \(answer.stages) stages"
        let life = answer.isAlive ? "" : "; it does not live and will obey when it starts"
        return "\(answer.node) is \(answer.schedulability.rawValue)\(stages)\(life)"
    }

    static func plan(_ plan: DecommissionPlan) -> String {
        var lines = [plan.isSafe ? "\(plan.node) can go" : "\(plan.node) should stay"]
        lines += plan.objections.map { "  objection: \($0.text)" }
        lines += plan.consequences.map { "  \($0.text)" }
        lines.append("  Stages that end there first or are handed back: \(plan.stages)")
        return lines.joined(separator: "\n") + "\n\n" + difference(plan.keys)
    }

    static func difference(_ difference: PlacementDifference) -> String {
        var lines: [String] = []
        for home in difference.homes where home.movedShare > 1e-9 {
            lines.append("\(title(home.home)): \(percent(home.movedShare)) of the keys move")
            var table = TextTable(["  FROM", "TO", "SHARE"])
            for move in home.moves { table.add(["  " + move.from, move.to, percent(move.share)]) }
            if !home.moves.isEmpty { lines.append(table.rendered) }
        }
        return lines.isEmpty ? "no key moves" : lines.joined(separator: "\n")
    }

    static func explanation(_ explanation: PlacementExplanation) -> String {
        let kind = explanation.kind.isEmpty ? "" : explanation.kind + "/"
        var lines = [
            explanation.reason,
            "key \(kind)\(explanation.key), hash \(explanation.hash), "
                + "\(title(explanation.home)), \(explanation.algorithm), digest \(explanation.digest)",
        ]
        if !explanation.replicas.isEmpty {
            lines.append("copies would stand on \(explanation.replicas.joined(separator: ", "))")
        }
        for region in explanation.regions {
            let mark = region.isChosen ? "->" : "  "
            lines.append("\(mark) region \(region.name): \(region.reason) (\(region.holders) hold keys)")
        }
        var table = TextTable(["RANK", "NODE", "REGION", "ZONE", "WEIGHT", "DRAW", "DEPTH", "SCORE", "WHY"])
        for candidate in explanation.candidates {
            table.add([
                candidate.rank.map { "\($0)" } ?? "-", candidate.member, candidate.region,
                candidate.zone.isEmpty ? "-" : candidate.zone, "\(candidate.weight)", candidate.draw ?? "-",
                candidate.depth.map { decimals($0, 6) } ?? "-", candidate.score.map { decimals($0, 4) } ?? "-",
                candidate.reason,
            ])
        }
        return lines.joined(separator: "\n") + "\n\n" + table.rendered
    }

    // MARK: Figures

    private static func title(_ home: String?) -> String { home.map { "home \($0)" } ?? "no home" }

    static func percent(_ share: Double) -> String { decimals(share * 100, 1) + " %" }

    static func milliseconds(_ value: Double) -> String { decimals(value, value < 10 ? 2 : 0) + " ms" }

    static func remaining(until end: Timestamp, from now: Timestamp) -> String {
        let seconds = Double(end.millisecondsSinceEpoch - now.millisecondsSinceEpoch) / 1000
        if seconds <= 0 { return "ended" }
        return seconds < 2 * 86_400 ? Terminal.duration(seconds) : "\(Int(seconds / 86_400)) d"
    }

    private static func decimals(_ value: Double, _ places: Int) -> String {
        String(format: "%.\(places)f", locale: nil, value)
    }
}

/// Columns as wide as their widest entry, two spaces between them.
struct TextTable {
    private var rows: [[String]]

    init(_ titles: [String]) { rows = [titles] }

    mutating func add(_ row: [String]) {
        precondition(row.count == rows[0].count, "\(row.count) entries for \(rows[0].count) columns")
        rows.append(row)
    }

    var rendered: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let padded = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}
