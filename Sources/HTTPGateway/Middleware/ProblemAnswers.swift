import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Turns whatever a route throws into `application/problem+json`. Surprises are logged and told nobody else.
struct ProblemAnswers: RouterMiddleware {
    let table: RouteTable
    let lingerSeconds: Int

    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            return answer(problem(for: error, request, context), to: request, context)
        }
    }

    private func problem(for error: any Error, _ request: Request, _ context: GatewayContext) -> Problem {
        guard let problem = Problem(error) else {
            // A runbook entry: the id leads from a client's report to this line.
            context.logger.error("request failed unexpectedly", metadata: ["error": "\(error)"])
            return .unexpected
        }
        guard problem == .notFound else { return problem }
        let allowed = table.allowedMethods(for: request.uri.path)
        return allowed.isEmpty ? problem : .methodNotAllowed(allowed)
    }

    private func answer(_ problem: Problem, to request: Request, _ context: GatewayContext) -> Response {
        var response = problem.response(requestID: context.requestID)
        if problem.closesConnection {
            response.headers[.connection] = "close"
            context.close(afterSeconds: lingerSeconds)
        }
        return request.method == .head ? response.createHeadResponse() : response
    }
}

extension Problem {
    func response(requestID: String) -> Response {
        var response = JSONAnswer.make(body(requestID: requestID), status: status)
        response.headers[.contentType] = "application/problem+json"
        response.headers[.cacheControl] = "no-store"
        if let seconds = retryAfterSeconds { response.headers[.retryAfter] = "\(seconds)" }
        response.headers.append(contentsOf: headers)
        if let methods = allow { response.headers[.allow] = methods.joined(separator: ", ") }
        if code == "unauthorized" { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }
}

extension GatewayContext {
    /// Closing at once would reset the connection and take the answer along while the client is still sending: what it
    /// sends is thrown away for a while first.
    func close(afterSeconds seconds: Int) {
        let channel = channel
        channel.eventLoop.scheduleTask(in: .seconds(Int64(seconds))) { channel.close(promise: nil) }
    }
}
