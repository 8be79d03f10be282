import HTTPTypes
import Hummingbird

/// Answers everything on the port without TLS: whoever wants to read is sent to the same address with TLS.
///
/// What carries a body is refused instead: it has crossed the network in the clear already, and a redirect would make
/// that look right.
struct RedirectToTLS: RouterMiddleware {
    /// `https://clips.example`, without a path; nil: the name that the client asked for.
    let base: String?
    let port: Int

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        guard request.method == .get || request.method == .head else {
            throw Problem(
                .forbidden, code: "tls_required", detail: "This port only shows the way to the one with TLS.",
                hint: "Send the request to the https:// address; what was sent here could be read by others.",
                closesConnection: true)
        }
        guard let base = base ?? Self.base(request.head.authority, port: port) else {
            throw Problem(
                .badRequest, code: "bad_request", detail: "The Host header names no host.",
                hint: "Use the https:// address.")
        }
        let path = request.head.path ?? "/"
        return Response(
            status: .permanentRedirect,
            headers: [.location: base + (path.hasPrefix("/") ? path : "/"), .cacheControl: "no-store"])
    }

    /// `name:80` becomes `https://name:8443`. Only what a host can look like: the client sees its own words again.
    static func base(_ authority: String?, port: Int) -> String? {
        guard let match = authority?.wholeMatch(of: /([A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/) else {
            return nil
        }
        return "https://\(match.1)" + (port == 443 ? "" : ":\(port)")
    }
}
