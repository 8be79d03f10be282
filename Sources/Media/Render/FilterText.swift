/// Writes the parts of an ffmpeg filter graph.
enum FilterText {
    /// A value, such as a path, so that it survives both readers of a graph: the one that splits it into filters and
    /// the one that splits a filter into options.
    static func escaped(_ value: String) -> String {
        escaping(escaping(value, "\\':"), "\\'[],;")
    }

    /// Plain decimals without trailing zeros, never an exponent.
    static func number(_ value: Double, places: Int = 3) -> String {
        precondition(value.isFinite && abs(value) < 1e9, "\(value) cannot stand in a filter graph")
        var unit = 1
        for _ in 0..<places { unit *= 10 }
        let scaled = Int((value * Double(unit)).rounded())
        let (whole, part) = scaled.magnitude.quotientAndRemainder(dividingBy: UInt(unit))
        let sign = scaled < 0 ? "-" : ""
        guard part > 0 else { return sign + String(whole) }
        let digits = String(part)
        var fraction = String(repeating: "0", count: places - digits.count) + digits
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(sign)\(whole).\(fraction)"
    }

    private static func escaping(_ value: String, _ special: String) -> String {
        var result = ""
        for character in value {
            if special.contains(character) { result.append("\\") }
            result.append(character)
        }
        return result
    }
}
