import Foundation
import Yams

/// Checks a configuration file key by key, and names the line of everything it refuses.
package enum ConfigurationFile {
    /// Longest configuration file that is read, in bytes.
    package static let bytesMax = 1 << 20

    /// The text of the file, or why it cannot be read.
    static func text(at path: String) throws(ConfigurationError) -> String {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw ConfigurationError(["\(path): cannot be read (\(error.localizedDescription))"])
        }
        guard bytes.count <= bytesMax else { throw ConfigurationError(["\(path): is larger than \(bytesMax) bytes"]) }
        guard let text = String(data: bytes, encoding: .utf8) else {
            throw ConfigurationError(["\(path): is not UTF-8"])
        }
        return text
    }

    /// Every problem of a file with this text: bad YAML, unknown or repeated keys, values of the wrong kind.
    package static func problems(in text: String, path: String) -> [String] {
        let root: Yams.Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            return ["\(path): is not YAML: \(error)"]
        }
        guard let root else { return [] }
        guard let sections = root.mapping else { return ["\(path):1: must be a mapping of sections"] }
        var problems: [String] = []
        for (sectionKey, section) in sections {
            let name = sectionKey.string ?? "?"
            guard Setting.all.contains(where: { $0.key.hasPrefix(name + ".") }) else {
                problems.append(place(path, sectionKey) + "unknown section \"\(name)\"" + suggestion(for: name))
                continue
            }
            guard let entries = section.mapping else {
                problems.append(place(path, sectionKey) + "\"\(name)\" must hold keys, each on a line of its own")
                continue
            }
            problems += self.problems(of: entries, under: name, path)
        }
        return problems
    }

    private static func problems(of entries: Yams.Node.Mapping, under name: String, _ path: String) -> [String] {
        var problems: [String] = []
        for (entryKey, value) in entries {
            let key = "\(name).\(entryKey.string ?? "?")"
            if let inner = value.mapping, Setting.all.contains(where: { $0.key.hasPrefix(key + ".") }) {
                problems += self.problems(of: inner, under: key, path)
            } else if let problem = problem(key, value) {
                problems.append(place(path, entryKey) + problem)
            }
        }
        return problems
    }

    /// The single values of the file by key, unchecked.
    static func entries(in text: String) -> [(key: String, text: String)] {
        guard let sections = try? Yams.compose(yaml: text)?.mapping else { return [] }
        return entries(of: sections, under: "")
    }

    private static func entries(of mapping: Yams.Node.Mapping, under prefix: String) -> [(key: String, text: String)] {
        mapping.flatMap { entry, value in
            guard let name = entry.string else { return [(key: String, text: String)]() }
            if let inner = value.mapping { return entries(of: inner, under: prefix + name + ".") }
            // A single value outside of any section belongs to nothing.
            guard let text = value.scalar?.string, !prefix.isEmpty else { return [] }
            return [(key: prefix + name, text: text)]
        }
    }

    private static func problem(_ key: String, _ value: Yams.Node) -> String? {
        guard let setting = Setting.named(key) else { return "unknown key \"\(key)\"" + suggestion(for: key) }
        guard let scalar = value.scalar else { return "\"\(key)\" must be a single value" }
        return setting.problem(with: scalar.string).map { "\"\(key)\" \($0), is \"\(scalar.string.prefix(80))\"" }
    }

    private static func place(_ path: String, _ node: Yams.Node) -> String {
        node.mark.map { "\(path):\($0.line): " } ?? "\(path): "
    }

    /// The known name that is closest, when it is close enough to be a typing error.
    private static func suggestion(for name: String) -> String {
        let known = Setting.all.map(\.key) + Set(Setting.all.map { String($0.key.prefix { $0 != "." }) }).sorted()
        let nearest = known.map { (name: $0, distance: distance($0.lowercased(), name.lowercased())) }
            .min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= 3 else { return "; `tijera config print` shows every key" }
        return "; did you mean \"\(nearest.name)\"?"
    }

    /// Levenshtein distance.
    private static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var row = Array(0...right.count)
        for (i, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in right.indices {
                let replaced = diagonal + (character == right[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
