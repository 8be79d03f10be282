package import ClipModel
import Crypto
import Foundation
package import Store

/// A moment, a key and what the key's secret makes of them and of a file: the part of a link that nobody can make up.
///
/// Signed is `tijera-link-1`, the path, the part of the query that says which file it is, and the moment, one a line,
/// by HMAC-SHA256. The method is not: a link is good for HEAD as for GET. The path is made of ids that were read and
/// not of the text of the request, so that there is one spelling of it.
package struct LinkSignature: Sendable, Hashable {
    /// How long a link may be good.
    package static let secondsRange = 60...(StoreLimits.linkDays * 86_400)
    /// By how much the clocks of two nodes may differ. A link that is good for longer than any may be was made by a
    /// clock that is wrong, and is refused: it would outlive its key.
    package static let skewSecondsMax: Int64 = 300
    /// 32 bytes.
    private static let signatureCharacters = 43
    private static let version = "tijera-link-1"

    /// Seconds since 1970.
    package let expires: Int64
    package let key: String
    /// Base64url without padding.
    package let text: String

    package enum Verdict: Sendable, Hashable { case good, expired, invalid }

    /// Signs.
    package init(for target: DownloadTarget, until expires: Int64, with key: LinkKey) {
        let code = HMAC<SHA256>.authenticationCode(
            for: Self.signed(target, expires), using: SymmetricKey(data: Array(key.secret.utf8)))
        self.expires = expires
        self.key = key.id
        text = Data(code).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// What a request says. Nil: it is no signature, whoever looks at it.
    package init?(expires: String?, key: String?, signature: String?) {
        guard let expires, expires.utf8.count <= 12, expires.utf8.allSatisfy({ (48...57).contains($0) }),
            let moment = Int64(expires), let key, let signature, signature.utf8.count == Self.signatureCharacters
        else { return nil }
        self.expires = moment
        self.key = key
        text = signature
    }

    /// - Parameter secret: the key that `key` names; nil: there is none, or none any more.
    package func verdict(for target: DownloadTarget, with secret: LinkKey?, at now: Timestamp) -> Verdict {
        let isOver = expires * 1000 <= now.millisecondsSinceEpoch
        // Links outlive their keys in bookmarks; that they are over says more than that nobody knows the key.
        guard let secret else { return isOver ? .expired : .invalid }
        guard let code = bytes,
            // Compares all bytes, whichever is wrong first.
            HMAC<SHA256>.isValidAuthenticationCode(
                code, authenticating: Self.signed(target, expires),
                using: SymmetricKey(data: Array(secret.secret.utf8)))
        else { return .invalid }
        let latest = now.millisecondsSinceEpoch / 1000 + Int64(Self.secondsRange.upperBound) + Self.skewSecondsMax
        return isOver ? .expired : expires <= latest ? .good : .invalid
    }

    /// As it stands in a query.
    package var query: String { "expires=\(expires)&kid=\(key)&signature=\(text)" }

    private static func signed(_ target: DownloadTarget, _ expires: Int64) -> [UInt8] {
        Array("\(version)\n\(target.path)\n\(target.query)\n\(expires)".utf8)
    }

    private var bytes: [UInt8]? {
        guard !text.contains(where: { "+/=".contains($0) }) else { return nil }
        let base64 = text.replacing("-", with: "+").replacing("_", with: "/") + "="
        return Data(base64Encoded: base64).map(Array.init)
    }
}
