import ClipModel
import Foundation
import HTTPGateway
import HTTPTypes
import Jobs
import Logging
import Store
import Testing

@Suite(.timeLimit(.minutes(5))) struct OverloadTests {
    /// Any work at all is too much where a level begins at so little; the disk of the machine has `free` bytes.
    private static func watch(refuse: Double = 3, deferNew: Double = 2, disk free: Int64 = 1 << 40) -> (any Store) ->
        OverloadWatch
    {
        { store in
            OverloadWatch(
                region: Door.region,
                configuration: OverloadConfiguration(
                    thresholds: OverloadLadder.Thresholds(
                        delayBatchSeconds: deferNew / 4, sendAwaySeconds: deferNew / 2, deferNewSeconds: deferNew,
                        refuseSeconds: refuse, dwell: .zero), deferSecondsMax: 600),
                store: store, machine: { MachineReading(diskFreeBytes: free) }, clock: ContinuousClock(),
                now: systemWallTime, logger: Logger(label: "watch") { _ in SwiftLogNoOpLogHandler() })
        }
    }

    private func send(_ door: Door, _ method: String, _ path: String) async throws -> RawClient.Reply {
        try await door.client.send(method, path, headers: [Door.jsonType], body: Array("{}".utf8))
    }

    @Test func `while it refuses, new uploads and jobs are turned away with the time to wait, and the rest goes on`()
        async throws
    {
        try await Door.open(overload: Self.watch()) { door in
            let job = try await door.submittedJob()
            _ = try await door.node()
            let watch = try #require(door.jobs.overload)
            await watch.look()
            #expect(watch.state.level == .refuse)
            for path in ["/api/upload", "/api/uploads", "/api/jobs"] {
                let reply = try await send(door, "POST", path)
                #expect(reply.status == 503)
                #expect(try reply.string("code") == "overloaded")
                #expect(reply.headers["content-type"] == "application/problem+json")
                #expect(reply.headers["retry-after"] == "\(watch.state.retryAfterSeconds)")
                #expect(try reply.string("detail").contains("2 minutes"))
                #expect(try reply.string("hint").contains("Retry-After"))
            }
            #expect(try await send(door, "GET", "/api/jobs").status == 200)
            #expect(try await send(door, "GET", "/api/jobs/\(job)").status == 200)
            let health = try await send(door, "GET", "/api/health")
            #expect(health.status == 200)
            #expect(try health.string("overload", "level") == "refuse")
            #expect(try health.string("overload", "reason").contains("would wait"))
            #expect(try health.json("overload", "regions", "0", "threads") as? Int == 2)
            #expect(try await send(door, "POST", "/api/jobs/\(job)/cancel").status == 200)
            // The work has gone, and with it the refusal.
            for _ in 0..<4 { await watch.look() }
            #expect(watch.state.level == .normal)
            #expect(try await door.upload([Door.Part(content: [1, 2, 3])]).status == 201)
        }
    }

    /// Nil: the answer tells of no problem.
    private static func code(of reply: RawClient.Reply) -> String? {
        struct Problem: Decodable { let code: String }
        return try? JSONDecoder().decode(Problem.self, from: Data(reply.body)).code
    }

    /// Orders of clients for work that was not under way, each to be sent with `POST`.
    private static let orders: Set<String> = [
        "/api/upload", "/api/uploads", "/api/imports", "/api/jobs", "/api/jobs/{id}/retry", "/api/jobs/{id}/rerender",
        "/api/clips",
    ]

    @Test(arguments: [false, true])
    func `while it refuses, of all routes the orders of clients for new work are refused, and no other`(
        isDiskFull: Bool
    ) async throws {
        let watch = isDiskFull ? Self.watch(refuse: 1e6, deferNew: 1e5, disk: 1000) : Self.watch()
        let code = isDiskFull ? "disk_full" : "overloaded"
        try await Door.open(AdminRouteTests.tokens, overload: watch) { door in
            _ = try await door.submittedJob()
            _ = try await door.node()
            let watch = try #require(door.jobs.overload)
            await watch.look()
            #expect(watch.state.level == .refuse)
            for endpoint in door.endpoints {
                let path = endpoint.template.split(separator: "/").map { $0.hasPrefix("{") ? "x" : $0 }
                let reply = try await send(door, endpoint.method.rawValue, "/" + path.joined(separator: "/"))
                let isOrder = endpoint.method == .post && Self.orders.contains(endpoint.template)
                #expect((Self.code(of: reply) == code) == isOrder, "\(endpoint): \(reply.text)")
            }
            #expect(Self.orders.isSubset(of: door.endpoints.map(\.template)))
        }
    }

    @Test func `while it refuses, only operators let a job begin again, and uploads go on`() async throws {
        try await Door.open(AdminRouteTests.tokens, overload: Self.watch()) { door in
            let failed = try await door.failedJob(try await door.node())
            let waiting = try await door.submittedJob()
            let upload = try await door.begin([("Upload-Length", "4")])
            let watch = try #require(door.jobs.overload)
            await watch.look()
            #expect(watch.state.level == .refuse)
            // The router takes an address for the same with a slash at its end.
            for path in ["/api/jobs/\(failed)/retry", "/api/jobs/\(failed)/retry/", "/api/jobs/"] {
                let reply = try await send(door, "POST", path)
                #expect(try reply.status == 503 && reply.string("code") == "overloaded", "\(path): \(reply.text)")
                #expect(reply.headers["retry-after"] == "\(watch.state.retryAfterSeconds)")
            }
            #expect(try await door.store.job(failed)?.status == .error)
            #expect(try await door.tus("PATCH", upload, at: 0, [1, 2]).status == 204)
            #expect(try await door.tus("HEAD", upload).headers["upload-offset"] == "2")
            let override = ("X-HTTP-Method-Override", "PATCH")
            #expect(try await door.tus("POST", upload, at: 2, headers: [override], [3, 4]).status == 204)
            let order = try await door.client.send(
                "POST", "/admin/v1/jobs/\(failed)/retry", headers: [AdminRouteTests.change])
            #expect(order.status == 200, "\(order.text)")
            #expect(try await send(door, "POST", "/api/jobs/\(waiting)/cancel").status == 200)
            #expect(try await send(door, "DELETE", "/api/jobs/\(waiting)").status == 204)
        }
    }

    @Test func `from the level that defers on, a job is accepted and says until when it waits`() async throws {
        try await Door.open(overload: Self.watch(refuse: 1e6)) { door in
            _ = try await door.submittedJob()
            _ = try await door.node()
            let watch = try #require(door.jobs.overload)
            await watch.look()
            #expect(watch.state.level == .deferNew)
            let uploaded = try await door.upload([Door.Part(content: [1, 2, 3])])
            #expect(uploaded.status == 201)
            let body = Array(#"{"uploadId": "\#(try uploaded.string("uploadId"))"}"#.utf8)
            let accepted = try await door.client.send("POST", "/api/jobs", headers: [Door.jsonType], body: body)
            #expect(accepted.status == 202)
            let id = try accepted.string("jobId")
            let shown = try await send(door, "GET", "/api/jobs/\(id)")
            #expect(try shown.string("job", "status") == "pending")
            #expect(try !shown.string("job", "deferredUntil").isEmpty)
        }
    }

    @Test func `a full disk is said to be one`() async throws {
        try await Door.open(overload: Self.watch(refuse: 1e6, deferNew: 1e5, disk: 1000)) { door in
            let watch = try #require(door.jobs.overload)
            await watch.look()
            let reply = try await door.upload([Door.Part(content: [1, 2, 3])])
            #expect(reply.status == 507)
            #expect(try reply.string("code") == "disk_full")
            #expect(reply.headers["retry-after"] == "30")
            #expect(try await send(door, "GET", "/api/jobs").status == 200)
        }
    }

    // MARK: The cluster's health

    private func row(_ name: String, region: String = "eu", _ condition: NodeCondition) -> Node {
        Node(
            id: NodeID(name)!, region: Region(region)!, epoch: 3, http: "http://\(name)", version: "1.2.3", threads: 2,
            startedAt: .sample, seenAt: .sample, isAlive: true, condition: condition, running: [])
    }

    private func health(_ one: NodeCondition, _ two: NodeCondition) -> ClusterHealth {
        let rows = [row("one", one), row("two", two), row("three", region: "us", NodeCondition())]
        return ClusterSample().report(rows).health
    }

    private func condition(_ level: OverloadLevel) -> NodeCondition {
        NodeCondition(level: level, levelSince: .sample, levelReason: "A job would wait 9 s.")
    }

    @Test func `a region's level is the highest that a node of it sees, with since when and why`() throws {
        let health = health(condition(.deferNew), condition(.refuse))
        #expect(!health.isHealthy && health.reasons.map(\.code) == ["overload_refuse"])
        let finding = try #require(health.reasons.first)
        #expect(finding.node == "two" && finding.text.contains("eu refuses") && finding.text.contains("would wait 9 s"))
        #expect(finding.text.contains("\(Timestamp.sample)"))
    }

    @Test func `the lower levels are worth a note and no alarm`() {
        let health = health(condition(.sendAway), condition(.normal))
        #expect(health.isHealthy && health.notes.map(\.code) == ["overload_send_away"])
    }

    @Test func `a node that has no room for work is a reason to look`() {
        let pause = NodeCondition.Pause(code: "disk_short", reason: "7 MiB of disk are free.", since: .sample)
        let health = health(NodeCondition(pause: pause), NodeCondition())
        #expect(health.reasons.map(\.code) == ["claims_paused"])
        #expect(health.reasons.first?.text.contains("7 MiB of disk are free.") == true)
    }

    @Test func `a node that does not reach its blobs is a reason to look`() {
        let outage = NodeCondition.Outage(reason: "S3: connection refused", since: .sample)
        let health = health(NodeCondition(), NodeCondition(blobOutage: outage))
        #expect(health.reasons.map(\.code) == ["blobs_out_of_reach"])
        #expect(health.reasons.first?.text.contains("since \(Timestamp.sample): S3: connection refused") == true)
    }
}
