/// What metrics and labels may be called: the rules of Prometheus, what `promtool check metrics` complains about, and
/// ours (a noun and a unit; no label that tells one job, user or request from another).
package enum MetricNames {
    /// Bytes of a name; 100.
    package static let nameBytesMax = 100
    /// Bytes of a label's value; 64.
    package static let labelBytesMax = 64

    /// What the scraper or the format keeps for itself.
    private static let reservedLabels = ["le", "quantile", "job", "instance"]
    /// What tells one thing from another: as many series as things.
    private static let identityLabels = ["id", "uuid", "token", "user", "email", "key", "url", "path"]
    private static let reservedEndings = ["bucket", "count", "sum", "created", "info"]
    private static let types = ["counter", "gauge", "histogram", "summary", "untyped"]
    private static let abbreviations: Set = [
        "s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d",
    ]
    private static let otherUnits: Set = [
        "minutes", "hours", "days", "weeks", "kelvins", "fahrenheit", "rankine", "inches", "yards", "miles", "bits",
        "calories", "pounds", "ounces", "percent",
    ]
    private static let prefixes = [
        "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega", "mibi", "mebi",
        "giga", "gibi", "tera", "tebi", "peta", "pebi",
    ]
    private static let baseUnits: Set = [
        "amperes", "bytes", "celsius", "grams", "joules", "kelvin", "meters", "metres", "seconds", "volts", "ratio",
    ]

    // MARK: Letters

    /// `a-z`, then `a-z`, `0-9` and single underscores, none at the end.
    package static func isName(_ text: String) -> Bool {
        guard (1...nameBytesMax).contains(text.utf8.count), !text.contains("__"), text.utf8.last != UInt8(ascii: "_"),
            let first = text.utf8.first, isLetter(first)
        else { return false }
        return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    static func isShort(_ value: String) -> Bool { value.utf8.count <= labelBytesMax }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    // MARK: Metrics

    /// What is wrong with a name; nothing is good.
    package static func problems(_ name: String, _ kind: MetricKind, _ unit: MetricUnit) -> [String] {
        guard isName(name) else { return ["a name is a to z, 0 to 9 and single underscores, at most \(nameBytesMax)"] }
        var words = name.split(separator: "_").map(String.init)
        var problems: [String] = []
        if (words.last == "total") != (kind == .counter) { problems.append("counters, and only they, end in _total") }
        if words.last == "total" { words.removeLast() }
        if let last = words.last, reservedEndings.contains(last) { problems.append("_\(last) is kept for the format") }
        if let type = words.first(where: types.contains) { problems.append("\(type) is a type, which the format says") }
        if words.contains(where: abbreviations.contains) { problems.append("units are written out") }
        for word in words where isForeignUnit(word) { problems.append("\(word) is not a base unit") }
        if unit == .count {
            if let last = words.last, baseUnits.contains(last) {
                problems.append("it ends in a unit and counts things")
            }
            if words.isEmpty || words.count == 1 && kind != .counter { problems.append("a name says of what and what") }
        } else if words.last != unit.rawValue || words.count < 2 {
            problems.append("a name ends in its unit, _\(unit.rawValue)")
        }
        return problems
    }

    private static func isForeignUnit(_ word: String) -> Bool {
        if otherUnits.contains(word) { return true }
        return prefixes.contains { prefix in
            guard word.hasPrefix(prefix) else { return false }
            let rest = String(word.dropFirst(prefix.count))
            return baseUnits.contains(rest) || otherUnits.contains(rest)
        }
    }

    // MARK: Labels

    /// What is wrong with a label's name; nil is good.
    package static func problem(label name: String) -> String? {
        if !isName(name) { return "\(name): a label is a to z, 0 to 9 and single underscores" }
        if reservedLabels.contains(name) { return "\(name) is kept for the format" }
        let last = name.split(separator: "_").last.map(String.init) ?? name
        if identityLabels.contains(last) { return "\(name) has as many values as there are things" }
        return nil
    }

    /// Whether a value may be a label's. What looks like the name of one thing is none, wherever it came from: it would
    /// make a series for every thing.
    package static func isLabelValue(_ value: String) -> Bool {
        guard (1...labelBytesMax).contains(value.utf8.count), value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
        else { return false }
        return !isIdentity(value)
    }

    /// Six digits in a row (counters, dates), 16 hexadecimal digits (digests, UUIDs), or 20 letters and digits mixed
    /// (ULIDs, tokens).
    private static func isIdentity(_ value: String) -> Bool {
        var (digitsInRow, hexadecimals, mixed, digits) = (0, 0, 0, 0)
        for byte in value.utf8 {
            let isDigit = isDigit(byte)
            let letter = byte | 0x20
            digitsInRow = isDigit ? digitsInRow + 1 : 0
            if isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(letter) {
                hexadecimals += 1
            } else if byte != UInt8(ascii: "-") {
                hexadecimals = 0
            }
            mixed = isDigit || isLetter(letter) ? mixed + 1 : 0
            if mixed == 0 { digits = 0 } else if isDigit { digits += 1 }
            if digitsInRow >= 6 || hexadecimals >= 16 || mixed >= 20 && digits >= 3 { return true }
        }
        return false
    }
}
