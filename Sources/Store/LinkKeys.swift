package import ClipModel

/// A secret of the cluster with which links to downloads are signed. Whoever knows it can make links.
package struct LinkKey: Sendable, Hashable, CustomStringConvertible {
    /// Stands in the links, and says nothing about the secret.
    package let id: String
    package let secret: String
    /// The store's own time.
    package let createdAt: Timestamp
    /// When another took its place; nil: it signs.
    package let retiredAt: Timestamp?

    package init(id: String, secret: String, createdAt: Timestamp, retiredAt: Timestamp? = nil) {
        self.id = id
        self.secret = secret
        self.createdAt = createdAt
        self.retiredAt = retiredAt
    }

    /// Without the secret, wherever it is written.
    package var description: String { "link key \(id)" }
}

/// A key that is not in the book yet.
package struct LinkKeyDraft: Sendable, Hashable {
    package let id: String
    package let secret: String

    private static let idDigits = 16
    private static let secretDigits = 64

    /// - Parameters:
    ///   - id: 16 hexadecimal digits.
    ///   - secret: 64 hexadecimal digits, drawn where nobody can guess them.
    package init(id: String, secret: String) {
        precondition(Self.isHexadecimal(id, digits: Self.idDigits), "\(id) is no id of a link key")
        precondition(Self.isHexadecimal(secret, digits: Self.secretDigits), "the secret of \(id) has another form")
        self.id = id
        self.secret = secret
    }

    /// 64 and 256 bits of chance.
    package init(using generator: inout some RandomNumberGenerator) {
        let digits = (0..<5).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        self.init(id: digits[0], secret: digits[1...].joined())
    }

    private static func isHexadecimal(_ text: String, digits: Int) -> Bool {
        text.utf8.count == digits
            && text.utf8.allSatisfy { (48...57).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
    }
}

/// The part of durable truth that keys of links are in.
package protocol LinkKeyBook: Sendable {
    /// The keys whose links are good, the one that signs first, then those that were retired less than
    /// `StoreLimits.linkDays` ago, newest first. Where none signs, `draft` becomes the one that does; of several nodes
    /// that try at one moment one wins. Safe to repeat.
    func linkKeys(orBegin draft: LinkKeyDraft) async throws -> [LinkKey]
    /// Makes `draft` the key that signs and retires the one before; with `revoking` nothing that was signed before is
    /// good any more. Answers as `linkKeys`. The same draft again changes nothing.
    func rotateLinkKeys(to draft: LinkKeyDraft, revoking: Bool) async throws -> [LinkKey]
}

extension InMemoryStore {
    package func linkKeys(orBegin draft: LinkKeyDraft) -> [LinkKey] {
        if linkKeyBook.first?.retiredAt != nil || linkKeyBook.isEmpty {
            linkKeyBook.insert(LinkKey(id: draft.id, secret: draft.secret, createdAt: clock()), at: 0)
        }
        return goodLinkKeys
    }

    package func rotateLinkKeys(to draft: LinkKeyDraft, revoking: Bool) -> [LinkKey] {
        guard !linkKeyBook.contains(where: { $0.id == draft.id }) else { return goodLinkKeys }
        let now = clock()
        let old = linkKeyBook.map { key in
            LinkKey(id: key.id, secret: key.secret, createdAt: key.createdAt, retiredAt: key.retiredAt ?? now)
        }
        linkKeyBook = [LinkKey(id: draft.id, secret: draft.secret, createdAt: now)] + (revoking ? [] : old)
        return goodLinkKeys
    }

    private var goodLinkKeys: [LinkKey] {
        let oldest = clock().advanced(bySeconds: Double(-StoreLimits.linkDays * 86_400))
        let good = linkKeyBook.filter { key in key.retiredAt.map { $0 > oldest } ?? true }
        return Array(good.prefix(StoreLimits.linkKeysMax))
    }
}
