import ClipModel
import Foundation
import HTTPGateway
import Membership
import Placement
import Store
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct AdminRouteTests {
    static let tokens = GatewayConfiguration(adminToken: "change-secret", adminReadToken: "look-secret")
    static let look = ("Authorization", "Bearer look-secret")
    static let change = ("Authorization", "Bearer change-secret")

    static let looking = [
        "/admin/v1/cluster", "/admin/v1/health", "/admin/v1/ring/explain?key=k", "/admin/v1/ring/diff?without=two",
        "/admin/v1/nodes/two/decommission",
    ]
    static let orders = ["cordon", "uncordon", "drain"].map { "/admin/v1/nodes/two/\($0)" }

    private func decoded<Value: Decodable>(_ reply: RawClient.Reply) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(reply.body))
    }

    @Test func `one token looks, the other also gives orders, and nobody else gets in`() async throws {
        try await Door.open(Self.tokens, cluster: ClusterSample().inspection) { door in
            _ = try await door.node("two")
            for path in Self.looking {
                for (headers, status) in [
                    ([Self.look], 200), ([Self.change], 200), ([], 401), ([("Authorization", "Bearer x")], 401),
                ] {
                    let reply = try await door.client.send("GET", path, headers: headers)
                    #expect(reply.status == status, "\(path): \(reply.text)")
                    #expect(!reply.text.contains("secret"))
                }
            }
            for path in Self.orders {
                for (headers, status, code) in [
                    ([Self.change], 200, nil), ([Self.look], 403, "token_may_only_read"), ([], 401, "unauthorized"),
                ] as [([(String, String)], Int, String?)] {
                    let reply = try await door.client.send("POST", path, headers: headers)
                    #expect(reply.status == status, "\(path): \(reply.text)")
                    if let code { #expect(try reply.string("code") == code) }
                }
                #expect(try await door.client.send("GET", path, headers: [Self.change]).status == 405)
            }
        }
    }

    @Test func `without tokens everything is shut, and a token to look opens no orders`() async throws {
        try await Door.open(cluster: ClusterSample().inspection) { door in
            for path in Self.looking + ["/admin/v1/status"] {
                let reply = try await door.client.send("GET", path, headers: [Self.look])
                #expect(try reply.status == 403 && reply.string("code") == "admin_closed")
            }
        }
        try await Door.open(GatewayConfiguration(adminReadToken: "look-secret")) { door in
            #expect(try await door.client.send("GET", "/admin/v1/status", headers: [Self.look]).status == 200)
            let reply = try await door.client.send("POST", Self.orders[0], headers: [Self.look])
            #expect(try reply.status == 403 && reply.string("code") == "token_may_only_read")
        }
    }

    @Test func `the report joins what members, links and database know`() async throws {
        let sample = ClusterSample()
        try await Door.open(Self.tokens, cluster: sample.inspection) { door in
            for name in ["one", "two", "three"] { _ = try await door.node(name) }
            let reply = try await door.client.send("GET", "/admin/v1/cluster", headers: [Self.look])
            let report: ClusterReport = try decoded(reply)
            #expect(report.cluster == "test" && report.node == "one" && report.database.state == .ok)
            #expect(report.nodes.map(\.id) == ["one", "three", "two"])
            #expect(report.nodes.allSatisfy { $0.holdsLease == true && $0.load?.threads == 2 })
            // The sample's certificates end in its own time; nothing else is wrong.
            let reasons = report.health.reasons.filter { !$0.code.hasPrefix("certificate") }
            #expect(reasons.isEmpty, "\(reasons)")
            let health: ClusterHealth = try decoded(
                try await door.client.send("GET", "/admin/v1/health", headers: [Self.look]))
            #expect(health == report.health)
        }
    }

    @Test func `an order is written down, told, and shown`() async throws {
        let sample = ClusterSample()
        try await Door.open(Self.tokens, cluster: sample.inspection) { door in
            let life = try await door.node("two")
            let drained: SchedulabilityAnswer = try decoded(
                try await door.client.send("POST", "/admin/v1/nodes/two/drain", headers: [Self.change]))
            #expect(drained.node == "two" && drained.schedulability == .draining && drained.isAlive)
            #expect(
                try await door.store.heartbeat(life, running: []) == .renewed(drop: [], schedulability: .draining))
            let report: ClusterReport = try decoded(
                try await door.client.send("GET", "/admin/v1/cluster", headers: [Self.look]))
            let two = try #require(report.nodes.first { $0.id == "two" })
            #expect(two.schedulability == .draining && two.obeys == false)
            for path in ["/admin/v1/nodes/two/uncordon", "/admin/v1/nodes/two/uncordon"] {
                #expect(try await door.client.send("POST", path, headers: [Self.change]).status == 200)
            }
            #expect(try await door.store.heartbeat(life, running: []) == .renewed(drop: []))
        }
    }

    @Test(arguments: [
        ("POST", "/admin/v1/nodes/stranger/cordon"), ("POST", "/admin/v1/nodes/..%2f/cordon"),
        ("GET", "/admin/v1/nodes/stranger/decommission"), ("GET", "/admin/v1/ring/diff?without=stranger"),
        ("GET", "/admin/v1/ring/diff"), ("GET", "/admin/v1/ring/diff?without=%20"),
    ])
    func `a node that nobody knows is not found`(method: String, path: String) async throws {
        try await Door.open(Self.tokens, cluster: ClusterSample().inspection) { door in
            let reply = try await door.client.send(method, path, headers: [Self.change])
            #expect(try reply.status == 404 && reply.string("code") == "no_such_node")
        }
    }

    @Test func `a key is explained as placement explains it`() async throws {
        let sample = ClusterSample()
        try await Door.open(Self.tokens, cluster: sample.inspection) { door in
            let reply = try await door.client.send(
                "GET", "/admin/v1/ring/explain?key=job%2F1&kind=job-coordinator&home=eu", headers: [Self.look])
            let explanation: PlacementExplanation = try decoded(reply)
            let key = PlacementKey("job/1", kind: "job-coordinator", home: "eu")
            #expect(explanation == sample.snapshot.placement.explain(key))
            let difference: PlacementDifference = try decoded(
                try await door.client.send("GET", "/admin/v1/ring/diff?without=three", headers: [Self.look]))
            let placement = sample.snapshot.placement
            #expect(difference == placement.difference(to: placement.without(.named("three"))))
        }
    }

    @Test(arguments: [
        ("", "invalid_key"), ("key=", "invalid_key"), ("key=" + String(repeating: "k", count: 1025), "invalid_key"),
        ("key=k&kind=" + String(repeating: "k", count: 1025), "invalid_key"), ("key=k&home=Europe!", "invalid_region"),
    ])
    func `a key that cannot be asked for is refused`(query: String, code: String) async throws {
        try await Door.open(Self.tokens, cluster: ClusterSample().inspection) { door in
            let reply = try await door.client.send("GET", "/admin/v1/ring/explain?\(query)", headers: [Self.look])
            #expect(try reply.status == 400 && reply.string("code") == code)
            let longest = String(repeating: "k", count: 1024)
            let fits = try await door.client.send("GET", "/admin/v1/ring/explain?key=\(longest)", headers: [Self.look])
            #expect(fits.status == 200)
        }
    }

    @Test func `a node without a cluster says so`() async throws {
        try await Door.open(Self.tokens) { door in
            let reply = try await door.client.send("GET", "/admin/v1/cluster", headers: [Self.look])
            #expect(try reply.status == 503 && reply.string("code") == "no_cluster")
        }
    }

    @Test func `operators get their answer while the database is a black hole`() async throws {
        let hole = BrokenStore(
            StoreError(.unavailable, "silent"),
            listing: {
                // Longer than any test; ends by cancellation.
                try await ContinuousClock().sleep(for: .seconds(3600))
                return []
            })
        try await Door.open(Self.tokens, store: hole, cluster: ClusterSample().inspection) { door in
            for path in Self.looking {
                // Other tests may keep the machine busy: one of many tries has to be in time, and a tenth of a second
                // is for a machine that has nothing else to do. Whoever waited for the database would never be.
                var fastest = Duration.seconds(3600)
                for _ in 0..<50 where fastest >= .milliseconds(500) {
                    let start = ContinuousClock().now
                    let reply = try await door.client.send("GET", path, headers: [Self.look])
                    #expect(reply.status == 200, "\(reply.text)")
                    fastest = min(fastest, ContinuousClock().now - start)
                }
                #expect(fastest < .milliseconds(500), "\(path) took \(fastest)")
            }
            let report: ClusterReport = try decoded(
                try await door.client.send("GET", "/admin/v1/cluster", headers: [Self.look]))
            #expect(report.database.state == .slow && report.nodes.map(\.state) == [.alive, .alive, .alive])
            #expect(report.health.reasons.map(\.code).contains("database_slow"))
        }
    }

    @Test func `an order that cannot be written down is no order`() async throws {
        let broken = BrokenStore(StoreError(.unavailable, "down"))
        try await Door.open(Self.tokens, store: broken, cluster: ClusterSample().inspection) { door in
            let reply = try await door.client.send("POST", Self.orders[0], headers: [Self.change])
            #expect(try reply.status == 503 && reply.string("code") == "database_unavailable")
        }
    }
}
