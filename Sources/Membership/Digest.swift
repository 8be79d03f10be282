/// FNV-1a (Fowler, Noll, Vo; RFC 9923), 64 bits: the same on every machine, process and release. It tells equal facts
/// from different ones among friends; it does not resist forgery, which is TLS's task.
struct Digest {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func mix(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }

    mutating func mix(_ number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { mix(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    /// With a terminator that UTF-8 never holds, so that neighbouring texts cannot trade characters.
    mutating func mix(_ text: String) {
        for byte in text.utf8 { mix(byte) }
        mix(0xff as UInt8)
    }

    /// Of what placement may look at. `members` are sorted and present.
    static func ofFacts(_ members: [Member]) -> UInt64 {
        var digest = Digest()
        for member in members {
            digest.mix(member.life.id.rawValue)
            digest.mix(member.life.epoch)
            digest.mix(member.status.isReachable ? 0 : 1 as UInt8)
            digest.mix(member.metadata)
        }
        return digest.value
    }

    private mutating func mix(_ metadata: MemberMetadata) {
        mix(metadata.region)
        mix(metadata.zone)
        mix(UInt64(truncatingIfNeeded: metadata.capacity))
        mix(metadata.version)
        mix(metadata.httpAddress)
        mix(metadata.peerAddress.host)
        mix(UInt64(truncatingIfNeeded: metadata.peerAddress.port))
        mix(metadata.schedulability.rawValue)
    }
}
