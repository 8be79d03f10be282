import Blobs
import ClipModel
import Foundation
import HTTPGateway
import Jobs
import Store
import Testing

@Suite(.timeLimit(.minutes(5))) struct AdminJobRouteTests {
    private static let look = AdminRouteTests.look
    private static let change = AdminRouteTests.change
    private static let nobody = "job_01hzzzzzzzzzzzzzzzzzzzzzzz"

    private func get<Value: Decodable>(
        _ door: Door, _ path: String, as type: Value.Type = Value.self
    ) async throws -> Value {
        let reply = try await door.client.send("GET", path, headers: [Self.look])
        try #require(reply.status == 200, "\(path): \(reply.text)")
        return try JSONDecoder().decode(Value.self, from: Data(reply.body))
    }

    private func post<Value: Decodable>(
        _ door: Door, _ path: String, as type: Value.Type = Value.self
    ) async throws -> Value {
        let reply = try await door.client.send("POST", path, headers: [Self.change])
        try #require(reply.status == 200, "\(path): \(reply.text)")
        return try JSONDecoder().decode(Value.self, from: Data(reply.body))
    }

    @Test func `the tally tells how jobs ended`() async throws {
        try await Door.open(AdminRouteTests.tokens, cluster: ClusterSample().inspection) { door in
            _ = try await door.failedJob(try await door.node())
            _ = try await door.store.countEffects(limit: 10)
            let answer: TallyAnswer = try await get(door, "/admin/v1/tally?days=2")
            #expect(answer.days == 2)
            #expect(answer.rows.map(\.name) == ["failures:disk_full", "jobs_error"])
            #expect(answer.rows.allSatisfy { $0.count == 1 })
            let reply = try await door.client.send("GET", "/admin/v1/tally?days=0", headers: [Self.look])
            #expect(try reply.status == 400 && reply.string("code") == "invalid_days")
            #expect(try await door.client.send("GET", "/admin/v1/tally").status == 401)
        }
    }

    @Test func `clients are listed with what they have, and given terms`() async throws {
        try await Door.open(AdminRouteTests.tokens, cluster: ClusterSample().inspection) { door in
            _ = try await door.submittedJob()
            let page: OperatorClientPage = try await get(door, "/admin/v1/clients")
            let client = try #require(page.clients.first)
            #expect(client.weight == 1 && client.jobsMax == nil && client.underWay == 1 && client.held == 0)
            let path = "/admin/v1/clients/terms?client=\(client.client)"
            let terms: OperatorTerms = try await post(door, path + "&weight=2.5&jobsMax=3")
            #expect(terms.weight == 2.5 && terms.jobsMax == 3)
            let after: OperatorClientPage = try await get(door, "/admin/v1/clients")
            #expect(after.clients.first?.weight == 2.5 && after.clients.first?.jobsMax == 3)
            let back: OperatorTerms = try await post(door, path)
            #expect(back.weight == 1 && back.jobsMax == nil)
        }
    }

    @Test(arguments: [
        ("", "invalid_client"), ("?client=x&weight=much", "invalid_weight"),
        ("?client=x&jobsMax=1.5", "invalid_jobsMax"),
        ("?client=x&weight=0", "invalid_terms"), ("?client=x&weight=nan", "invalid_terms"),
        ("?client=x&jobsMax=0", "invalid_terms"), ("?client=x&jobsMax=9999999999", "invalid_terms"),
    ])
    func `terms that make no sense are refused`(query: String, code: String) async throws {
        try await Door.open(AdminRouteTests.tokens, cluster: ClusterSample().inspection) { door in
            let path = "/admin/v1/clients/terms" + query
            let reply = try await door.client.send("POST", path, headers: [Self.change])
            #expect((400...422).contains(reply.status))
            #expect(try reply.string("code") == code, "\(reply.text)")
            #expect(try await door.client.send("POST", path).status == 401)
            #expect(try await door.client.send("POST", path, headers: [Self.look]).status == 403)
        }
    }

    @Test func `one token looks at jobs, the other orders, and nobody else gets in`() async throws {
        try await Door.open(AdminRouteTests.tokens, cluster: ClusterSample().inspection) { door in
            let id = try await door.failedJob(try await door.node())
            let looking = [
                "/admin/v1/jobs", "/admin/v1/jobs/\(id)", "/admin/v1/jobs/\(id)/why", "/admin/v1/dead-letters",
            ]
            for path in looking {
                for (headers, status) in [([Self.look], 200), ([Self.change], 200), ([], 401)] {
                    let reply = try await door.client.send("GET", path, headers: headers)
                    #expect(reply.status == status, "\(path): \(reply.text)")
                }
            }
            let orders = [
                "/admin/v1/dead-letters/requeue?dryRun=true", "/admin/v1/jobs/\(id)/stages/scan/0/requeue",
                "/admin/v1/jobs/\(id)/cancel",
            ]
            for path in orders {
                #expect(try await door.client.send("POST", path).status == 401)
                let forbidden = try await door.client.send("POST", path, headers: [Self.look])
                #expect(try forbidden.status == 403 && forbidden.string("code") == "token_may_only_read")
                #expect(try await door.client.send("POST", path, headers: [Self.change]).status == 200)
            }
            #expect(
                try await door.client.send("POST", "/admin/v1/jobs/\(id)/retry", headers: [Self.look]).status == 403)
        }
    }

    @Test func `jobs are listed by status and client, a page at a time`() async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            let life = try await door.node()
            let failed = try await door.failedJob(life)
            let waiting = [try await door.submittedJob(), try await door.submittedJob()]
            let all: OperatorJobPage = try await get(door, "/admin/v1/jobs?tenant=test&limit=2")
            #expect(all.jobs.count == 2 && all.nextCursor == all.jobs.last?.id)
            let cursor = try #require(all.nextCursor)
            let rest: OperatorJobPage = try await get(door, "/admin/v1/jobs?limit=2&cursor=\(cursor)")
            // Jobs of one millisecond come in any order, and each of them once.
            #expect(Set((all.jobs + rest.jobs).map(\.id)) == Set(waiting + [failed]))
            #expect(rest.jobs.count == 1 && rest.nextCursor == nil)
            let errors: OperatorJobPage = try await get(door, "/admin/v1/jobs?status=error")
            #expect(errors.jobs.map(\.id) == [failed] && errors.jobs[0].tenant == "test")
            let others: OperatorJobPage = try await get(door, "/admin/v1/jobs?tenant=bob")
            #expect(others.jobs.isEmpty)
        }
    }

    @Test(arguments: [
        ("jobs?status=odd", "invalid_status"), ("jobs?limit=0", "invalid_limit"), ("jobs?limit=501", "invalid_limit"),
        ("jobs?cursor=odd", "invalid_cursor"), ("jobs?tenant=", "invalid_tenant"),
        ("dead-letters?code=", "invalid_code"),
        ("dead-letters?tenant=" + String(repeating: "t", count: 257), "invalid_tenant"),
    ])
    func `a question that makes no sense is refused with what would`(path: String, code: String) async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            let reply = try await door.client.send("GET", "/admin/v1/" + path, headers: [Self.look])
            #expect(try reply.status == 400 && reply.string("code") == code, "\(reply.text)")
        }
    }

    @Test func `what does not exist is said so`() async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            for path in ["", "/why"] {
                for id in [Self.nobody, "odd"] {
                    let reply = try await door.client.send("GET", "/admin/v1/jobs/\(id)\(path)", headers: [Self.look])
                    #expect(try reply.status == 404 && reply.string("code") == "no_such_job")
                }
            }
            for order in ["cancel", "retry", "stages/scan/0/requeue"] {
                let path = "/admin/v1/jobs/\(Self.nobody)/\(order)"
                let reply = try await door.client.send("POST", path, headers: [Self.change])
                #expect(try reply.status == 404 && reply.string("code") == "no_such_job")
            }
            let id = try await door.submittedJob()
            for stage in ["odd/0", "scan/x", "scan/-1", "render/3"] {
                let path = "/admin/v1/jobs/\(id)/stages/\(stage)/requeue"
                let reply = try await door.client.send("POST", path, headers: [Self.change])
                #expect(try reply.status == 404 && reply.string("code") == "no_such_stage", "\(stage): \(reply.text)")
            }
            #expect(try await door.client.send("GET", "/api/jobs/\(Self.nobody)/waterfall").status == 404)
        }
    }

    @Test func `why tells of cordoned nodes, of nodes that are gone, and of a database that is away`() async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            let id = try await door.submittedJob()
            let path = "/admin/v1/jobs/\(id)/why"
            let gone: JobExplanation = try await get(door, path)
            #expect(gone.reason.code == .noLivingNode && gone.needsOperator)
            let life = try await door.node()
            let free: JobExplanation = try await get(door, path)
            #expect(free.reason.code == .aboutToStart && !free.needsOperator)
            _ = try await door.store.setSchedulability(of: life.id, to: .cordoned)
            let cordoned: JobExplanation = try await get(door, path)
            #expect(cordoned.reason.code == .noSchedulableNode && cordoned.reason.stage == "scan")
        }
        // The members of the sample live, and the store knows no node.
        try await Door.open(AdminRouteTests.tokens, cluster: ClusterSample().inspection) { door in
            let id = try await door.submittedJob()
            let cutOff: JobExplanation = try await get(door, "/admin/v1/jobs/\(id)/why")
            #expect(cutOff.reason.code == .nodesWithoutDatabase)
        }
        try await Door.open(AdminRouteTests.tokens, store: BrokenStore(StoreError(.unavailable, "cut"))) { door in
            let reply = try await door.client.send("GET", "/admin/v1/jobs/\(Self.nobody)/why", headers: [Self.look])
            #expect(try reply.status == 503 && reply.string("code") == "database_unavailable")
            #expect(try reply.string("detail").contains("no stage is begun"))
        }
    }

    @Test func `a job is cancelled once or twice, and retried only after an error`() async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            let life = try await door.node()
            let failed = try await door.failedJob(life)
            let again: OperatorJob = try await post(door, "/admin/v1/jobs/\(failed)/retry")
            #expect(again.status == .processing && again.error == nil)
            let twice = try await door.client.send("POST", "/admin/v1/jobs/\(failed)/retry", headers: [Self.change])
            #expect(try twice.status == 409 && twice.string("code") == "job_not_failed")
            for _ in 0..<2 {
                let cancelled: OperatorJob = try await post(door, "/admin/v1/jobs/\(failed)/cancel")
                #expect(cancelled.status == .cancelled)
            }
            let ready = try await door.finishedJob(videos: [[1]])
            let late = try await door.client.send("POST", "/admin/v1/jobs/\(ready)/cancel", headers: [Self.change])
            #expect(try late.status == 409 && late.string("code") == "job_already_ended")
        }
    }

    @Test func `one stage is requeued, and what is done is not`() async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            let failed = try await door.failedJob(try await door.node())
            let path = "/admin/v1/jobs/\(failed)/stages/scan/0/requeue"
            let again: OperatorJob = try await post(door, path)
            #expect(again.status == .processing)
            #expect(try await door.store.stages(of: failed).map(\.state) == [.ready])
            _ = try await door.store.cancel(failed)
            let refused = try await door.client.send("POST", path, headers: [Self.change])
            #expect(try refused.status == 409 && refused.string("code") == "stage_not_requeueable")
        }
    }

    @Test func `dead letters are listed with their reason and requeued in bulk, after a rehearsal`() async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            let life = try await door.node()
            let full = [try await door.failedJob(life), try await door.failedJob(life)]
            let other = try await door.failedJob(life, code: "text_file")
            let listed: OperatorJobPage = try await get(door, "/admin/v1/dead-letters?code=disk_full")
            #expect(Set(listed.jobs.map(\.id)) == Set(full))
            #expect(listed.jobs.allSatisfy { $0.error?.stage == "scan" && $0.error?.reason == "It does not fit." })
            #expect(listed.jobs.allSatisfy { $0.failureClass == .resource })
            let path = "/admin/v1/dead-letters/requeue"
            let rehearsed: JobService.Requeued = try await post(door, path + "?code=disk_full&dryRun=true")
            #expect(Set(rehearsed.jobs) == Set(full) && rehearsed.isRehearsal && !rehearsed.hasMore)
            #expect(try await door.store.job(full[0])?.status == .error)
            let first: JobService.Requeued = try await post(door, path + "?code=disk_full&limit=1")
            #expect(first.jobs.count == 1 && first.hasMore && !first.isRehearsal)
            let second: JobService.Requeued = try await post(door, path + "?code=disk_full")
            #expect(Set(first.jobs + second.jobs) == Set(full) && !second.hasMore)
            #expect(try await door.store.job(other)?.status == .error)
            let none: JobService.Requeued = try await post(door, path + "?code=disk_full")
            #expect(none.jobs.isEmpty && none.skipped.isEmpty)
            let odd = try await door.client.send("POST", path + "?dryRun=perhaps", headers: [Self.change])
            #expect(try odd.status == 400 && odd.string("code") == "invalid_dry_run")
        }
    }

    @Test func `a waterfall shows nodes, times and bytes to the client, and to operators with the client`() async throws
    {
        try await Door.open(AdminRouteTests.tokens) { door in
            let id = try await door.submittedJob()
            let life = try await door.node("two")
            let lease = try #require(try await door.store.claim(1, for: life).first)
            let blob = BlobName("results/\(id.ulid)/scan-0/\(lease.epoch)/sound")!
            _ = try await door.blobs.put(Array("sound".utf8), as: blob)
            let result = StageResult(
                id: Chance.system().draw { ResultID(at: systemWallTime(), using: &$0) }, body: "{}", blobs: [blob],
                cacheKey: nil)
            let effort = Effort(cpuSeconds: 1.5, bytesRead: 7, bytesWritten: 5)
            _ = try await door.store.complete(
                lease, with: .produced(result), effort: effort, advance: { _ in JobAdvance() })
            struct Answer: Decodable { let waterfall: JobWaterfall }
            let told = try await get(door, "/api/jobs/\(id)/waterfall", as: Answer.self).waterfall
            let row = try #require(told.stages.first)
            #expect(told.job == id && told.isComplete && row.name == .scan && row.state == .done && row.bytes == 5)
            let attempt = try #require(row.attempts.first)
            #expect(row.attempts.count == 1 && attempt.node == life.id && attempt.outcome == .done)
            #expect(try #require(attempt.queueSeconds) >= 0 && #require(attempt.runSeconds) >= 0)
            #expect(attempt.cpuSeconds == 1.5 && attempt.bytesRead == 7 && attempt.bytesWritten == 5)
            #expect(attempt.memoryPeakBytes == nil)
            let detail: OperatorJobDetail = try await get(door, "/admin/v1/jobs/\(id)")
            #expect(detail.tenant == "test" && detail.job.id == id && detail.waterfall.stages == told.stages)
        }
    }
}
