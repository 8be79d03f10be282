extension Setting {
    /// Every key as a Markdown table.
    package static var markdown: String {
        let rows = all.map { setting in
            let fallback = setting.fallback.map { $0.isEmpty ? "" : "`\($0)`" } ?? "must be set"
            return "| `\(setting.key)` | \(setting.kindName) | \(fallback) | \(setting.unit) | \(setting.meaning) |"
        }
        return (["| key | type | default | unit | meaning |", "|---|---|---|---|---|"] + rows).joined(separator: "\n")
    }

    private var kindName: String {
        switch kind {
        case .text: "text"
        case .secret: "secret text"
        case .integer(let range): "integer, \(range.lowerBound) to \(range.upperBound)"
        case .choice(let values): values.joined(separator: " \\| ")
        }
    }
}
