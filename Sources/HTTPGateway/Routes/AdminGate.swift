import Crypto
import HTTPTypes
import Hummingbird

/// Lets operators in: with a token that may only look, or with one that may also change things.
///
/// Two tokens, because a dashboard that shows the cluster should not be able to drain it.
struct AdminGate: Sendable {
    enum Power: Sendable { case look, change }

    private let look: SHA256.Digest?
    private let change: SHA256.Digest?

    init(_ configuration: GatewayConfiguration) {
        look = configuration.adminReadToken.map { SHA256.hash(data: Array($0.utf8)) }
        change = configuration.adminToken.map { SHA256.hash(data: Array($0.utf8)) }
    }

    func admit(_ request: Request, to power: Power) throws(Problem) {
        guard look != nil || change != nil else {
            throw Problem(
                .forbidden, code: "admin_closed", detail: "This node has no admin token.",
                hint: "Set adminToken in its configuration to open /admin/v1.")
        }
        let parts = request.headers[.authorization]?.split(separator: " ", maxSplits: 1) ?? []
        let token = parts.count == 2 && parts[0].lowercased() == "bearer" ? parts[1] : ""
        let shown = SHA256.hash(data: Array(token.utf8))
        // Digests have one length and `==` of digests takes one time, so nothing about the tokens leaks. Both are
        // compared, whatever the first says.
        let mayChange = change.map { $0 == shown } ?? false
        let mayLook = look.map { $0 == shown } ?? false
        switch power {
        case .look where mayLook || mayChange, .change where mayChange: return
        case .change where mayLook:
            throw Problem(
                .forbidden, code: "token_may_only_read", detail: "This token may look and change nothing.",
                hint: "Use the token of adminToken for orders to nodes.")
        case .look, .change:
            throw Problem(
                .unauthorized, code: "unauthorized", detail: "The admin token is missing or wrong.",
                hint: "Send Authorization: Bearer with the token of the node's configuration.")
        }
    }
}
