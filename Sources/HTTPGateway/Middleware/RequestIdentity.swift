import HTTPTypes
import Hummingbird
import Jobs
import Logging

/// Gives every request an id, hands it back in `X-Request-Id`, and writes one line at debug when it was answered.
///
/// The id of the client is kept when it is plain, so that one id follows a request through proxies and logs.
struct RequestIdentity: RouterMiddleware {
    static let charactersMax = 64
    let chance: Chance
    let clock: any Clock<Duration>
    let table: ConnectionTable
    let proxies: TrustedProxies
    let forwardedHeader: TrustedProxies.Header

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let id = Self.accepted(request.headers[.requestID]) ?? fresh()
        context.requestID = id
        context.logger[metadataKey: "request.id"] = "\(id)"
        let connection = table.connection(of: context.channel)
        context.clientAddress = proxies.client(
            peer: connection?.connection.address ?? "local", header: forwardedHeader,
            value: request.headers[forwardedHeader.field])
        let elapsed = stopwatch(clock)
        var response = try await next(request, context)
        response.headers[.requestID] = id
        // HEAD runs as GET does, so that it says what GET would; only the bytes stay here.
        if request.method == .head { response = response.createHeadResponse() }
        // A stream of HTTP/2 ends by itself, and a header about the connection is an error there.
        if connection?.isStream == true { response.headers[.connection] = nil }
        // The template and not the path: ids stay out of the logs, and lines can be counted by route.
        context.logger.debug(
            "request answered",
            metadata: [
                "http.method": "\(request.method.rawValue)", "http.route": "\(context.endpointPath ?? "none")",
                "http.status": "\(response.status.code)", "duration.ms": "\(Int(elapsed() * 1000))",
            ])
        return response
    }

    /// Only characters that cannot break a log line or a header.
    static func accepted(_ id: String?) -> String? {
        guard let id, (1...charactersMax).contains(id.utf8.count) else { return nil }
        let plain = id.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        return plain ? id : nil
    }

    private func fresh() -> String {
        let number = chance.draw { UInt64.random(in: .min ... .max, using: &$0) }
        let digits = String(number, radix: 16)
        return "req-" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension TrustedProxies.Header {
    var field: HTTPField.Name {
        switch self {
        case .forwardedFor: .forwardedFor
        case .forwarded: .forwarded
        }
    }
}

extension HTTPField.Name {
    static let forwardedFor = Self("X-Forwarded-For")!
    static let forwarded = Self("Forwarded")!
    static let requestID = Self("X-Request-Id")!
    static let idempotencyKey = Self("Idempotency-Key")!
    static let idempotencyReplayed = Self("Idempotency-Replayed")!
    static let lastEventID = Self("Last-Event-ID")!
    static let apiKey = Self("X-API-Key")!
    static let referrerPolicy = Self("Referrer-Policy")!
}

/// Seconds since this call, on a clock that never goes back.
func stopwatch<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Double {
    let start = clock.now
    return { start.duration(to: clock.now) / .seconds(1) }
}
