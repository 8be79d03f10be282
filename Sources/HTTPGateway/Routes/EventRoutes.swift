import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import Store

/// `GET /api/jobs/{id}/events`: what happens to a job, as it happens, on whatever node the client asks.
///
/// First `snapshot`, then every durable event after `Last-Event-ID` (all of them without one) under its kind and with
/// its id, `progress` in between when the picture has changed, and `end` when the job has ended.
struct EventRoutes: Sendable {
    let jobs: JobService
    let downloads: DownloadGate
    let configuration: GatewayConfiguration
    let clock: any Clock<Duration>
    let slots: StreamSlots

    var routes: [Route] { [Route(.get, "/api/jobs/{id}/events", events)] }

    @Sendable private func events(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let id = try context.jobID()
        guard try await jobs.store.job(id) != nil else { throw Problem.noSuchJob }
        let headers: HTTPFields = [
            .contentType: "text/event-stream", .cacheControl: "no-store", .connection: "close",
            // nginx holds answers back unless told not to.
            HTTPField.Name("X-Accel-Buffering")!: "no",
        ]
        guard request.method != .head else { return Response(status: .ok, headers: headers) }
        guard let slot = slots.take() else {
            throw Problem(
                .serviceUnavailable, code: "too_many_streams",
                detail: "This node serves \(configuration.streamsMax) event streams already.",
                hint: "Try again in a few seconds, ask another node, or poll GET /api/jobs/{id}.", retryAfterSeconds: 5)
        }
        let after = request.headers[.lastEventID].flatMap { Int64($0) } ?? 0
        let stream = EventStream(
            jobs: jobs, downloads: downloads, id: id, after: max(0, after), pace: configuration.eventPace, clock: clock)
        let body = ResponseBody { writer in
            try await request.body.consumeWithCancellationOnInboundClose { _ in try await stream.run(&writer) }
            withExtendedLifetime(slot) {}
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }
}
