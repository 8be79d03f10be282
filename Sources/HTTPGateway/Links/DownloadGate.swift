import ClipModel
import HTTPTypes
import Hummingbird
import Jobs
import Store

/// Whether downloads need a signed link.
package enum SignedDownloads: String, Sendable, Hashable, CaseIterable {
    /// They do not; one that has a signature is checked all the same.
    case off
    case required
}

/// Stands before every route that gives a file away, and makes the links with which it lets through.
///
/// It looks at the link alone and never at who asks: that is what links are for.
struct DownloadGate: Sendable {
    /// How long the links in the views of jobs are good: the whole of it, or half at least.
    static let viewSeconds: Int64 = 12 * 3600

    let keyring: LinkKeyring
    let policy: SignedDownloads
    let now: WallTime

    func admit(_ request: Request, to target: DownloadTarget) async throws {
        let words = ["expires", "kid", "signature"].map { request.query($0) }
        guard words.contains(where: { $0 != nil }) else {
            guard policy == .off else { throw Problem.linkRequired }
            return
        }
        guard let signature = LinkSignature(expires: words[0], key: words[1], signature: words[2]) else {
            throw Problem.linkInvalid
        }
        switch signature.verdict(for: target, with: try await keyring.key(signature.key), at: now()) {
        case .good: return
        case .expired: throw Problem.linkExpired
        case .invalid: throw Problem.linkInvalid
        }
    }

    /// A link, and when it ends.
    func link(to target: DownloadTarget, forSeconds seconds: Int) async throws -> (url: String, expiresAt: Timestamp) {
        precondition(LinkSignature.secondsRange.contains(seconds), "a link of \(seconds) s")
        let expires = now().millisecondsSinceEpoch / 1000 + Int64(seconds)
        let addresses = DownloadAddresses(key: try await keyring.signing(), expires: expires)
        return (addresses[target], Timestamp(millisecondsSinceEpoch: expires * 1000))
    }

    /// How files are named in views. Those who look again within half of `viewSeconds` get the same links, from every
    /// node, so that an unchanged view stays unchanged.
    func addresses() async throws -> DownloadAddresses {
        guard policy == .required else { return .plain }
        let half = Self.viewSeconds / 2
        let expires = (now().millisecondsSinceEpoch / 1000 / half + 2) * half
        return DownloadAddresses(key: try await keyring.signing(), expires: expires)
    }
}

/// The addresses of files, as a client of this moment needs them.
struct DownloadAddresses: Sendable {
    private let terms: (key: LinkKey, expires: Int64)?

    static let plain = DownloadAddresses(terms: nil)

    private init(terms: (key: LinkKey, expires: Int64)?) { self.terms = terms }

    init(key: LinkKey, expires: Int64) { self.init(terms: (key, expires)) }

    subscript(target: DownloadTarget) -> String {
        guard let terms else { return target.address }
        let signature = LinkSignature(for: target, until: terms.expires, with: terms.key)
        return target.path + "?" + (target.query.isEmpty ? "" : target.query + "&") + signature.query
    }
}

extension Problem {
    private static let linkHint =
        "Take the address from GET /api/jobs/{id}, or ask POST /api/clips/{id}/link for one."

    static let linkRequired = Problem(
        .forbidden, code: "link_required", detail: "Files are only given away by signed links here.", hint: linkHint)

    static let linkExpired = Problem(
        .forbidden, code: "link_expired", detail: "This link was good for a while, which is over.", hint: linkHint)

    static let linkInvalid = Problem(
        .forbidden, code: "link_invalid",
        detail: "This link is not one that this cluster made for this file, or it was revoked.", hint: linkHint)
}
