package import Limits

/// A limit of the door: which requests it is about, whose bucket they take from, and how many may run at once.
///
/// Written as `NAME METHOD PATH LIMIT/SECONDS`, then, in any order, `burst=N`, `per=client` (the client of a registered
/// key, else the address; the default), `per=address`, `per=key` (requests without a key are not meant), `at-once=N`,
/// and `shadow`: it counts and says so, and refuses nobody. `*` as a method is every method; in a path it is one part,
/// and at the end the rest.
package struct LimitRule: Sendable, Hashable {
    package enum Subject: String, Sendable, Hashable, CaseIterable { case client, address, key }

    package struct Malformed: Error, CustomStringConvertible {
        package let description: String
    }

    package let method: String
    package let path: [Substring]
    package let policy: LimitPolicy
    package let subject: Subject
    /// Requests of one subject that one node answers at a time; nil: as many as come.
    package let atOnceMax: Int?
    package var isShadow: Bool

    package var name: String { policy.name }

    package init(
        _ method: String, _ path: String, _ policy: LimitPolicy, per subject: Subject = .client,
        atOnceMax: Int? = nil, isShadow: Bool = false
    ) {
        self.method = method
        self.path = path.split(separator: "/")
        self.policy = policy
        self.subject = subject
        self.atOnceMax = atOnceMax
        self.isShadow = isShadow
    }

    /// Rules with semicolons or line breaks between.
    package static func list(_ text: String) throws(Malformed) -> [LimitRule] {
        var rules: [LimitRule] = []
        for item in text.split(whereSeparator: { $0 == ";" || $0.isNewline }) {
            let words = item.split(whereSeparator: \.isWhitespace)
            if !words.isEmpty { rules.append(try rule(words)) }
        }
        return rules
    }

    private static func rule(_ words: [Substring]) throws(Malformed) -> LimitRule {
        let text = words.joined(separator: " ")
        guard words.count >= 4, words[2].hasPrefix("/") else {
            throw Malformed(description: "\"\(text)\" must be NAME METHOD PATH LIMIT/SECONDS")
        }
        let rate = words[3].split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard rate.count == 2, let limit = rate[0], let seconds = rate[1] else {
            throw Malformed(description: "\"\(words[3])\" in \"\(text)\" must be LIMIT/SECONDS, as 600/60")
        }
        var (burst, subject, atOnce, isShadow) = (Int?.none, Subject.client, Int?.none, false)
        for word in words[4...] {
            let parts = word.split(separator: "=", maxSplits: 1)
            switch (parts[0], parts.count == 2 ? parts[1] : "") {
            case ("burst", let value) where Int(value) != nil: burst = Int(value)
            case ("at-once", let value) where (Int(value) ?? 0) > 0: atOnce = Int(value)
            case ("per", let value) where Subject(rawValue: String(value)) != nil:
                subject = Subject(rawValue: String(value)) ?? .client
            case ("shadow", ""): isShadow = true
            default:
                throw Malformed(
                    description:
                        "\"\(word)\" in \"\(text)\" must be burst=N, at-once=N, per=client, per=address, per=key "
                        + "or shadow")
            }
        }
        do {
            let policy = try LimitPolicy(String(words[0]), limit: limit, per: .seconds(seconds), burst: burst)
            return LimitRule(
                words[1].uppercased(), String(words[2]), policy, per: subject, atOnceMax: atOnce, isShadow: isShadow)
        } catch { throw Malformed(description: "\"\(text)\": \(error)") }
    }

    package func matches(method: String, path: String) -> Bool {
        guard self.method == "*" || self.method == method else { return false }
        let parts = path.split(separator: "/")
        for (index, wanted) in self.path.enumerated() {
            if wanted == "*", index == self.path.count - 1 { return index == 0 || index < parts.count }
            guard index < parts.count, wanted == "*" || wanted == parts[index] else { return false }
        }
        return parts.count == self.path.count
    }
}
