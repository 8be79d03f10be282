import HTTPTypes
import Hummingbird
import NIOCore
package import Telemetry

/// How the front door gets at figures. The composition root fills it in.
package struct MetricsInspection: Sendable {
    package let registry: MetricRegistry
    /// Of the whole cluster. Within a bounded time, whatever the network does.
    package let figures: @Sendable () async -> ClusterFigures

    package init(registry: MetricRegistry, figures: @escaping @Sendable () async -> ClusterFigures) {
        self.registry = registry
        self.figures = figures
    }
}

/// This node's figures for Prometheus, and the cluster's for operators.
struct MetricsRoutes: Sendable {
    let inspection: MetricsInspection
    let gate: AdminGate

    var routes: [Route] {
        [Route(.get, "/api/metrics", text), Route(.get, "/admin/v1/metrics", figures)]
    }

    @Sendable private func text(_ request: Request, _ context: GatewayContext) async throws -> Response {
        Response(
            status: .ok, headers: [.contentType: PrometheusText.contentType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: inspection.registry.prometheusText())))
    }

    @Sendable private func figures(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try gate.admit(request, to: .look)
        return JSONAnswer.make(await inspection.figures())
    }
}
