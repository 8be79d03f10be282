import ClipModel

/// A request with an idempotency key that wants to be the one that runs.
package struct ReplyClaim: Sendable, Hashable {
    /// Whose key it is: those of two clients have nothing to do with each other.
    package let tenant: String
    package let key: String
    /// `POST /api/jobs/{id}/cancel`
    package let route: String
    /// Of everything that must be the same when the key comes again, in hexadecimal digits.
    package let requestSHA256: String
    /// Drawn for this claim. Whoever lost it to another cannot write over what the other wrote.
    package let holder: String

    package init(tenant: String, key: String, route: String, requestSHA256: String, holder: String) {
        self.tenant = tenant
        self.key = key
        self.route = route
        self.requestSHA256 = requestSHA256
        self.holder = holder
    }
}

/// An answer as it is given again.
package struct KeptReply: Sendable, Hashable {
    package let status: Int
    package let headers: [String: String]
    package let body: String

    /// - Parameter body: at most `StoreLimits.replyBodyBytesMax`.
    package init(status: Int, headers: [String: String], body: String) {
        precondition((200...599).contains(status), "\(status) is no status of an answer")
        precondition(body.utf8.count <= StoreLimits.replyBodyBytesMax, "a body of \(body.utf8.count) bytes is not kept")
        self.status = status
        self.headers = headers
        self.body = body
    }
}

package enum ReplyClaimOutcome: Sendable, Hashable {
    /// The request runs, and holds its key for `StoreLimits.replyLeaseSeconds` unless it renews.
    case claimed
    /// The same request runs already.
    case running
    case kept(KeptReply)
    /// The key came with another request before.
    case reused
}

/// The book of answers to requests with an idempotency key. A claim whose lease has ended, and an answer that has
/// expired, are as if they had never been.
package protocol ReplyBook: Sendable {
    /// Of several at one moment one gets it. Safe to repeat by the same holder.
    func claimReply(_ claim: ReplyClaim) async throws -> ReplyClaimOutcome
    /// Holds it for another `StoreLimits.replyLeaseSeconds`. False: it is not this holder's any more.
    func renewReply(_ claim: ReplyClaim) async throws -> Bool
    /// The request has been answered so; kept for `StoreLimits.idempotencySeconds`. False: the claim is not this
    /// holder's any more, and nothing was kept.
    func keepReply(_ reply: KeptReply, for claim: ReplyClaim) async throws -> Bool
    /// The request came to nothing that is worth keeping: the key is free. Does nothing to another's claim, or to an
    /// answer that is kept.
    func dropReply(_ claim: ReplyClaim) async throws
}

extension InMemoryStore: ReplyBook {
    struct ReplyEntry {
        let claim: ReplyClaim
        var reply: KeptReply?
        var expiresAt: Timestamp
    }

    package func claimReply(_ claim: ReplyClaim) -> ReplyClaimOutcome {
        let now = clock(), key = IdempotencyKey(tenant: claim.tenant, key: claim.key)
        if let known = replyBook[key], known.expiresAt > now, known.reply != nil || known.claim != claim {
            guard known.claim.route == claim.route, known.claim.requestSHA256 == claim.requestSHA256 else {
                return .reused
            }
            return known.reply.map { .kept($0) } ?? .running
        }
        replyBook[key] = ReplyEntry(
            claim: claim, expiresAt: now.advanced(bySeconds: Double(StoreLimits.replyLeaseSeconds)))
        return .claimed
    }

    package func renewReply(_ claim: ReplyClaim) -> Bool {
        guard let key = running(claim) else { return false }
        replyBook[key]?.expiresAt = clock().advanced(bySeconds: Double(StoreLimits.replyLeaseSeconds))
        return true
    }

    package func keepReply(_ reply: KeptReply, for claim: ReplyClaim) -> Bool {
        let key = IdempotencyKey(tenant: claim.tenant, key: claim.key)
        if let known = replyBook[key], known.claim.holder == claim.holder, known.reply == reply { return true }
        guard running(claim) != nil else { return false }
        replyBook[key]?.reply = reply
        replyBook[key]?.expiresAt = clock().advanced(bySeconds: Double(StoreLimits.idempotencySeconds))
        return true
    }

    package func dropReply(_ claim: ReplyClaim) {
        if let key = running(claim) { replyBook[key] = nil }
    }

    private func running(_ claim: ReplyClaim) -> IdempotencyKey? {
        let key = IdempotencyKey(tenant: claim.tenant, key: claim.key)
        guard let known = replyBook[key], known.claim.holder == claim.holder, known.reply == nil else { return nil }
        return key
    }
}
