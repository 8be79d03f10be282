/// The policies of a node, by number. Numbers are this node's own; between nodes policies go by name.
package struct LimitPolicies: Sendable {
    /// One policy, and what is computed from it once.
    struct Entry: Sendable {
        let policy: LimitPolicy
        let rule: GCRA
        /// The kind under which placement finds owners.
        let placementKind: String
    }

    /// Policies of one node. A policy is a kind of limit, not a customer: there are few.
    package static let policiesMax = 1000

    let entries: [Entry]
    private let numbers: [String: Int]

    package init(_ policies: [LimitPolicy]) throws(LimitsError) {
        guard policies.count <= Self.policiesMax else {
            throw LimitsError(.invalidPolicy, "\(policies.count) policies are more than \(Self.policiesMax)")
        }
        var numbers: [String: Int] = [:]
        for policy in policies {
            guard numbers.updateValue(numbers.count, forKey: policy.name) == nil else {
                throw LimitsError(.invalidPolicy, "two policies are named \(policy.name)")
            }
        }
        self.numbers = numbers
        entries = policies.map { Entry(policy: $0, rule: GCRA($0), placementKind: "limit/" + $0.name) }
    }

    package func number(of name: String) -> Int? { numbers[name] }
    package var all: [LimitPolicy] { entries.map(\.policy) }

    subscript(_ number: Int) -> Entry { entries[number] }
    subscript(_ key: LimitKey) -> Entry { entries[key.policy] }
}

/// Whose bucket: a subject (a tenant, an address, a route) under a policy.
package struct LimitKey: Hashable, Sendable {
    /// A subject's length in UTF-8. Prevents a client who may choose its name from filling memory with few keys.
    package static let subjectBytesMax = 256

    /// A number in `LimitPolicies`.
    package let policy: Int
    package let subject: String

    /// Nil when the subject is empty or too long.
    package init?(policy: Int, subject: String) {
        guard (1...Self.subjectBytesMax).contains(subject.utf8.count) else { return nil }
        self.policy = policy
        self.subject = subject
    }
}
