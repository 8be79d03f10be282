import Membership

// An identity on the wire is text: a letter, then fields that are parted by zeros; what may hold anything stands last.
//
//     n <node> 0 <epoch, decimal> 0 <name>
//     v <kind> 0 <home, or nothing> 0 <key>

extension ClusterActorID {
    private static let namedLetter = UInt8(ascii: "n")
    private static let virtualLetter = UInt8(ascii: "v")

    package func append(to bytes: inout [UInt8]) {
        switch self {
        case .named(let name, let life):
            bytes.append(Self.namedLetter)
            bytes.append(contentsOf: life.id.rawValue.utf8)
            bytes.append(0)
            bytes.append(contentsOf: String(life.epoch).utf8)
            bytes.append(0)
            bytes.append(contentsOf: name.utf8)
        case .virtual(let key):
            bytes.append(Self.virtualLetter)
            bytes.append(contentsOf: key.kind.utf8)
            bytes.append(0)
            if let home = key.home { bytes.append(contentsOf: home.utf8) }
            bytes.append(0)
            bytes.append(contentsOf: key.key.utf8)
        }
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    /// Nil for anything that is not an identity: a peer may write what it likes.
    package init?(parsing bytes: ArraySlice<UInt8>) {
        guard let letter = bytes.first else { return nil }
        let rest = bytes.dropFirst()
        guard let firstZero = rest.firstIndex(of: 0),
            let secondZero = rest[rest.index(after: firstZero)...].firstIndex(of: 0),
            let first = String(validating: rest[..<firstZero], as: UTF8.self),
            let second = String(validating: rest[rest.index(after: firstZero)..<secondZero], as: UTF8.self),
            let third = String(validating: rest[rest.index(after: secondZero)...], as: UTF8.self)
        else { return nil }
        switch letter {
        case Self.namedLetter:
            guard let id = MemberID(first), let epoch = UInt64(second), Self.isName(third) else { return nil }
            self = .named(third, on: MemberLife(id: id, epoch: epoch))
        case Self.virtualLetter:
            let home = second.isEmpty ? nil : second
            guard VirtualActorKey.isValid(kind: first, key: third, home: home) else { return nil }
            self = .virtual(VirtualActorKey(kind: first, key: third, home: home))
        default: return nil
        }
    }
}

/// An identity may be an argument: it is coded as the text of its bytes.
extension ClusterActorID: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = ClusterActorID(parsing: Array(text.utf8)[...]) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an actor's identity")
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(String(decoding: bytes, as: UTF8.self))
    }
}
