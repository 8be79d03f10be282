import Blobs
import ClipModel
import HTTPTypes
import Hummingbird
import Jobs
import Logging

/// While the region refuses: turns clients' orders for new work away before a byte of the body is read, with the time
/// after which to come back: new videos, new jobs, and work on jobs that have ended (`Route.ordersWork`). Everything
/// else goes on: whoever has a job here can look, cancel, delete and download, and go on with an upload.
struct OverloadGate: RouterMiddleware {
    private let watch: OverloadWatch
    /// By their templates: the router takes more than one spelling of an address for the same.
    private let refused: Set<HTTPGateway.Endpoint>

    init(watch: OverloadWatch, routes: [Route]) {
        self.watch = watch
        refused = Set(routes.filter(\.ordersWork).map(\.endpoint))
    }

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        let state = watch.state
        guard state.level >= .refuse, let template = context.endpointPath,
            refused.contains(HTTPGateway.Endpoint(method: request.method, template: template))
        else { return try await next(request, context) }
        context.logger.info("request refused while overloaded", metadata: ["http.route": "\(template)"])
        throw state.isDiskFull ? Problem.diskFull(state) : Problem.overloaded(state)
    }
}

extension Problem {
    static func overloaded(_ state: OverloadState) -> Problem {
        Problem(
            .serviceUnavailable, code: "overloaded",
            detail: "More videos are waiting than this cluster can finish in a reasonable time"
                + (state.queueSeconds.map { ": a new one would wait about \(minutes($0))." } ?? "."),
            hint: "Nothing was taken in. Send the same request again after the time in Retry-After.",
            retryAfterSeconds: state.retryAfterSeconds, closesConnection: true)
    }

    /// The same as what an upload gets that runs out of room on its way, and sooner.
    static func diskFull(_ state: OverloadState) -> Problem {
        let failure = BlobError(.full, "").failure
        return Problem(
            HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"), code: failure.code,
            detail: failure.reason, hint: "Nothing was taken in. Operators make room; try again later.",
            retryAfterSeconds: state.retryAfterSeconds, closesConnection: true)
    }

    private static func minutes(_ seconds: Double) -> String {
        let minutes = Int((seconds / 60).rounded(.up))
        return minutes == 1 ? "1 minute" : "\(minutes) minutes"
    }
}
