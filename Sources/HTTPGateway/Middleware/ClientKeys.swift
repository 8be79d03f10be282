import ClipModel
import HTTPTypes
import Hummingbird
import Logging
import Telemetry

/// Finds out whose key a request carries, before anything is counted for a client. Below `/api` only: the tokens of
/// operators are another matter.
struct ClientKeys: RouterMiddleware {
    private let directory: KeyDirectory
    private let admission: AdmissionControl?
    private let counts: Counters?

    init(_ directory: KeyDirectory, _ admission: AdmissionControl?, _ registry: MetricRegistry?) {
        self.directory = directory
        self.admission = admission
        counts = registry?.counters(
            .counter(
                "http_keys_refused_total", help: "Keys of clients that opened nothing, by reason.",
                labels: ["reason"]))
    }

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        guard request.isForClients(context), let text = request.shownKey else {
            return try await next(request, context)
        }
        var context = context
        let tenant = try await tenant(of: text, request, context)
        context.client = tenant
        context.logger[metadataKey: "tenant"] = "\(tenant)"
        return try await next(request, context)
    }

    private func tenant(of text: String, _ request: Request, _ context: GatewayContext) async throws -> String {
        let address = request.addressSubject(context)
        do {
            return try await directory.holder(of: text, from: address).client.tenant
        } catch KeyDirectory.Trouble.blocked(let seconds) {
            throw blocked(seconds)
        } catch KeyDirectory.Trouble.refused(let refusal) {
            if let seconds = directory.blockedSeconds(address) { throw blocked(seconds) }
            counts?[refusal.rawValue].count()
            context.logger.debug(
                "key refused", metadata: ["reason": "\(refusal)", "client": "\(context.clientAddress)"])
            guard let admission else { throw Problem.unknownKey(refusal) }
            let problem = await admission.charge(.unknownKey(refusal), to: address, context)
            if problem.status == .tooManyRequests {
                directory.block(address, seconds: problem.retryAfterSeconds ?? 1)
            }
            throw problem
        } catch {
            guard var problem = Problem(error) else { throw error }
            // Nobody reads the body of a request whose client is not known.
            problem.closesConnection = true
            throw problem
        }
    }

    private func blocked(_ seconds: Double) -> Problem {
        counts?["blocked"].count()
        return .tooManyRefusedKeys(retryAfterSeconds: Int(seconds.rounded(.up)))
    }
}

/// Where keys are required, turns requests without one away. After the limits, so that those count for the address.
struct KeyRequirement: RouterMiddleware {
    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        let isOpen = !request.isForClients(context) || request.bringsLink(context)
        guard context.client != nil || isOpen else { throw Problem.keyRequired }
        return try await next(request, context)
    }
}

extension Request {
    /// What probes, scrapers and readers of the API ask, who are nobody's client: no key is looked at here.
    private static let open: Set<String> = ["/api/health", "/api/metrics", "/api/openapi.json"]

    /// By the route and not by the path, so that no spelling of a path gets around it. `OPTIONS` is what a browser asks
    /// before it may send a key.
    fileprivate func isForClients(_ context: GatewayContext) -> Bool {
        guard method != .options, let route = context.endpointPath else { return false }
        return route.hasPrefix("/api/") && !Self.open.contains(route)
    }

    private static let downloads: Set<String> = [
        "/api/clips/{id}/download", "/api/clips/{id}/subtitles", "/api/clips/{id}/thumbnail", "/api/jobs/{id}/archive",
    ]

    /// A signed link is made to be handed on. Whether it is a good one the route finds out (`DownloadGate`), which
    /// looks at every signature that is there.
    fileprivate func bringsLink(_ context: GatewayContext) -> Bool {
        query("signature") != nil && context.endpointPath.map(Self.downloads.contains) == true
    }

    /// What stands where a key belongs; nil: nothing does. Another bearer token is not meant for us.
    fileprivate var shownKey: String? {
        if let key = headers[.apiKey] { return key }
        guard let parts = headers[.authorization]?.split(separator: " ", maxSplits: 1), parts.count == 2,
            parts[0].lowercased() == "bearer", parts[1].hasPrefix(APIKey.prefix)
        else { return nil }
        return String(parts[1])
    }
}

extension Problem {
    static func unknownKey(_ refusal: KeyCache.Refusal) -> Problem {
        let (detail, hint): (String, String) =
            switch refusal {
            case .malformed:
                (
                    "This is no API key: it was cut off, mistyped or made up.",
                    "Send the whole key in X-API-Key, as it was handed out: \(APIKey.prefix) and "
                        + "\(APIKey.charactersMax - APIKey.prefix.count) letters and digits."
                )
            case .unknown:
                (
                    "No client has this API key.",
                    "Ask the operator of this service for a key; or send none, where that is allowed."
                )
            case .revoked: ("This API key was revoked.", "Ask the operator of this service for another.")
            case .expired: ("This API key has expired.", "Ask the operator of this service for another.")
            }
        var problem = Problem(
            .unauthorized, code: "unknown_key", detail: detail, hint: hint, field: "X-API-Key", closesConnection: true)
        problem.headers[.wwwAuthenticate] = #"Bearer realm="api", error="invalid_token""#
        return problem
    }

    static let keyRequired: Problem = {
        var problem = Problem(
            .unauthorized, code: "key_required", detail: "This service is for clients with an API key.",
            hint: "Send yours in X-API-Key; the operator of this service hands them out.", field: "X-API-Key",
            closesConnection: true)
        problem.headers[.wwwAuthenticate] = #"Bearer realm="api""#
        return problem
    }()

    static func tooManyRefusedKeys(retryAfterSeconds: Int) -> Problem {
        Problem(
            .tooManyRequests, code: "rate_limited", detail: "Too many keys that are none came from this address.",
            hint: "Correct the key, and wait as long as Retry-After says.", retryAfterSeconds: retryAfterSeconds,
            closesConnection: true)
    }
}
