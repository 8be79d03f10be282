import Foundation
import Testing

/// `configs/alerts.yml`: every alert asks for metrics that exist, and leads to words that say what to do.
@Suite struct AlertTests {
    private struct Alert: CustomTestStringConvertible {
        var name = "", expression = "", severity = "", summary = "", runbook = ""
        /// How long it must hold; nil: once is enough.
        var lasting: String?
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
            case "for": alerts[last].lasting = value
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

    private struct Declaration {
        /// `counter`, `gauge` or `histogram`; nil: declared in some other way than at its name.
        var kind: Substring?
        var labels: Set<String> = []
    }

    /// How the program declares a metric of this very name; nil: it does not.
    private static func declaration(of name: String, in sources: [House.SourceFile]) -> Declaration? {
        var found: Declaration?
        for file in sources {
            guard let literal = file.text.firstRange(of: "\"\(name)\"") else { continue }
            let call = file.text[..<literal.lowerBound].suffix(80)
            guard let kind = call.firstMatch(of: /\.(counter|gauge|histogram)\(\s*$/)?.1 else {
                found = found ?? Declaration()
                continue
            }
            // To the next declaration, should this one have no labels.
            let rest = file.text[literal.upperBound...].prefix(400)
            let own = rest.firstRange(of: /\.(counter|gauge|histogram)\(/).map { rest[..<$0.lowerBound] } ?? rest
            let labels = own.firstMatch(of: /labels: \[([^\]]*)\]/)?.1 ?? ""
            let names = labels.matches(of: /"([a-z_]+)"/).map { String($0.1) }
            return Declaration(kind: kind, labels: Set(names))
        }
        return found
    }

    @Test func `every metric of an alert is one that the program has, of its kind and with its labels`() throws {
        let sources = try House.files(under: "Sources", ending: ".swift")
        // A name that was changed is not found by what it has in common with the new one.
        for stranger in ["http_requests", "http_requests_total_", "http_request_total"] {
            #expect(Self.declaration(of: stranger, in: sources) == nil, "\(stranger)")
        }
        let known = try #require(Self.declaration(of: "http_requests_total", in: sources))
        #expect(known.kind == "counter" && known.labels == ["method", "route", "status"], "\(known)")
        for alert in try Self.alerts() {
            for name in Self.metrics(alert.expression) where name != "up" {
                let whole = name.replacing(/_bucket$/, with: "")
                guard let declaration = Self.declaration(of: whole, in: sources) else {
                    Issue.record("\(alert.name): nothing in Sources is called \(whole)")
                    continue
                }
                let isCounted = ["rate(", "increase("].contains { alert.expression.contains($0 + name) }
                #expect(isCounted == (name.hasSuffix("_total") || whole != name), "\(alert.name): \(name)")
                guard let kind = declaration.kind else { continue }
                #expect((kind == "histogram") == (whole != name), "\(alert.name): \(name) is a \(kind)")
                #expect((kind == "counter") == name.hasSuffix("_total"), "\(alert.name): \(name) is a \(kind)")
                let used = Self.labels(of: name, in: alert.expression)
                #expect(used.isSubset(of: declaration.labels), "\(alert.name): \(name) has no \(used)")
            }
        }
    }

    /// Those that an expression chooses series of this name by.
    private static func labels(of name: String, in expression: String) -> Set<String> {
        let selectors = expression.matches(of: /([a-z_]+)\{([^}]*)\}/).filter { $0.1 == name }
        return Set(selectors.flatMap { $0.2.matches(of: /([a-z_]+)(?:=~|!~|!=|=)"/).map { String($0.1) } })
    }

    @Test func `labels are found in an expression`() {
        let text = #"a_total{x=~"c|d",y!="z"} / b_total{w="v"}"#
        #expect(Self.labels(of: "a_total", in: text) == ["x", "y"])
        #expect(Self.labels(of: "b_total", in: text) == ["w"])
        #expect(Self.labels(of: "total", in: text) == [])
    }

    /// Brackets of all kinds, but for those in quotes.
    private static func isBalanced(_ expression: String) -> Bool {
        let closing: [Character: Character] = [")": "(", "]": "[", "}": "{"]
        var open: [Character] = [], isQuoted = false
        for character in expression {
            if character == "\"" { isQuoted.toggle() }
            if isQuoted { continue }
            if "([{".contains(character) { open.append(character) }
            if let opening = closing[character], open.popLast() != opening { return false }
        }
        return open.isEmpty && !isQuoted
    }

    @Test func `every expression is balanced, compares with something, and lasts or looks back`() throws {
        for wrong in ["sum(a", "a)", "a{b=\"c}", "rate(a[5m)]", "a{b=\"c\""] {
            #expect(!Self.isBalanced(wrong), "\(wrong)")
        }
        #expect(Self.isBalanced(#"sum by (le) (rate(a{b=")["}[5m]))"#))
        for alert in try Self.alerts() {
            #expect(Self.isBalanced(alert.expression), "\(alert)")
            #expect(alert.expression.contains(#/ (?:>|>=|<|==) [0-9a-z]/#), "\(alert) is never silent")
            if let lasting = alert.lasting {
                #expect(lasting.wholeMatch(of: /[1-9][0-9]*[smh]/) != nil, "\(alert): \(lasting)")
            } else {
                #expect(alert.expression.hasPrefix("increase("), "\(alert) has no `for`")
            }
        }
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
