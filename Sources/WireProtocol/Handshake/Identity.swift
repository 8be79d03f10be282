/// One life of a node, as the protocol knows it: a name, and when this life began. A restart has a higher epoch.
package struct PeerLife: Hashable, Sendable, CustomStringConvertible {
    /// 1 to 63 of a-z, 0-9 and -.
    package let name: String
    /// Milliseconds since 1970 at the node's start.
    package let epoch: UInt64

    package init(name: String, epoch: UInt64) {
        self.name = name
        self.epoch = epoch
    }

    package var description: String { "\(name)@\(epoch)" }

    package static let nameBytesMax = 63

    package static func isName(_ text: String) -> Bool {
        (1...nameBytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "-")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
    }
}

/// The versions of the protocol a node speaks, without gaps.
package struct VersionRange: Hashable, Sendable, CustomStringConvertible {
    package let lowest: UInt8
    package let highest: UInt8

    /// Version 0 is that of the frozen frames.
    package init(_ lowest: UInt8, _ highest: UInt8) {
        precondition(1 <= lowest && lowest <= highest, "versions \(lowest) to \(highest)")
        self.lowest = lowest
        self.highest = highest
    }

    /// What this release speaks.
    package static let spoken = VersionRange(1, 1)

    package var description: String { lowest == highest ? "\(lowest)" : "\(lowest) to \(highest)" }

    /// The highest that both speak.
    package func common(with other: VersionRange) -> UInt8? {
        let best = min(highest, other.highest)
        return best >= max(lowest, other.lowest) ? best : nil
    }
}

/// Which of the connections between two nodes this is: a lane, and its number where a lane has several connections.
package struct LaneNumber: Hashable, Sendable, CustomStringConvertible {
    package let lane: Lane
    package let number: UInt8

    package init(_ lane: Lane, number: UInt8 = 0) {
        self.lane = lane
        self.number = number
    }

    package var description: String { "\(lane) \(number)" }
}

/// What a node says of itself in every handshake; the same for all connections of one life.
package struct LocalIdentity: Hashable, Sendable {
    package var versions = VersionRange.spoken
    /// 1 to 64 bytes of visible ASCII. Nodes of two clusters never talk, even where certificates would let them.
    package var cluster: String
    package var life: PeerLife
    package var calls: CallList
    /// Which algorithm maps keys to nodes, e.g. `wrh-1`: two that differ would send each other's keys in circles. 1 to
    /// 32 bytes of visible ASCII.
    package var placementAlgorithm: String
    /// For logs and for operators; at most 64 bytes of visible ASCII, others become `?`.
    package var release: String
    package var limits: WireLimits

    package init(
        cluster: String, life: PeerLife, calls: CallList, placementAlgorithm: String, release: String = "",
        limits: WireLimits = .standard
    ) {
        precondition(PeerLife.isName(life.name), "\(life.name) is not a node's name")
        precondition(Self.isCluster(cluster), "\(cluster) is not a cluster's name")
        precondition(Self.isPlacementAlgorithm(placementAlgorithm), "placement algorithm \(placementAlgorithm)")
        self.cluster = cluster
        self.life = life
        self.calls = calls
        self.placementAlgorithm = placementAlgorithm
        self.release = release.visibleASCII(bytesMax: Hello.releaseBytesMax)
        self.limits = limits
    }

    /// Whether `text` can name a cluster.
    package static func isCluster(_ text: String) -> Bool {
        (1...Hello.clusterBytesMax).contains(text.utf8.count) && text.isVisibleASCII
    }

    static func isPlacementAlgorithm(_ text: String) -> Bool {
        (1...Hello.placementBytesMax).contains(text.utf8.count) && text.isVisibleASCII
    }
}

extension String {
    /// Whether all bytes are ! to ~: such text can stand in a log line, and its equality is that of its bytes.
    var isVisibleASCII: Bool { utf8.allSatisfy { (0x21...0x7E).contains($0) } }

    /// What a stranger wrote, fit for a log line: everything but space and visible ASCII becomes `?`.
    func visibleASCII(bytesMax: Int) -> String {
        let visible = utf8.prefix(bytesMax).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
        return String(decoding: visible, as: UTF8.self)
    }
}
