/// The names of everything that may be called on a node, in order. A name's place is its number on the wire.
package struct CallList: Hashable, Sendable {
    /// Names in a list; 4,096.
    package static let namesMax = 4096

    /// Sorted by their UTF-8 bytes, none twice: every release writes the same list the same way.
    package let names: [String]
    /// FNV-1a over the list as it is written, 128 bits. It tells releases apart; it does not guard against an attacker,
    /// who would need a certificate to get this far.
    package let digest: UInt128

    /// The order and repetitions of `names` do not matter.
    package init(_ names: some Sequence<String>) {
        self.init(sorted: Set(names).sorted(by: Self.precedes))
    }

    private init(sorted names: [String]) {
        precondition(names.count <= Self.namesMax, "\(names.count) call targets, at most \(Self.namesMax)")
        for name in names { precondition(Self.isName(name), "call target \(name)") }
        self.names = names
        digest = Self.digest(of: names)
    }

    /// The name that a peer's call means by `number`.
    package func name(_ number: UInt32) -> String? { number < UInt32(names.count) ? names[Int(number)] : nil }

    /// Visible ASCII, as mangled names are: two names are equal when their bytes are.
    private static func isName(_ text: String) -> Bool {
        (1...CallHeader.nameBytesMax).contains(text.utf8.count) && text.isVisibleASCII
    }

    private static func precedes(_ one: String, _ other: String) -> Bool {
        one.utf8.lexicographicallyPrecedes(other.utf8)
    }

    private static func digest(of names: [String]) -> UInt128 {
        var bytes: [UInt8] = []
        append(names, to: &bytes)
        return fnv1a(bytes[...])
    }

    /// Fowler, Noll, Vo: http://www.isthe.com/chongo/tech/comp/fnv/
    static func fnv1a(_ bytes: ArraySlice<UInt8>) -> UInt128 {
        var hash: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
        for byte in bytes { hash = (hash ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013B }
        return hash
    }
}

// MARK: - Bytes

extension CallList {
    /// The payload of a `callList` frame.
    package func append(to bytes: inout [UInt8]) { Self.append(names, to: &bytes) }

    private static func append(_ names: [String], to bytes: inout [UInt8]) {
        bytes.append(varint: UInt64(names.count))
        for name in names { bytes.append(counted: name) }
    }

    package init(parsing payload: ArraySlice<UInt8>) throws(WireError) {
        var reader = ByteReader(payload)
        let count = try reader.varint("a call list")
        // A name takes two bytes at least: the claim is held against what is there before room is made for it.
        guard count <= UInt64(Self.namesMax), count <= UInt64(reader.restCount / 2) else {
            throw WireError(.malformed, "a list of \(count) call targets in \(payload.count) bytes")
        }
        var names: [String] = []
        names.reserveCapacity(Int(count))
        for _ in 0..<count {
            let name = try reader.countedText(bytesMax: CallHeader.nameBytesMax, "a call target")
            guard Self.isName(name) else { throw WireError(.malformed, "a call target that is no mangled name") }
            guard names.last.map({ Self.precedes($0, name) }) ?? true else {
                throw WireError(.malformed, "call targets out of order")
            }
            names.append(name)
        }
        try reader.expectEnd("a call list")
        self.names = names
        digest = Self.fnv1a(payload)
    }
}

/// Call targets between two nodes: our names to the peer's numbers, the peer's numbers to our names.
package struct NegotiatedCalls: Hashable, Sendable {
    /// Our list: what numbers in the peer's calls mean.
    package let local: CallList
    /// For the number of a target in our list, its number in the peer's; nil where the peer does not have it.
    private let peerNumbers: [UInt32?]
    /// Whether the lists are equal, and no translation is needed.
    package let isSame: Bool

    /// The hashes are equal.
    package init(same list: CallList) {
        local = list
        isSame = true
        peerNumbers = []
    }

    package init(local: CallList, peer: CallList) {
        self.local = local
        isSame = local.digest == peer.digest
        let numbers = Dictionary(uniqueKeysWithValues: zip(peer.names, UInt32(0)...))
        peerNumbers = isSame ? [] : local.names.map { numbers[$0] }
    }

    /// What to write for the target that is `localNumber` in our list; nil when the peer's release does not have it:
    /// the call fails here, as `notAllowed`, without a round trip.
    package func target(_ localNumber: UInt32) -> CallTarget? {
        if isSame { return localNumber < UInt32(local.names.count) ? .number(localNumber) : nil }
        guard localNumber < UInt32(peerNumbers.count) else { return nil }
        return peerNumbers[Int(localNumber)].map { .number($0) }
    }

    /// Our name for the target of a call that arrived; nil when it is not on our list: `notAllowed`.
    package func name(_ target: CallTarget) -> String? {
        switch target {
        case .number(let number): local.name(number)
        // A name in full is allowed, and has to be on the list all the same.
        case .name(let name): local.names.contains(sorted: name) ? name : nil
        }
    }
}

extension [String] {
    /// Whether a list that is sorted by UTF-8 bytes holds `name`.
    fileprivate func contains(sorted name: String) -> Bool {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].utf8.lexicographicallyPrecedes(name.utf8) { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low].utf8.elementsEqual(name.utf8)
    }
}
