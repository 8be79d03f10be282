import Blobs
import ClipModel
import HTTPTypes
import Hummingbird
import Jobs
import Logging

/// While the region refuses: turns new videos and new jobs away before a byte of the body is read, with the time after
/// which to come back. Everything else goes on: whoever has a job here can look, cancel, retry and download.
struct OverloadGate: RouterMiddleware {
    static let refused: Set<String> = ["/api/upload", "/api/uploads", "/api/imports", "/api/jobs"]

    let watch: OverloadWatch

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        guard request.method == .post, Self.refused.contains(request.uri.path) else {
            return try await next(request, context)
        }
        let state = watch.state
        guard state.level < .refuse else {
            context.logger.info("request refused while overloaded", metadata: ["http.route": "\(request.uri.path)"])
            throw state.isDiskFull ? Problem.diskFull(state) : Problem.overloaded(state)
        }
        return try await next(request, context)
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
