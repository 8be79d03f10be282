package import Membership

/// Asks a keeper for the figures of a region.
package struct FiguresRequest: Hashable, Sendable, Codable {
    package let region: String

    package init(region: String) { self.region = region }
}

package enum FiguresOutcome: Hashable, Sendable, Codable {
    case figures(RegionFigures)
    /// The node that was asked does not keep the region, by its view, or has heard nothing of it yet.
    case notKeeper
}

/// All that one region has counted, and shows.
package struct RegionFigures: Hashable, Sendable, Codable {
    /// One node, as its keeper heard it.
    package struct Node: Hashable, Sendable, Codable {
        package let life: MemberLife
        /// Since its last report.
        package let ageMilliseconds: UInt64
        package let isQuiet: Bool
        /// It is no member any more: what it has counted counts, what it showed does not.
        package let isEnded: Bool
    }

    package let region: String
    /// Who merged them.
    package let keeper: MemberLife
    /// In the order of their names. Those that were summed up are left out.
    package let nodes: [Node]
    package internal(set) var totals: MetricSnapshot
    /// How many reports went into it: figures of more reports know more.
    package let reports: UInt64
    /// Since the region was first heard by a keeper whose memory has survived.
    package let memoryMilliseconds: UInt64
}
