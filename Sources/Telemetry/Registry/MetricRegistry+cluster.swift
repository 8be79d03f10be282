package import ActorCluster
import Membership

extension MetricRegistry {
    private typealias Total = (name: String, help: String, read: @Sendable (ClusterCounters) -> Int)
    private typealias Reasons = (name: String, help: String, read: @Sendable (ClusterCounters) -> [String: Int])

    /// The counters of the actor system, and its view of the cluster.
    package func addClusterCounters(of system: ClusterActorSystem) {
        let totals = Self.calls + Self.connections + Self.actors
        let reasons = Self.byReason
        let members = MetricDeclaration.gauge(
            "cluster_members_known", help: "Members as this node believes them to be, by status.", labels: ["status"])
        let active = MetricDeclaration.gauge(
            "cluster_actors_active", help: "Virtual actors that are active on this node.")
        let declarations =
            totals.map { MetricDeclaration.counter($0.name, help: $0.help) }
            + reasons.map { MetricDeclaration.counter($0.name, help: $0.help, labels: ["reason"], seriesMax: 50) }
        addReader(declarations + [members, active]) { readings in
            let counts = system.counts
            for total in totals { readings.counter(total.name, total.read(counts)) }
            for counter in reasons {
                for (reason, total) in counter.read(counts) { readings.counter(counter.name, labels: [reason], total) }
            }
            let known = system.members
            for status in MemberStatus.allCases {
                readings.gauge(members.name, labels: ["\(status)"], Double(known.count { $0.status == status }))
            }
            readings.gauge(active.name, Double(system.activeKeys.count))
        }
    }

    private static var calls: [Total] {
        [
            ("cluster_calls_sent_total", "Calls to other nodes.", { $0.callsSent }),
            ("cluster_calls_local_total", "Calls that stayed on this node.", { $0.callsLocal }),
            ("cluster_calls_served_total", "Calls that ran here.", { $0.callsServed }),
            ("cluster_calls_busy_total", "Calls turned away because too many were running.", { $0.callsRefusedBusy }),
            ("cluster_calls_forbidden_total", "Calls to what may not be called.", { $0.callsRefusedNotAllowed }),
            ("cluster_calls_strayed_total", "Calls to actors that are not here.", { $0.callsRefusedNoSuchActor }),
            ("cluster_calls_misplaced_total", "Calls for keys of other nodes.", { $0.callsRefusedWrongOwner }),
            ("cluster_calls_redirected_total", "Calls sent again to another owner.", { $0.callsRedirected }),
            ("cluster_calls_expired_total", "Calls whose time was over.", { $0.callsExpired }),
            ("cluster_cancels_sent_total", "Calls that this node gave up.", { $0.cancelsSent }),
            ("cluster_cancels_received_total", "Calls that their callers gave up.", { $0.cancelsReceived }),
            ("cluster_replies_late_total", "Replies that nobody waited for any more.", { $0.repliesLate }),
            ("cluster_gossip_sent_total", "Messages of membership sent.", { $0.gossipSent }),
            ("cluster_gossip_received_total", "Messages of membership received.", { $0.gossipReceived }),
            ("cluster_gossip_dropped_total", "Messages of membership that got nowhere.", { $0.gossipDropped }),
        ]
    }

    private static var connections: [Total] {
        [
            ("cluster_dials_total", "Attempts to connect to a node.", { $0.dials }),
            ("cluster_connections_established_total", "Connections that were made.", { $0.connectionsEstablished }),
            (
                "cluster_connections_replaced_total", "Connections that gave way to a newer one.",
                { $0.connectionsReplaced }
            ),
            (
                "cluster_connections_silent_total", "Connections given up because nothing came.",
                { $0.silentConnections }
            ),
            ("cluster_protocol_errors_total", "Connections on which a peer broke the protocol.", { $0.protocolErrors }),
            ("cluster_streams_opened_total", "Streams of bytes opened from here.", { $0.streamsOpened }),
            ("cluster_streams_served_total", "Streams of bytes opened by other nodes.", { $0.streamsServed }),
            ("cluster_streams_refused_total", "Streams of bytes turned away.", { $0.streamsRefused }),
        ]
    }

    private static var actors: [Total] {
        [
            ("cluster_activations_total", "Virtual actors made here.", { $0.activations }),
            ("cluster_activations_failed_total", "Virtual actors that could not be made.", { $0.activationsFailed }),
            ("cluster_passivations_total", "Virtual actors put to sleep.", { $0.passivations }),
            ("cluster_evictions_total", "Virtual actors put to sleep because their key moved.", { $0.evictions }),
        ]
    }

    private static var byReason: [Reasons] {
        [
            ("cluster_handshakes_refused_total", "Handshakes that this node refused.", { $0.handshakesRefused }),
            (
                "cluster_handshakes_turned_away_total", "Handshakes of this node that a peer refused.",
                { $0.handshakesTurnedAway }
            ),
            ("cluster_dials_failed_total", "Attempts to connect that found no connection.", { $0.dialsFailed }),
            ("cluster_connections_ended_total", "Connections that came to an end.", { $0.connectionsEnded }),
        ]
    }
}
