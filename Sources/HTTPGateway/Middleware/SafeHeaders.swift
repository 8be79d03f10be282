import HTTPTypes
import Hummingbird

/// Headers that keep a browser from doing more with an answer than was meant. On every answer, errors included.
struct SafeHeaders: RouterMiddleware {
    /// The page loads its own files only, and holds no inline script or style.
    static let pagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
        + "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    /// Answers of the API are no documents; a clip opened in a tab may still play.
    static let apiPolicy =
        "default-src 'none'; img-src 'self'; media-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'"
    /// The page asks for none of a device's powers, and nothing that got into it should.
    static let permissions =
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), "
        + "microphone=(), midi=(), payment=(), serial=(), usb=()"

    private let fixed: HTTPFields

    init(_ configuration: GatewayConfiguration) {
        var fields: HTTPFields = [
            .xContentTypeOptions: "nosniff", .referrerPolicy: "no-referrer", .permissionsPolicy: Self.permissions,
            .crossOriginOpenerPolicy: "same-origin", .xFrameOptions: "DENY",
            // Whoever may read an answer by CORS may also show a clip in a <video> of another site.
            .crossOriginResourcePolicy: configuration.origins == .none ? "same-origin" : "cross-origin",
        ]
        if let seconds = configuration.strictTransportSeconds {
            fields[.strictTransportSecurity] = "max-age=\(seconds); includeSubDomains"
        }
        fixed = fields
    }

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        write(to: &response.headers)
        return response
    }

    func write(to headers: inout HTTPFields) {
        for field in fixed { headers[field.name] = field.value }
        if headers[.contentSecurityPolicy] == nil { headers[.contentSecurityPolicy] = Self.apiPolicy }
    }
}

extension HTTPField.Name {
    static let permissionsPolicy = Self("Permissions-Policy")!
    static let crossOriginOpenerPolicy = Self("Cross-Origin-Opener-Policy")!
    static let xFrameOptions = Self("X-Frame-Options")!
}
