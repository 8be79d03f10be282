/// Reads the text format of Prometheus, version 0.0.4, and complains about everything that `promtool check metrics`
/// would:
/// first what its parser refuses, then what its linter finds.
struct PrometheusParser {
    struct Sample: Hashable {
        let name: String
        /// In the order they were written.
        let labels: [String: String]
        let value: Double
    }

    struct Family {
        var type = "untyped"
        var help: String?
        var samples: [Sample] = []
    }

    struct Mistake: Error, CustomStringConvertible {
        let line: Int
        let what: String
        var description: String { "line \(line): \(what)" }
    }

    private(set) var families: [String: Family] = [:]
    private var finished: Set<String> = []
    private var current: String?
    private var line = 0
    private var seen: Set<String> = []

    init(_ text: String) throws {
        if text.isEmpty { return }
        guard text.utf8.last == UInt8(ascii: "\n") else { throw Mistake(line: 0, what: "no newline at the end") }
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            self.line += 1
            try read(String(line))
        }
        for (name, family) in families { try checkHistogram(name, family) }
    }

    private func mistake(_ what: String) -> Mistake { Mistake(line: line, what: what) }

    private mutating func read(_ line: String) throws {
        if line.isEmpty { return }
        if line.hasPrefix("#") {
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
            guard words.count >= 3, words[0] == "#" else { return }
            if words[1] == "HELP" { return try help(words[2], words.count > 3 ? words[3] : "") }
            if words[1] == "TYPE" { return try type(words[2], words.count > 3 ? words[3] : "") }
            return
        }
        try sample(line)
    }

    // MARK: Comments

    private mutating func enter(_ name: String) throws {
        if name == current { return }
        if let current { finished.insert(current) }
        guard !finished.contains(name) else { throw mistake("the lines of \(name) are not together") }
        current = name
    }

    private mutating func help(_ name: String, _ text: String) throws {
        guard isMetricName(name) else { throw mistake("\(name) is no name") }
        try enter(name)
        guard families[name]?.help == nil else { throw mistake("a second HELP of \(name)") }
        families[name, default: Family()].help = try unescaped(text, quotes: false)
    }

    private mutating func type(_ name: String, _ type: String) throws {
        guard isMetricName(name) else { throw mistake("\(name) is no name") }
        try enter(name)
        let family = families[name, default: Family()]
        guard family.type == "untyped" else { throw mistake("a second TYPE of \(name)") }
        guard family.samples.isEmpty else { throw mistake("the TYPE of \(name) comes after its samples") }
        guard ["counter", "gauge", "histogram", "summary", "untyped"].contains(type) else {
            throw mistake("\(type) is no type")
        }
        families[name, default: Family()].type = type
    }

    // MARK: Samples

    private mutating func sample(_ line: String) throws {
        var rest = line[...]
        let name = String(rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") })
        guard isMetricName(name) else { throw mistake("\(name) is no name") }
        rest = rest.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest = rest.dropFirst()
            while rest.first != "}" {
                let label = String(rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
                guard !label.isEmpty, label.first?.isNumber == false else { throw mistake("\(rest) is no label") }
                rest = rest.dropFirst(label.count)
                guard rest.hasPrefix("=\"") else { throw mistake("no value of \(label)") }
                rest = rest.dropFirst(2)
                var raw = ""
                while let next = rest.first, next != "\"" {
                    let taken = next == "\\" ? rest.prefix(2) : rest.prefix(1)
                    raw += taken
                    rest = rest.dropFirst(taken.count)
                }
                guard rest.first == "\"" else { throw mistake("the value of \(label) has no end") }
                rest = rest.dropFirst()
                guard labels.updateValue(try unescaped(raw, quotes: true), forKey: label) == nil else {
                    throw mistake("\(label) twice")
                }
                if rest.first == "," { rest = rest.dropFirst() } else if rest.first != "}" { throw mistake("\(rest)") }
            }
            rest = rest.dropFirst()
        }
        let words = rest.split(separator: " ")
        guard rest.first == " ", (1...2).contains(words.count), let value = number(words[0]) else {
            throw mistake("\(rest) is no value")
        }
        if words.count == 2, Int64(words[1]) == nil { throw mistake("\(words[1]) is no time") }
        let family = families.keys.contains(name) ? name : owner(of: name)
        try enter(family)
        let key = name + labels.sorted { $0.key < $1.key }.map { "\u{1}\($0.key)\u{2}\($0.value)" }.joined()
        guard seen.insert(key).inserted else { throw mistake("\(name)\(labels) was there before") }
        families[family, default: Family()].samples.append(Sample(name: name, labels: labels, value: value))
    }

    /// `x_bucket`, `x_sum` and `x_count` belong to a histogram or summary `x`.
    private func owner(of name: String) -> String {
        for ending in ["_bucket", "_sum", "_count"] where name.hasSuffix(ending) {
            let stem = String(name.dropLast(ending.count))
            if let type = families[stem]?.type, type == "histogram" || type == "summary" && ending != "_bucket" {
                return stem
            }
        }
        return name
    }

    private func number(_ text: Substring) -> Double? {
        switch text {
        case "+Inf", "Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: text.contains { $0.isLetter && $0 != "e" && $0 != "E" } ? nil : Double(text)
        }
    }

    private func unescaped(_ text: String, quotes: Bool) throws -> String {
        var (out, isEscaped) = ("", false)
        for character in text {
            if isEscaped {
                switch character {
                case "\\": out += "\\"
                case "n": out += "\n"
                case "\"" where quotes: out += "\""
                default: throw mistake("\\\(character) means nothing")
                }
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                out.append(character)
            }
        }
        if isEscaped { throw mistake("a \\ at the end") }
        return out
    }

    private func isMetricName(_ name: String) -> Bool {
        guard let first = name.first, !first.isNumber else { return false }
        return name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }
    }

    // MARK: Histograms

    private func checkHistogram(_ name: String, _ family: Family) throws {
        guard family.type == "histogram" else { return }
        var groups: [[String: String]: [Sample]] = [:]
        for sample in family.samples {
            var labels = sample.labels
            labels["le"] = nil
            groups[labels, default: []].append(sample)
        }
        for (labels, samples) in groups {
            let buckets = samples.filter { $0.name == name + "_bucket" }
            let bounds = try buckets.map { bucket in
                guard let le = bucket.labels["le"], let bound = number(le[...]) else {
                    throw mistake("a bucket of \(name) without le")
                }
                return bound
            }
            let counts = buckets.map(\.value)
            guard bounds == bounds.sorted(), Set(bounds).count == bounds.count, bounds.last == .infinity else {
                throw mistake("buckets of \(name)\(labels) do not rise to +Inf: \(bounds)")
            }
            guard counts == counts.sorted() else { throw mistake("counts of \(name)\(labels) fall: \(counts)") }
            guard let count = samples.first(where: { $0.name == name + "_count" })?.value, count == counts.last,
                samples.contains(where: { $0.name == name + "_sum" })
            else { throw mistake("\(name)\(labels) has no sum, or a count that is not its last bucket's") }
        }
    }
}

