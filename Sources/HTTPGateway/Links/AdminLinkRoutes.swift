package import ClipModel
import HTTPTypes
import Hummingbird
import Logging
import Store

/// `/admin/v1/links/rotate`: another key signs links from now on.
struct AdminLinkRoutes: Sendable {
    let keyring: LinkKeyring
    let gate: AdminGate

    var routes: [Route] { [Route(.post, "/admin/v1/links/rotate", rotate)] }

    @Sendable private func rotate(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .change)
        let now = request.query("now") ?? "false"
        guard ["true", "false"].contains(now) else {
            throw Problem(
                .badRequest, code: "invalid_now", detail: "now must be true or false.",
                hint: "Leave it out to let links of older keys be good until they end.", field: "now",
                allowed: ["true", "false"])
        }
        let rotation = LinkRotation(try await keyring.rotate(revoking: now == "true"))
        context.logger.notice(
            "operator rotated the key of links",
            metadata: ["link.key": "\(rotation.key)", "revoking": "\(now)", "client": "\(context.clientAddress)"])
        return JSONAnswer.make(rotation)
    }
}

/// Field names are part of the API: add, do not rename. Secrets are no part of it.
package struct LinkRotation: Codable, Hashable, Sendable {
    /// Signs from now on.
    package var key: String
    package var createdAt: Timestamp
    /// Whose links are still good, newest first.
    package var older: [Older]

    package struct Older: Codable, Hashable, Sendable {
        package var key: String
        /// Its links end by then, if they do not end before.
        package var acceptedUntil: Timestamp
    }

    init(_ keys: [LinkKey]) {
        precondition(!keys.isEmpty, "after a rotation there is a key")
        key = keys[0].id
        createdAt = keys[0].createdAt
        older = keys.dropFirst().compactMap { key in
            key.retiredAt.map { retiredAt in
                Older(
                    key: key.id, acceptedUntil: retiredAt.advanced(bySeconds: Double(StoreLimits.linkDays * 86_400)))
            }
        }
    }
}
