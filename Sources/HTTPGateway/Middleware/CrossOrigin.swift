import HTTPTypes
import Hummingbird

/// Whose pages may read answers of the API.
package enum AllowedOrigins: Sendable, Hashable {
    /// Only our own page's.
    case none
    /// Everybody's. There are no cookies: whoever reads an answer was able to ask for it anyway.
    case any
    /// `https://app.example`, as browsers send it.
    case listed(Set<String>)

    /// From the setting: empty, `*`, or origins with commas between. Nil: one of them is no origin.
    package init?(_ text: String) {
        let parts = text.split(separator: ",").map { $0.filter { $0 != " " } }
        if parts.isEmpty {
            self = AllowedOrigins.none
        } else if parts == ["*"] {
            self = .any
        } else {
            guard parts.allSatisfy({ $0.wholeMatch(of: /https?:\/\/[a-z0-9.\-]+(:[0-9]{1,5})?/) != nil }) else {
                return nil
            }
            self = .listed(Set(parts))
        }
    }

    /// What `Access-Control-Allow-Origin` says to this origin; nil: nothing.
    package func answer(to origin: String) -> String? {
        switch self {
        case .none: nil
        case .any: "*"
        case .listed(let origins): origins.contains(origin) ? origin : nil
        }
    }
}

/// Cross-origin resource sharing, and `OPTIONS`.
///
/// Never for `/admin`: a page on another site has no business with an operator's token.
struct CrossOrigin: RouterMiddleware {
    static let preflightSeconds = 600
    static let requestHeaders =
        "Authorization, Content-Digest, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, "
        + "Last-Event-ID, Range, Repr-Digest, Tus-Resumable, Upload-Checksum, Upload-Complete, Upload-Concat, "
        + "Upload-Defer-Length, Upload-Draft-Interop-Version, Upload-Length, Upload-Metadata, Upload-Offset, "
        + "X-API-Key, X-HTTP-Method-Override, X-Request-Id"
    static let answerHeaders =
        "Accept-Ranges, Content-Disposition, Content-Range, ETag, Idempotency-Replayed, Location, RateLimit, "
        + "RateLimit-Policy, Retry-After, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable, "
        + "Tus-Version, Upload-Complete, Upload-Concat, Upload-Defer-Length, Upload-Draft-Interop-Version, "
        + "Upload-Expires, Upload-Length, Upload-Limit, Upload-Metadata, Upload-Offset, X-Request-Id"

    let origins: AllowedOrigins
    let table: RouteTable

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        let own = options(request)
        var response = if let own { own } else { try await next(request, context) }
        guard origins != .none, !request.uri.path.hasPrefix("/admin") else { return response }
        // Also on answers without the other headers: a cache must not hand one origin's answer to another.
        if case .listed = origins { response.headers.append(.init(name: .vary, value: "Origin")) }
        guard let origin = request.headers[.origin], let allowed = origins.answer(to: origin) else { return response }
        response.headers[.accessControlAllowOrigin] = allowed
        response.headers[.accessControlExposeHeaders] = Self.answerHeaders
        if request.isPreflight {
            response.headers[.accessControlAllowMethods] = response.headers[.allow]
            response.headers[.accessControlAllowHeaders] = Self.requestHeaders
            response.headers[.accessControlMaxAge] = "\(Self.preflightSeconds)"
        }
        return response
    }

    /// The answer to `OPTIONS`; nil: it is another method, no address of ours, or a route has an answer of its own.
    private func options(_ request: Request) -> Response? {
        guard request.method == .options else { return nil }
        let allowed = table.allowedMethods(for: request.uri.path)
        guard !allowed.isEmpty, request.isPreflight || !table.answersOptions(request.uri.path) else { return nil }
        return Response(
            status: .noContent, headers: [.allow: allowed.joined(separator: ", "), .cacheControl: "no-store"])
    }
}

extension Request {
    /// A browser asks whether a page may send what it wants to send.
    fileprivate var isPreflight: Bool {
        method == .options && headers[.origin] != nil && headers[.accessControlRequestMethod] != nil
    }
}
