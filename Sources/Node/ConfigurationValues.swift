/// The checked text of every setting, and where it came from: flags over the environment over the file over the
/// defaults.
package struct ConfigurationValues: Sendable {
    package enum Origin: String, Sendable {
        case flag, environment, file
        case builtIn = "default"
    }

    package struct Value: Sendable {
        package let text: String
        package let origin: Origin
    }

    private var values: [String: Value] = [:]

    /// Reads the file at `path`, variables named `TIJERA_...`, and `overrides` of the form `key=value`.
    ///
    /// Throws a `ConfigurationError` with every problem found.
    package init(path: String?, environment: [String: String], overrides: [String]) throws(ConfigurationError) {
        var problems: [String] = []
        for setting in Setting.all {
            if let fallback = setting.fallback { values[setting.key] = Value(text: fallback, origin: .builtIn) }
        }
        if let path {
            let text = try ConfigurationFile.text(at: path)
            problems += ConfigurationFile.problems(in: text, path: path)
            for (key, text) in ConfigurationFile.entries(in: text) { values[key] = Value(text: text, origin: .file) }
        }
        for setting in Setting.all {
            guard let text = environment[setting.environmentName] else { continue }
            values[setting.key] = Value(text: text, origin: .environment)
            if let problem = setting.problem(with: text) { problems.append("\(setting.environmentName) \(problem)") }
        }
        let names = Set(Setting.all.map(\.environmentName))
        for name in environment.keys.sorted() where name.hasPrefix("TIJERA_") && !names.contains(name) {
            // Not ours to refuse: TIJERA_CACHE and the tests' variables belong to the scripts. A typing error in the
            // name of a setting still shows, because a setting's section is part of it.
            let section = name.dropFirst("TIJERA_".count).prefix { $0 != "_" }.lowercased()
            if Setting.all.contains(where: { $0.key.hasPrefix(section + ".") }) {
                problems.append("\(name) is not a setting; `tijera config print` shows every key")
            }
        }
        for override in overrides {
            guard let equals = override.firstIndex(of: "="), let setting = Setting.named(String(override[..<equals]))
            else {
                problems.append("--set \(override): must be KEY=VALUE with a key that `tijera config print` shows")
                continue
            }
            let text = String(override[override.index(after: equals)...])
            values[setting.key] = Value(text: text, origin: .flag)
            if let problem = setting.problem(with: text) { problems.append("--set \(setting.key) \(problem)") }
        }
        for setting in Setting.all
        where values[setting.key] == nil || (setting.fallback == nil && text(setting.key).isEmpty) {
            problems.append("\(setting.key) must be set: \(setting.meaning)")
        }
        if !problems.isEmpty { throw ConfigurationError(problems) }
    }

    package subscript(key: String) -> Value? { values[key] }

    /// The text of a setting. Naming one that does not exist is a mistake of the program.
    func text(_ key: String) -> String {
        precondition(Setting.named(key) != nil, "there is no setting \(key)")
        return values[key]?.text ?? ""
    }

    func integer(_ key: String) -> Int {
        guard let number = Int(text(key)) else { preconditionFailure("\(key) was not checked to be a number") }
        return number
    }

    /// Every setting as YAML, with its meaning, unit and origin; secrets are hidden.
    package func rendered() -> String {
        var lines: [String] = []
        var section = ""
        for setting in Setting.all {
            let parts = setting.key.split(separator: ".", maxSplits: 1)
            if parts[0] != section {
                section = String(parts[0])
                lines.append("\(section):")
            }
            let value = values[setting.key] ?? Value(text: "", origin: .builtIn)
            let shown = setting.kind == .secret ? "(hidden)" : value.text
            let unit = setting.unit.isEmpty ? "" : " [\(setting.unit)]"
            lines.append("  # \(setting.meaning)\(unit) From: \(value.origin.rawValue); \(setting.environmentName).")
            if case .integer = setting.kind {
                lines.append("  \(parts[1]): \(shown)")
            } else {
                lines.append("  \(parts[1]): \"\(shown)\"")
            }
        }
        return lines.joined(separator: "\n")
    }
}
