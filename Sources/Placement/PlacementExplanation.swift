/// Why a key is where it is, with every number that decided it: for `tijera cluster ring explain KEY`.
package struct PlacementExplanation: Hashable, Sendable, Codable {
    package let key: String
    package let kind: String
    package let home: String?
    /// SipHash of the key under the cluster's salt, in hexadecimal.
    package let hash: String
    package let algorithm: String
    /// Equal on two nodes that agree about all owners, in hexadecimal.
    package let digest: String
    package let owner: String?
    /// In words.
    package let reason: String
    /// The owner and its copies in other zones, for `replicas`.
    package let replicas: [String]
    /// The regions in the order in which they are asked; empty for a key without a home.
    package let regions: [Region]
    /// Every member: those who can hold the key in the order of their rank, then the others by name.
    package let candidates: [Candidate]

    package struct Region: Hashable, Sendable, Codable {
        package let name: String
        /// Members that hold keys.
        package let holders: Int
        package let isChosen: Bool
        package let reason: String
    }

    package struct Candidate: Hashable, Sendable, Codable {
        package let member: String
        package let region: String
        package let zone: String
        package let weight: Int
        package let standing: String
        /// From 1, the owner. Nil: cannot hold the key.
        package let rank: Int?
        /// What the member drew for this key: its hash on the way to the logarithm, in hexadecimal.
        package let draw: String?
        /// -log2 of the draw: how far down the unit interval it is.
        package let depth: Double?
        /// weight / depth. The greatest of the region owns the key.
        package let score: Double?
        package let reason: String
    }
}
