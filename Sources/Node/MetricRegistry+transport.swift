import TLSTransport
import Telemetry

extension MetricRegistry {
    /// What the socket for other nodes has let in and refused.
    func addTransport(_ transport: TLSTransport) {
        let refused = MetricDeclaration.counter(
            "cluster_peers_refused_total", help: "Peers that were not let in, or did not let this node in.",
            labels: ["reason"], seriesMax: 50)
        let reloads = MetricDeclaration.counter(
            "cluster_credential_reloads_total", help: "Changed certificate files, by what became of them.",
            labels: ["outcome"])
        let open = MetricDeclaration.gauge("cluster_connections_open", help: "Proven connections that are open now.")
        addReader([refused, reloads, open]) { readings in
            let counts = transport.counters
            for reason in PeerRefusal.allCases {
                readings.counter(refused.name, labels: [reason.rawValue], counts.refusals[reason] ?? 0)
            }
            readings.counter(reloads.name, labels: ["taken"], counts.reloads)
            readings.counter(reloads.name, labels: ["refused"], counts.reloadsFailed)
            readings.gauge(open.name, Double(counts.connections))
        }
    }
}
