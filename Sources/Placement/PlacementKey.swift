/// What is placed: something of a kind, under a name.
package struct PlacementKey: Hashable, Sendable {
    /// Keeps equal names of different things apart, as `job-coordinator` and `rate-limiter`.
    package let kind: String
    package let name: String
    /// The region whose members are asked first. Nil: all members of the cluster are one pool, for keys that need one
    /// owner wherever they are asked from (a client's rate limit).
    package let home: String?

    package init(_ name: String, kind: String = "", home: String? = nil) {
        self.kind = kind
        self.name = name
        self.home = home
    }

    /// `kind/name`, or the name alone.
    package var text: String { kind.isEmpty ? name : kind + "/" + name }
}