/// What promtool's linter says.
extension PrometheusParser {
    private static let units: [String: String] = [
        "amperes": "amperes", "bytes": "bytes", "celsius": "celsius", "grams": "grams", "joules": "joules",
        "kelvin": "kelvin", "meters": "meters", "metres": "metres", "seconds": "seconds", "volts": "volts",
        "minutes": "seconds", "hours": "seconds", "days": "seconds", "weeks": "seconds", "bits": "bytes",
        "fahrenheit": "celsius", "inches": "meters", "miles": "meters", "pounds": "grams", "calories": "joules",
    ]
    private static let prefixes = [
        "pico", "nano", "micro", "milli", "centi", "deci", "kilo", "kibi", "mega", "giga", "gibi", "tera", "tebi",
        "peta",
    ]
    private static let abbreviations = ["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"]

    var lint: [String] {
        families.sorted { $0.key < $1.key }.flatMap { name, family -> [String] in
            var found: [String] = []
            let words = name.split(separator: "_").map(String.init)
            if family.help?.isEmpty ?? true { found.append("no help text") }
            if family.type == "untyped" { found.append("no type") }
            if name.contains(":") { found.append("metric names should not contain ':'") }
            if name.contains(where: \.isUppercase) { found.append("snake_case") }
            if (family.type == "counter") != name.hasSuffix("_total") { found.append("_total is for counters") }
            if family.type != "histogram", name.hasSuffix("_bucket") { found.append("_bucket is for histograms") }
            if !["histogram", "summary"].contains(family.type), name.hasSuffix("_count") || name.hasSuffix("_sum") {
                found.append("_count and _sum are for histograms and summaries")
            }
            for type in ["counter", "gauge", "summary", "histogram"] where words.dropFirst().contains(type) {
                found.append("metric name should not include type '\(type)'")
            }
            for word in words.dropFirst() where Self.abbreviations.contains(word) { found.append("abbreviated unit") }
            for word in words {
                let stems =
                    [word] + Self.prefixes.filter { word.hasPrefix($0) }.map { String(word.dropFirst($0.count)) }
                if let base = stems.compactMap({ Self.units[$0] }).first, base != word { found.append("use \(base)") }
            }
            for sample in family.samples {
                if family.type != "histogram", sample.labels["le"] != nil { found.append("le is for histograms") }
                if sample.labels["quantile"] != nil { found.append("quantile is for summaries") }
                if sample.labels.keys.contains(where: { $0.contains(where: \.isUppercase) }) {
                    found.append("snake_case")
                }
            }
            return found.map { "\(name): \($0)" }
        }
    }
}
