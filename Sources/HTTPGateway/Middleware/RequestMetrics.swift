import Hummingbird
import Telemetry

/// Counts requests and measures answers, by route template: an address holds ids and would be as many series as jobs.
struct RequestMetrics: RouterMiddleware {
    private let requests: Counters
    private let seconds: Histograms
    private let clock: any Clock<Duration>

    init(_ registry: MetricRegistry, clock: any Clock<Duration>) {
        requests = registry.counters(
            .counter(
                "http_requests_total", help: "Requests that were answered, by route and class of status.",
                labels: ["method", "route", "status"], seriesMax: 300))
        seconds = registry.histograms(
            .histogram(
                "http_answer_seconds", help: "From a request's head to the head of its answer.",
                labels: ["method", "route"],
                seriesMax: 60))
        self.clock = clock
    }

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        let elapsed = stopwatch(clock)
        let response = try await next(request, context)
        let route = context.endpointPath ?? "none"
        requests[request.method.rawValue, route, "\(response.status.code / 100)xx"].count()
        seconds[request.method.rawValue, route].record(elapsed())
        return response
    }
}
