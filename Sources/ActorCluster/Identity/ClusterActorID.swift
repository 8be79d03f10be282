package import Membership

/// Which actor is meant, from any node.
package enum ClusterActorID: Hashable, Sendable {
    /// The actor of that name in one life of a node. It dies with that life.
    case named(String, on: MemberLife)
    /// One of many of a kind, told apart by its key. Its node is decided by `Placement` at each call; it is activated
    /// by the first message and outlives every node.
    case virtual(VirtualActorKey)

    /// Bytes of a name or kind; 63, so that identities stay short on the wire: every call carries one.
    package static let nameBytesMax = 63

    /// Whether `text` can name an actor or a kind: 1 to 63 of `a-z`, `0-9`, `-`.
    package static func isName(_ text: String) -> Bool {
        (1...nameBytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "-")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
    }

    package static func virtual(kind: String, key: String, home: String? = nil) -> ClusterActorID {
        .virtual(VirtualActorKey(kind: kind, key: key, home: home))
    }
}

/// The name of a virtual actor.
package struct VirtualActorKey: Hashable, Sendable {
    /// Bytes of a key; 512. A key is a name, not a message.
    package static let keyBytesMax = 512
    /// Bytes of a region's name in a key; 63.
    package static let homeBytesMax = 63

    /// What a factory is registered for.
    package let kind: String
    /// Which one of that kind: any text without a zero character.
    package let key: String
    /// The region whose nodes are asked first; nil for all nodes alike.
    package let home: String?

    package init(kind: String, key: String, home: String? = nil) {
        precondition(Self.isValid(kind: kind, key: key, home: home), "virtual actor \(kind)/\(key) at \(home ?? "any")")
        self.kind = kind
        self.key = key
        self.home = home
    }

    /// Whether these make a key. Ask before making one from what a client sent.
    package static func isValid(kind: String, key: String, home: String? = nil) -> Bool {
        ClusterActorID.isName(kind) && (1...keyBytesMax).contains(key.utf8.count) && !key.utf8.contains(0)
            && (home.map { (1...homeBytesMax).contains($0.utf8.count) && !$0.utf8.contains(0) } ?? true)
    }
}

extension ClusterActorID: CustomStringConvertible {
    package var description: String {
        switch self {
        case .named(let name, let life): "\(name)@\(life.id)#\(life.epoch)"
        case .virtual(let key): "\(key)"
        }
    }
}

extension VirtualActorKey: CustomStringConvertible {
    package var description: String { home.map { "\(kind)/\(key)~\($0)" } ?? "\(kind)/\(key)" }
}
