extension MemberMetadata {
    /// Bytes of each text. Metadata travels in every rumour.
    package static let textBytesMax = 255
    package static let capacityMax = 1_000_000

    /// What is wrong with it, for people; nil when it may be told to others.
    package var problem: String? {
        for (name, text) in [
            ("region", region), ("zone", zone), ("version", version), ("HTTP address", httpAddress),
            ("peer host", peerAddress.host),
        ] where text.utf8.count > Self.textBytesMax {
            return "\(name) has \(text.utf8.count) bytes; at most \(Self.textBytesMax)"
        }
        if peerAddress.host.isEmpty { return "peer host is empty" }
        if !(1...65535).contains(peerAddress.port) { return "peer port is \(peerAddress.port); 1 to 65535" }
        if !(1...Self.capacityMax).contains(capacity) { return "capacity is \(capacity); 1 to \(Self.capacityMax)" }
        return nil
    }
}

extension Rumour {
    /// Epochs, incarnations and lease stamps stay below this, so that one more always fits.
    static let numberMax: UInt64 = 1 << 53

    /// Whether it may be believed. The sender is a member, but its release may have a bug.
    var isWellFormed: Bool {
        member.incarnation < Self.numberMax && member.life.epoch < Self.numberMax && leaseStamp < Self.numberMax
            && member.metadata.isWithinLimits
    }
}

extension MemberMetadata {
    /// As `problem == nil`, without making texts: this runs for every rumour heard.
    fileprivate var isWithinLimits: Bool {
        region.utf8.count <= Self.textBytesMax && zone.utf8.count <= Self.textBytesMax
            && version.utf8.count <= Self.textBytesMax && httpAddress.utf8.count <= Self.textBytesMax
            && (1...Self.textBytesMax).contains(peerAddress.host.utf8.count)
            && (1...65535).contains(peerAddress.port) && (1...Self.capacityMax).contains(capacity)
    }
}
