import Foundation
import Testing

/// `configs/alerts.yml`: every alert asks for metrics that exist, and leads to words that say what to do.
@Suite struct AlertTests {
    private struct Alert: CustomTestStringConvertible {
        var name = "", expression = "", severity = "", summary = "", runbook = ""
        var testDescription: String { name }
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: House.root.appending(path: path), encoding: .utf8)
    }

    /// Line by line: the file has one value a line, and the tests no reader of YAML.
    private static func alerts() throws -> [Alert] {
        var alerts: [Alert] = []
        for line in try text("configs/alerts.yml").split(separator: "\n") {
            guard let match = line.wholeMatch(of: /\s+(?:- )?([a-z]+): (.+)/) else { continue }
            let value = String(match.2)
            if match.1 == "alert" { alerts.append(Alert(name: value)) }
            guard let last = alerts.indices.last else { continue }
            switch match.1 {
            case "expr": alerts[last].expression = value
            case "labels": alerts[last].severity = value
            case "summary": alerts[last].summary = value
            case "runbook": alerts[last].runbook = value
            default: break
            }
        }
        try #require(alerts.count > 10, "the test does not find the alerts")
        return alerts
    }

    /// What is left of an expression without labels, spans of time, numbers and the language's own words.
    private static func metrics(_ expression: String) -> Set<String> {
        let words: Set = [
            "and", "by", "count", "deriv", "histogram_quantile", "increase", "max", "or", "rate", "sum", "unless",
        ]
        let bare = expression.replacing(/\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)/, with: " ")
        return Set(bare.matches(of: /[a-z_][a-z0-9_]*/).map { String($0.0) }).subtracting(words)
    }

    @Test func `every metric of an alert is one that is described, or Prometheus' own`() throws {
        let page = try Self.text("docs/metrics.md")
        for alert in try Self.alerts() {
            let names = Self.metrics(alert.expression)
            #expect(!names.isEmpty, "\(alert.name): \(alert.expression)")
            for name in names where name != "up" {
                let whole = name.replacing(/_bucket$/, with: "")
                #expect(
                    page.contains("`\(whole)`") || page.contains("`\(whole){"),
                    "\(alert.name): \(whole) is not in docs/metrics.md")
            }
        }
    }

    @Test func `the names of metrics are found in an expression`() {
        let text = #"sum by (le) (rate(a_b_total{x=~"c|d"}[5m])) / count(e_bucket) > 2 and deriv(max(f)[30m:1m]) > 0"#
        #expect(Self.metrics(text) == ["a_b_total", "e_bucket", "f"])
    }

    @Test func `every alert has a weight, a sentence, and a runbook that is there`() throws {
        let alerts = try Self.alerts()
        #expect(Set(alerts.map(\.name)).count == alerts.count)
        for alert in alerts {
            #expect(["{severity: page}", "{severity: ticket}"].contains(alert.severity), "\(alert)")
            #expect(alert.summary.hasSuffix(".\""), "\(alert)")
            let parts = alert.runbook.split(separator: "#")
            try #require(parts.count == 2, "\(alert)")
            let headings = try Self.text(String(parts[0])).split(separator: "\n").filter { $0.hasPrefix("#") }
            let anchors = headings.map {
                $0.drop { $0 == "#" || $0 == " " }.lowercased().replacing(" ", with: "-")
            }
            #expect(anchors.contains(String(parts[1])), "\(alert.name): there is no \(alert.runbook)")
        }
    }
}
