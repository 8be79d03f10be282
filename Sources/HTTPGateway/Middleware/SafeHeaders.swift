import HTTPTypes
import Hummingbird

/// Headers that keep a browser from doing more with an answer than was meant. TLS headers and CORS come with TLS.
struct SafeHeaders: RouterMiddleware {
    /// The page loads its own files only, and holds no inline script or style.
    static let pagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
        + "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    /// Answers of the API are no documents; a clip opened in a tab may still play.
    static let apiPolicy = "default-src 'none'; img-src 'self'; media-src 'self'; frame-ancestors 'none'"

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.referrerPolicy] = "no-referrer"
        if response.headers[.contentSecurityPolicy] == nil {
            response.headers[.contentSecurityPolicy] = Self.apiPolicy
        }
        return response
    }
}
