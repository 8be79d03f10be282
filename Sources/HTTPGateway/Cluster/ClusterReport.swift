package import ClipModel

/// The cluster as the asked node sees it: `GET /admin/v1/cluster`, and what `tijera cluster status` prints.
package struct ClusterReport: Codable, Hashable, Sendable {
    package let cluster: String
    /// Who answers.
    package let node: String
    package let at: Timestamp
    package let view: View
    package let database: Database
    /// In the order of their names: members, and those that the database still remembers.
    package let nodes: [NodeReport]
    package let health: ClusterHealth

    package struct View: Codable, Hashable, Sendable {
        /// Counts the asked node's views since its start.
        package let number: UInt64
        /// Of the members, in hexadecimal: equal on nodes that see the same.
        package let digest: String
        package let members: Int
        /// How owners are found.
        package let algorithm: String
        /// Of the placement: equal on nodes that agree about all owners.
        package let placementDigest: String
    }

    package struct Database: Codable, Hashable, Sendable {
        package enum State: String, Codable, Sendable {
            case ok
            /// It did not answer in the time that an operator's question may take. What it said last is shown.
            case slow
            /// It answered with an error, or cannot be reached.
            case down
        }

        package let state: State
        /// How old what is shown from it is; nil when it never answered.
        package let ageSeconds: Double?
        package let detail: String?
    }
}

/// One node, from what the members say of each other, what the asked node's links show, and what the database holds.
package struct NodeReport: Codable, Hashable, Sendable {
    package enum State: String, Codable, Sendable, CaseIterable {
        /// A member: it answers.
        case alive
        /// A member that did not answer a probe. Settled within seconds.
        case suspect
        /// A member that cannot be reached, and may be alive.
        case unreachable
        /// No member of this node's view, and yet it renews its lease in the database: it is cut off from here.
        case unseen
        /// No member, and its lease ran out without a goodbye.
        case dead
        /// It said goodbye.
        case left
    }

    package let id: String
    package let state: State
    /// What the operator wants: as the database holds it, else as the node says.
    package let schedulability: NodeSchedulability
    /// Whether the node says the same. Nil: it is no member, or the database does not answer.
    package let obeys: Bool?
    /// Of the member: when this life of it began, in milliseconds since 1970.
    package let epoch: UInt64?
    package let region: String
    package let zone: String?
    package let version: String
    package let http: String
    package let peer: String?
    /// Weight in placement.
    package let capacity: Int?
    package let isLocal: Bool
    /// The part of its own region's keys that it owns, 0 to 1.
    package let keyShare: Double?
    package let load: Load?
    /// How it is by its own account; nil: it is gone, or the database does not answer.
    package let condition: NodeCondition?
    /// Whether its lease in the database is held. Nil: the database does not know it or does not answer.
    package let holdsLease: Bool?
    package let seenAt: Timestamp?
    package let startedAt: Timestamp?
    /// The rest is from the asked node's links to it.
    package let isConnected: Bool?
    package let roundTripMilliseconds: Double?
    package let certificateExpiresAt: Timestamp?
    /// Whether it agrees with the asked node about all owners, as of its last word.
    package let agrees: Bool?

    package struct Load: Codable, Hashable, Sendable {
        /// Stages that run there.
        package let stages: Int
        package let jobs: Int
        /// Threads it may use.
        package let threads: Int
    }
}

/// Whether somebody should look: `GET /admin/v1/health`, and the exit code of `tijera cluster health`.
package struct ClusterHealth: Codable, Hashable, Sendable {
    package let isHealthy: Bool
    /// What is wrong; empty when healthy.
    package let reasons: [Finding]
    /// What is as somebody wants it and yet good to know: cordons, drains.
    package let notes: [Finding]

    package init(isHealthy: Bool, reasons: [Finding], notes: [Finding]) {
        self.isHealthy = isHealthy
        self.reasons = reasons
        self.notes = notes
    }

    package struct Finding: Codable, Hashable, Sendable {
        /// Stable, for programs.
        package let code: String
        package let node: String?
        package let text: String

        package init(_ code: String, node: String? = nil, _ text: String) {
            self.code = code
            self.node = node
            self.text = text
        }
    }
}

/// What an operator's order did: the answer of `POST /admin/v1/nodes/{id}/cordon`, `uncordon` and `drain`.
package struct SchedulabilityAnswer: Codable, Hashable, Sendable {
    package let node: String
    package let schedulability: NodeSchedulability
    /// Whether the node lives, and so will hear of it within a heartbeat.
    package let isAlive: Bool
    /// Stages that it still runs.
    package let stages: Int
}

extension ClusterReport {
    /// The same, judged by somebody else.
    package func with(_ health: ClusterHealth) -> ClusterReport {
        ClusterReport(
            cluster: cluster, node: node, at: at, view: view, database: database, nodes: nodes, health: health)
    }
}
