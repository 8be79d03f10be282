import ClipModel
import Foundation
import HTTPGateway
import Jobs
import Store
import Testing

/// Clips that jobs were published without, as operators see them and have them made again.
@Suite(.timeLimit(.minutes(5))) struct DeadLetterRouteTests {
    private static let lost = StageKey(.render, 1)
    private static let failure = Failure(.transient, code: "tool_killed", reason: "It was killed.", hint: "Look there.")

    /// A door with a job that is ready without its second clip.
    private func open(_ body: @Sendable (Door, JobID, NodeLife) async throws -> Void) async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            let id = try await door.submittedJob()
            let life = try await door.node()
            try await door.play(life, failing: [Self.lost: Self.failure])
            try #require(try await door.store.job(id)?.status == .ready)
            try await body(door, id, life)
        }
    }

    private func ask<Value: Decodable>(
        _ door: Door, _ method: String, _ path: String, as type: Value.Type = Value.self
    ) async throws -> Value {
        let reply = try await door.client.send(method, "/admin/v1/" + path, headers: [AdminRouteTests.change])
        try #require(reply.status == 200, "\(path): \(reply.text)")
        return try JSONDecoder().decode(Value.self, from: Data(reply.body))
    }

    private func listed(_ door: Door, _ query: String = "") async throws -> [OperatorJob] {
        try await ask(door, "GET", "dead-letters" + query, as: OperatorJobPage.self).jobs
    }

    @Test func `a job without a clip is a dead letter with the reason of that clip`() async throws {
        try await open { door, job, _ in
            let letter = try #require(try await listed(door).first)
            #expect(letter.id == job && letter.status == .ready && letter.error == nil && letter.failureClass == nil)
            let clip = try #require(letter.missingClips?.first)
            #expect(letter.missingClips?.count == 1 && clip.id == ClipID(job: job, ordinal: 1) && clip.ordinal == 1)
            #expect(clip.error.stage == "render[1]" && clip.error.code == "tool_killed")
            #expect(clip.error.reason == "It was killed." && clip.error.hint == "Look there.")
            #expect(clip.failureClass == .transient)
            for query in ["?code=tool_killed", "?tenant=test"] {
                #expect(try await listed(door, query).map(\.id) == [job])
            }
            for query in ["?code=disk_full", "?tenant=bob", "?cursor=\(job)"] {
                #expect(try await listed(door, query).isEmpty, "\(query)")
            }
            // Lists of jobs say nothing of it: it is ready.
            let all: OperatorJobPage = try await ask(door, "GET", "jobs")
            #expect(all.jobs.map(\.id) == [job] && all.jobs[0].missingClips == nil)
            let why: JobExplanation = try await ask(door, "GET", "jobs/\(job)/why")
            #expect(why.reason.text.contains("without clip 2") && why.hint.contains("requeue \(job) render[1]"))
        }
    }

    @Test func `dead letters of both kinds come a page at a time`() async throws {
        try await open { door, first, life in
            let second = try await door.submittedJob()
            try await door.play(life, failing: [StageKey(.probe): Self.failure])
            let page: OperatorJobPage = try await ask(door, "GET", "dead-letters?limit=1")
            let cursor = try #require(page.nextCursor)
            let rest: OperatorJobPage = try await ask(door, "GET", "dead-letters?limit=1&cursor=\(cursor)")
            #expect(page.jobs.count == 1 && rest.jobs.count == 1 && rest.nextCursor == nil)
            #expect(Set((page.jobs + rest.jobs).map(\.id)) == [first, second])
        }
    }

    @Test func `requeueing the stage that failed makes the clip again, once`() async throws {
        try await open { door, job, life in
            let path = "jobs/\(job)/stages/render/1/requeue"
            func refused() async throws -> String {
                let reply = try await door.client.send("POST", "/admin/v1/" + path, headers: [AdminRouteTests.change])
                #expect(reply.status == 409, "\(reply.text)")
                return try reply.string("code")
            }
            let going: OperatorJob = try await ask(door, "POST", path)
            #expect(going.id == job && going.status == .processing)
            #expect(try await refused() == "revision_under_way")
            #expect(try await listed(door).isEmpty)
            try await door.play(life)
            #expect(try await door.store.job(job)?.status == .ready)
            let file = "/api/clips/\(ClipID(job: job, ordinal: 1))/download"
            #expect(try await door.client.send("GET", file).status == 200)
            #expect(try await listed(door).isEmpty)
            #expect(try await refused() == "stage_not_requeueable")
            #expect(try await door.store.revisions(of: job).count == 1)
        }
    }

    @Test func `a clip that fails again is a dead letter again, and is asked for in bulk`() async throws {
        try await open { door, job, life in
            let path = "dead-letters/requeue?code=tool_killed"
            let rehearsed: JobService.Requeued = try await ask(door, "POST", path + "&dryRun=true")
            let clip = ClipID(job: job, ordinal: 1)
            #expect(rehearsed.jobs == [job] && rehearsed.clips == [clip] && rehearsed.isRehearsal)
            #expect(try await door.store.revisions(of: job).isEmpty)
            for slot in [2, 3] {
                let begun: JobService.Requeued = try await ask(door, "POST", path)
                #expect(begun.jobs == [job] && begun.clips == [clip] && begun.skipped.isEmpty)
                let twice: JobService.Requeued = try await ask(door, "POST", path)
                #expect(twice.jobs.isEmpty && twice.skipped.isEmpty)
                try await door.play(life, failing: [StageKey(.check, slot): Self.failure])
                // What the job chose is still what failed, whatever became of the tries.
                #expect(try await listed(door).first?.missingClips?.map(\.error.stage) == ["render[1]"])
            }
            let last: JobService.Requeued = try await ask(door, "POST", path)
            #expect(last.jobs == [job])
            try await door.play(life)
            #expect(try await listed(door).isEmpty)
            #expect(try await door.store.clip(clip)?.state == .ready)
        }
    }
}
