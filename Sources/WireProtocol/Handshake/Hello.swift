/// The first frame in both directions. Its layout never changes (docs/protocol.md, "Hello"): newer releases add fields.
package struct Hello: Hashable, Sendable {
    package static let magic: [UInt8] = Array("TJRA".utf8)
    package static let clusterBytesMax = 64
    package static let placementBytesMax = 32
    package static let releaseBytesMax = 64
    /// What a peer must take at least; 16 KiB. Everything but arguments, values and stream bytes fits.
    package static let frameBytesLeast = 16 << 10

    package var versions: VersionRange
    package var cluster: String
    package var life: PeerLife
    package var lane: LaneNumber
    package var callListDigest: UInt128
    package var placementAlgorithm: String
    package var allowance: PeerAllowance
    package var release: String

    package init(_ identity: LocalIdentity, lane: LaneNumber) {
        versions = identity.versions
        cluster = identity.cluster
        life = identity.life
        self.lane = lane
        callListDigest = identity.calls.digest
        placementAlgorithm = identity.placementAlgorithm
        allowance = PeerAllowance(identity.limits)
        release = identity.release
    }
}

// MARK: - Bytes

extension Hello {
    private enum Tag {
        static let versions: UInt8 = 1
        static let cluster: UInt8 = 2
        static let name: UInt8 = 3
        static let epoch: UInt8 = 4
        static let lane: UInt8 = 5
        static let callList: UInt8 = 6
        static let placement: UInt8 = 7
        static let allowance: UInt8 = 8
        static let release: UInt8 = 9
        /// From here on a field must be understood by whoever reads it.
        static let critical: UInt8 = 128
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: Self.magic)
        Self.append(Tag.versions, to: &bytes) { $0 += [versions.lowest, versions.highest] }
        Self.append(Tag.cluster, to: &bytes) { $0.append(contentsOf: cluster.utf8) }
        Self.append(Tag.name, to: &bytes) { $0.append(contentsOf: life.name.utf8) }
        Self.append(Tag.epoch, to: &bytes) { $0.append(bigEndian: life.epoch) }
        Self.append(Tag.lane, to: &bytes) { $0 += [lane.lane.rawValue, lane.number] }
        Self.append(Tag.callList, to: &bytes) { $0.append(bigEndian: callListDigest) }
        Self.append(Tag.placement, to: &bytes) { $0.append(contentsOf: placementAlgorithm.utf8) }
        Self.append(Tag.allowance, to: &bytes) {
            $0.append(bigEndian: UInt32(allowance.frameBytesMax))
            $0.append(bigEndian: UInt32(allowance.callsInFlightMax))
            $0.append(bigEndian: UInt32(allowance.streamsMax))
            $0.append(bigEndian: UInt32(allowance.streamWindowBytes))
        }
        if !release.isEmpty { Self.append(Tag.release, to: &bytes) { $0.append(contentsOf: release.utf8) } }
    }

    /// A tag, two bytes of length, the value.
    private static func append(_ tag: UInt8, to bytes: inout [UInt8], _ value: (inout [UInt8]) -> Void) {
        bytes.append(tag)
        let start = bytes.count
        bytes += [0, 0]
        value(&bytes)
        let length = bytes.count - start - 2
        bytes[start] = UInt8(length >> 8)
        bytes[start + 1] = UInt8(length & 0xFF)
    }

    package init(parsing payload: ArraySlice<UInt8>) throws(WireError) {
        let fields = try Self.fields(payload)
        func field(_ tag: UInt8, _ lengths: ClosedRange<Int>, _ what: StaticString) throws(WireError) -> ByteReader {
            guard let value = fields[tag] else { throw WireError(.malformed, "a hello without \(what)") }
            guard lengths.contains(value.count) else {
                throw WireError(.malformed, "\(what) of \(value.count) bytes in a hello")
            }
            return ByteReader(value)
        }
        func text(_ tag: UInt8, _ bytesMax: Int, _ what: StaticString) throws(WireError) -> String {
            var reader = try field(tag, 1...bytesMax, what)
            return try ByteReader.text(reader.takeRest(), what)
        }

        var versions = try field(Tag.versions, 2...2, "versions")
        let (lowest, highest) = (try versions.byte("versions"), try versions.byte("versions"))
        guard 1 <= lowest, lowest <= highest else { throw WireError(.malformed, "versions \(lowest) to \(highest)") }
        self.versions = VersionRange(lowest, highest)

        cluster = try text(Tag.cluster, Self.clusterBytesMax, "the cluster")
        placementAlgorithm = try text(Tag.placement, Self.placementBytesMax, "the placement algorithm")
        let name = try text(Tag.name, PeerLife.nameBytesMax, "the name")
        guard cluster.isVisibleASCII, placementAlgorithm.isVisibleASCII, PeerLife.isName(name) else {
            throw WireError(.malformed, "a hello with characters that names do not have")
        }
        var epoch = try field(Tag.epoch, 8...8, "the epoch")
        life = PeerLife(name: name, epoch: try epoch.bigEndian(UInt64.self, "the epoch"))

        var lanes = try field(Tag.lane, 2...2, "the lane")
        let (lane, number) = (try lanes.byte("the lane"), try lanes.byte("the lane"))
        guard let lane = Lane(rawValue: lane) else { throw WireError(.malformed, "lane \(lane)") }
        self.lane = LaneNumber(lane, number: number)

        var digest = try field(Tag.callList, 16...16, "the digest of call targets")
        callListDigest = try digest.bigEndian(UInt128.self, "the digest of call targets")
        // A newer release may say more about its limits than we know.
        var allowance = try field(Tag.allowance, 16...64, "the limits")
        self.allowance = try Self.allowance(&allowance)
        release = fields[Tag.release] == nil ? "" : try text(Tag.release, Self.releaseBytesMax, "the release")
        guard release == release.visibleASCII(bytesMax: Self.releaseBytesMax) else {
            throw WireError(.malformed, "a release with characters that are not visible")
        }
    }

    /// Tags ascend, so none comes twice.
    private static func fields(_ payload: ArraySlice<UInt8>) throws(WireError) -> [UInt8: ArraySlice<UInt8>] {
        guard payload.starts(with: magic) else { throw WireError(.malformed, "no hello of this protocol") }
        var reader = ByteReader(payload.dropFirst(magic.count))
        var fields: [UInt8: ArraySlice<UInt8>] = [:]
        var last: UInt8 = 0
        while !reader.isAtEnd {
            let tag = try reader.byte("a field")
            guard tag > last else { throw WireError(.malformed, "field \(tag) after field \(last)") }
            last = tag
            let length = try reader.bigEndian(UInt16.self, "a field's length")
            let value = try reader.bytes(Int(length), "a field")
            guard tag <= Tag.release || tag < Tag.critical else {
                throw WireError(.unknownKind, "field \(tag), which must be understood")
            }
            fields[tag] = value
        }
        return fields
    }

    private static func allowance(_ reader: inout ByteReader) throws(WireError) -> PeerAllowance {
        let frame = try reader.bigEndian(UInt32.self, "the limits")
        let calls = try reader.bigEndian(UInt32.self, "the limits")
        let streams = try reader.bigEndian(UInt32.self, "the limits")
        let window = try reader.bigEndian(UInt32.self, "the limits")
        guard frame >= UInt32(frameBytesLeast), frame <= UInt32(Int32.max), calls >= 1, window >= 1,
            window <= UInt32(SendCredit.bytesMax)
        else { throw WireError(.malformed, "limits \(frame), \(calls), \(streams), \(window)") }
        return PeerAllowance(
            frameBytesMax: Int(frame), callsInFlightMax: min(Int(calls), CallNumbers.inFlightLimit),
            streamsMax: Int(streams), streamWindowBytes: Int(window))
    }
}
