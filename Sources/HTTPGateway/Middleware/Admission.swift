import Crypto
import HTTPTypes
import Hummingbird
package import Limits
import Logging

/// What a client may ask of the whole cluster, and who is asked whether it may. Tests put in what they like.
package struct RequestAdmission: Sendable {
    /// Videos that one client may send.
    package let uploads: LimitPolicy
    /// Jobs that one client may begin.
    package let jobs: LimitPolicy
    /// Asks the bucket of this subject for one unit, wherever in the cluster it is. Always answers: what happens while
    /// its owner is out of reach is the policy's to say.
    package let ask: @Sendable (_ policy: LimitPolicy, _ subject: String) async -> LimitAnswer

    package init(
        uploads: LimitPolicy, jobs: LimitPolicy,
        ask: @escaping @Sendable (_ policy: LimitPolicy, _ subject: String) async -> LimitAnswer
    ) {
        self.uploads = uploads
        self.jobs = jobs
        self.ask = ask
    }

    func policy(for request: Request) -> LimitPolicy? {
        guard request.method == .post else { return nil }
        return switch request.uri.path {
        case "/api/upload", "/api/imports": uploads
        case "/api/jobs": jobs
        default: nil
        }
    }
}

/// Refuses with 429 what is over a client's limit, before a byte of the body is read, and says in every answer that was
/// counted how much is left (`RateLimit` and `RateLimit-Policy`, draft-ietf-httpapi-ratelimit-headers-10).
struct AdmissionControl: RouterMiddleware {
    let admission: RequestAdmission

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        guard let policy = admission.policy(for: request) else { return try await next(request, context) }
        let answer = await admission.ask(policy, request.client(context))
        guard answer.isAllowed else {
            context.logger.info("request over its limit", metadata: ["limit.policy": "\(policy.name)"])
            var problem = Problem.rateLimited(policy, answer.decision)
            problem.headers = Self.fields(policy, answer.decision)
            throw problem
        }
        do {
            var response = try await next(request, context)
            response.headers.append(contentsOf: Self.fields(policy, answer.decision))
            return response
        } catch {
            guard var problem = Problem(error) else { throw error }
            problem.headers = Self.fields(policy, answer.decision)
            throw problem
        }
    }

    private static func fields(_ policy: LimitPolicy, _ decision: LimitDecision) -> HTTPFields {
        let window = policy.window.components.seconds, reset = wholeSeconds(decision.resetAfter)
        return [
            .rateLimitPolicy: "\"\(policy.name)\";q=\(policy.limit);w=\(window)",
            .rateLimit: "\"\(policy.name)\";r=\(decision.remaining);t=\(reset)",
        ]
    }
}

/// Rounded up: whoever comes back after it is not too early.
private func wholeSeconds(_ time: Nanoseconds) -> Int { Int((time + 999_999_999) / 1_000_000_000) }

extension Problem {
    static func rateLimited(_ policy: LimitPolicy, _ decision: LimitDecision) -> Problem {
        let wait: Int? = if case .refused(let time) = decision.outcome { max(1, wholeSeconds(time)) } else { nil }
        return Problem(
            .tooManyRequests, code: "rate_limited",
            detail: "More than \(policy.limit) requests of this kind in \(policy.window.components.seconds) seconds.",
            hint: "Wait as long as Retry-After says, then go on more slowly.", retryAfterSeconds: wait,
            closesConnection: true)
    }
}

extension Request {
    /// Who asks: an API key by its digest (the key itself is never stored), else the address of the connection.
    func client(_ context: GatewayContext) -> String {
        guard let key = headers[.apiKey], !key.isEmpty else { return "address:\(context.clientAddress)" }
        return "key:" + hexadecimal(SHA256.hash(data: Array(key.utf8))).prefix(16)
    }
}

extension HTTPField.Name {
    static let rateLimit = Self("RateLimit")!
    static let rateLimitPolicy = Self("RateLimit-Policy")!
}
