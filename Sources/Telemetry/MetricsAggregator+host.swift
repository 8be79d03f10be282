package import ActorCluster
import Distributed
package import Logging

/// What the rest of a node uses.
extension MetricsAggregator {
    /// Makes the aggregator of this node, by the name under which others find it. Once, before the system runs; then
    /// `run` lives as long as the node.
    ///
    /// - Parameter registry: whose figures are reported. The cluster's own counters are added to it.
    package static func host(
        on system: ClusterActorSystem, registry: MetricRegistry,
        configuration: MetricsConfiguration = MetricsConfiguration(), clock: any Clock<Duration> = ContinuousClock(),
        log: Logger = Logger(label: "metrics")
    ) throws -> MetricsAggregator {
        let aggregator = try system.host(name) {
            MetricsAggregator(actorSystem: system, registry, configuration, clock, log)
        }
        registry.addClusterCounters(of: system)
        return aggregator
    }

    /// Reports every interval. Ends by cancellation only, which it throws.
    nonisolated package func run() async throws {
        try await whenLocal { aggregator in
            while true {
                await aggregator.round()
                // Before the first view there is nobody to report to, and it comes soon.
                let isAlone = aggregator.keepers == nil
                let pause = aggregator.configuration.interval
                try await aggregator.clock.sleep(for: isAlone ? min(pause, .milliseconds(500)) : pause)
            }
        }
    }

    /// Reports at once: before a node leaves, so that what it counted last is not lost.
    nonisolated package func reportNow() async { await whenLocal { await $0.round() } }

    /// The figures of the whole cluster: asked for now, or a moment old. Within `askTimeLimit`, whatever the network
    /// does.
    nonisolated package func clusterFigures() async -> ClusterFigures {
        // It is hosted here: `host` is the only way to have one.
        await whenLocal { await $0.collect() }!
    }

    /// The figures of this node in the text format of Prometheus.
    nonisolated package func prometheusText() async -> String {
        await whenLocal { $0.registry }!.prometheusText()
    }
}
