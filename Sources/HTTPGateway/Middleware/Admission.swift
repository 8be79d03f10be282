import HTTPTypes
import Hummingbird
package import Limits
import Logging
import Telemetry

/// What a client may ask of the whole cluster, and who is asked whether it may. Tests put in what they like.
package struct RequestAdmission: Sendable {
    /// In the order in which they are asked: the first that refuses decides.
    package let rules: [LimitRule]
    /// How many keys that are none an address may show; nil: as many as it likes. No request matches it: each key that
    /// is refused is counted by itself.
    package let refusedKeys: LimitRule?
    /// Asks the bucket of this subject for one unit, wherever in the cluster it is. Always answers: what happens while
    /// its owner is out of reach is the policy's to say.
    package let ask: @Sendable (_ policy: LimitPolicy, _ subject: String) async -> LimitAnswer

    package init(
        rules: [LimitRule], refusedKeys: LimitRule? = nil,
        ask: @escaping @Sendable (_ policy: LimitPolicy, _ subject: String) async -> LimitAnswer
    ) {
        self.rules = rules
        self.refusedKeys = refusedKeys
        self.ask = ask
    }

    /// Videos that one client may send, and jobs that it may begin.
    package init(
        uploads: LimitPolicy, jobs: LimitPolicy,
        ask: @escaping @Sendable (_ policy: LimitPolicy, _ subject: String) async -> LimitAnswer
    ) {
        self.init(
            rules: [LimitRule("POST", "/api/upload", uploads), LimitRule("POST", "/api/jobs", jobs)], ask: ask)
    }
}

/// Refuses with 429 what is over a client's limit, before a byte of the body is read, and says in every answer that was
/// counted how much is left (`RateLimit` and `RateLimit-Policy`, draft-ietf-httpapi-ratelimit-headers-10).
struct AdmissionControl: RouterMiddleware {
    private let admission: RequestAdmission
    private let running = RequestsAtOnce()
    private let counts: Counters?

    init(_ admission: RequestAdmission, _ registry: MetricRegistry?) {
        self.admission = admission
        counts = registry?.counters(
            .counter(
                "http_requests_limited_total", help: "Requests over a limit: refused, or let through by a shadow rule.",
                labels: ["rule", "outcome"]))
    }

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var fields: [(policy: String, left: String)] = []
        var places: [RequestsAtOnce.Place] = []
        for rule in admission.rules where rule.matches(method: request.method.rawValue, path: request.uri.path) {
            guard let subject = request.subject(of: rule, context) else { continue }
            if let most = rule.atOnceMax {
                if let place = running.enter(rule.name + " " + subject, max: most) {
                    places.append(place)
                } else if !isLetThrough(rule, "at_once", context) {
                    throw Self.with(fields, .tooManyAtOnce(most))
                }
            }
            let answer = await admission.ask(rule.policy, subject)
            if !rule.isShadow { fields.append(Self.fields(rule.policy, answer.decision)) }
            if !answer.isAllowed, !isLetThrough(rule, "rate", context) {
                throw Self.with(fields, .rateLimited(rule.policy, answer.decision))
            }
        }
        do {
            var response = try await next(request, context)
            Self.write(fields, &response.headers)
            if !places.isEmpty { response.body = response.body.holding(places) }
            return response
        } catch {
            guard let problem = Problem(error) else { throw error }
            throw Self.with(fields, problem)
        }
    }

    /// Counts a key that was refused against the address that showed it. Answers with the problem to throw: the one
    /// that was given, or another when there were too many.
    func charge(_ problem: Problem, to address: String, _ context: GatewayContext) async -> Problem {
        guard let rule = admission.refusedKeys else { return problem }
        let answer = await admission.ask(rule.policy, address)
        let fields = rule.isShadow ? [] : [Self.fields(rule.policy, answer.decision)]
        guard !answer.isAllowed, !isLetThrough(rule, "rate", context) else { return Self.with(fields, problem) }
        let seconds: Int? = if case .refused(let time) = answer.decision.outcome { wholeSeconds(time) } else { nil }
        return Self.with(fields, .tooManyRefusedKeys(retryAfterSeconds: max(1, seconds ?? 1)))
    }

    /// Counts and logs a request over a limit; true when the rule only watches.
    private func isLetThrough(_ rule: LimitRule, _ limit: String, _ context: GatewayContext) -> Bool {
        let outcome = (rule.isShadow ? "shadow_" : "refused_") + limit
        counts?[rule.name, outcome].count()
        context.logger.info(
            "request over its limit", metadata: ["limit.policy": "\(rule.name)", "limit.outcome": "\(outcome)"])
        return rule.isShadow
    }

    private static func with(_ fields: [(policy: String, left: String)], _ problem: Problem) -> Problem {
        var problem = problem
        write(fields, &problem.headers)
        return problem
    }

    private static func write(_ fields: [(policy: String, left: String)], _ headers: inout HTTPFields) {
        guard !fields.isEmpty else { return }
        headers[.rateLimitPolicy] = fields.map(\.policy).joined(separator: ", ")
        headers[.rateLimit] = fields.map(\.left).joined(separator: ", ")
    }

    private static func fields(_ policy: LimitPolicy, _ decision: LimitDecision) -> (policy: String, left: String) {
        let window = policy.window.components.seconds, reset = wholeSeconds(decision.resetAfter)
        return (
            "\"\(policy.name)\";q=\(policy.limit);w=\(window)",
            "\"\(policy.name)\";r=\(decision.remaining);t=\(reset)"
        )
    }
}

/// Rounded up: whoever comes back after it is not too early.
private func wholeSeconds(_ time: Nanoseconds) -> Int { Int((time + 999_999_999) / 1_000_000_000) }

extension ResponseBody {
    /// The same, and the places are given back when it has been written, or is never going to be.
    fileprivate func holding(_ places: [RequestsAtOnce.Place]) -> ResponseBody {
        let body = self
        return ResponseBody(contentLength: contentLength) { writer in
            try await body.write(writer)
            withExtendedLifetime(places) {}
        }
    }
}

extension Problem {
    static func rateLimited(_ policy: LimitPolicy, _ decision: LimitDecision) -> Problem {
        let wait: Int? = if case .refused(let time) = decision.outcome { max(1, wholeSeconds(time)) } else { nil }
        return Problem(
            .tooManyRequests, code: "rate_limited",
            detail: "More than \(policy.limit) requests of this kind in \(policy.window.components.seconds) seconds.",
            hint: "Wait as long as Retry-After says, then go on more slowly.", retryAfterSeconds: wait,
            closesConnection: true)
    }

    static func tooManyAtOnce(_ most: Int) -> Problem {
        Problem(
            .tooManyRequests, code: "too_many_at_once",
            detail: "This node answers \(most) requests of this kind at a time for one client.",
            hint: "Wait for one of them to end, or ask another node.", retryAfterSeconds: 1, closesConnection: true)
    }
}

extension Request {
    /// Who asks: the client of a registered key, else the address of the connection.
    func client(_ context: GatewayContext) -> String { context.client ?? addressSubject(context) }

    fileprivate func subject(of rule: LimitRule, _ context: GatewayContext) -> String? {
        switch rule.subject {
        case .client: client(context)
        case .address: addressSubject(context)
        case .key: context.client
        }
    }

    func addressSubject(_ context: GatewayContext) -> String {
        "address:" + (IPAddress(context.clientAddress)?.subject ?? context.clientAddress)
    }
}

extension HTTPField.Name {
    static let rateLimit = Self("RateLimit")!
    static let rateLimitPolicy = Self("RateLimit-Policy")!
}
