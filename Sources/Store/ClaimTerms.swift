package import ClipModel

/// What a node asks for with one claim.
package struct ClaimTerms: Sendable, Hashable {
    /// Most stages it wants; at most `StoreLimits.claimMax` are given.
    package var limit: Int
    /// Whether stages of batch jobs are wanted too.
    package var includesBatch: Bool
    /// A stage that has been ready for so long is no longer left to its own region: nodes of others claim it by its
    /// rank, as if it were theirs. So the work of a region without nodes, or with too few, is taken over. Seconds.
    package var awaySeconds: Double
    /// For so long what another region has just got ready is left to it alone, if a schedulable node of it lives; not
    /// what was lost with a node. Seconds.
    package var homeSeconds: Double

    /// Jobs whose bytes the node has at hand. Their stages go before others that it claims as its own, unless such a
    /// job is further behind in turn than `StoreLimits.familiarSeconds`. What is left to another region comes last all
    /// the same. The first `StoreLimits.familiarMax` count.
    package var familiar: [JobID]

    package init(
        limit: Int, includesBatch: Bool = true, awaySeconds: Double = Self.awaySecondsDefault,
        homeSeconds: Double = StoreLimits.homeSeconds, familiar: [JobID] = []
    ) {
        self.limit = limit
        self.includesBatch = includesBatch
        self.awaySeconds = awaySeconds
        self.homeSeconds = homeSeconds
        self.familiar = familiar
    }

    package static let awaySecondsDefault = 60.0
}

extension Store {
    /// A claim with the defaults of everything but the number of stages.
    package func claim(_ limit: Int, for life: NodeLife) async throws -> [StageLease] {
        try await claim(ClaimTerms(limit: limit), for: life)
    }
}
