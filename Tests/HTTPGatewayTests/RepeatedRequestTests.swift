import ClipModel
import HTTPGateway
import Jobs
import Store
import Synchronization
import Testing

/// Requests with an `Idempotency-Key`, at two nodes over one store.
@Suite(.timeLimit(.minutes(5))) struct RepeatedRequestTests {
    typealias Reply = RawClient.Reply

    private static func two(
        _ configuration: GatewayConfiguration = GatewayConfiguration(), store: any Store, replies: any ReplyBook,
        _ body: @Sendable (Door, Door) async throws -> Void
    ) async throws {
        try await Door.open(configuration, store: store, replies: replies) { one in
            try await Door.open(configuration, store: store, replies: replies) { other in
                try await body(one, other)
            }
        }
    }

    private static func two(_ body: @Sendable (Door, Door) async throws -> Void) async throws {
        let store = InMemoryStore(now: systemWallTime)
        try await two(store: store, replies: store, body)
    }

    private static func upload(
        _ door: Door, key: String, _ content: [UInt8] = [1, 2, 3], boundary: String = "b0undary"
    ) async throws -> Reply {
        try await door.client.send(
            "POST", "/api/upload",
            headers: [("Content-Type", "multipart/form-data; boundary=\(boundary)"), ("Idempotency-Key", key)],
            body: Door.form([Door.Part(content: content)], boundary: boundary))
    }

    private static func post(
        _ door: Door, _ path: String, key: String, headers: [(String, String)] = [], _ body: String = ""
    ) async throws -> Reply {
        try await door.client.send(
            "POST", path, headers: headers + [("Idempotency-Key", key)], body: Array(body.utf8))
    }

    private static func isReplayed(_ reply: Reply) -> Bool { reply.headers["idempotency-replayed"] == "true" }

    private static func expectAgain(
        _ first: Reply, _ second: Reply, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(!isReplayed(first) && isReplayed(second), "\(second.text)", sourceLocation: sourceLocation)
        #expect(first.status == second.status && first.body == second.body, sourceLocation: sourceLocation)
        for name in ["content-type", "location", "etag", "cache-control", "upload-offset", "tus-resumable"] {
            #expect(first.headers[name] == second.headers[name], "\(name)", sourceLocation: sourceLocation)
        }
    }

    // MARK: The same again

    @Test func `an upload that is sent again to another node is answered as before, and stored once`() async throws {
        try await Self.two { one, other in
            let first = try await Self.upload(one, key: "k")
            #expect(first.status == 201, "\(first.text)")
            // Clients draw a boundary for each attempt.
            Self.expectAgain(first, try await Self.upload(other, key: "k", boundary: "b1undary"))
            #expect(other.files() == [])
            let fresh = try await Self.upload(other, key: "l")
            #expect(fresh.status == 201 && fresh.body != first.body && !Self.isReplayed(fresh))
        }
    }

    @Test func `a key that came with something else is refused`() async throws {
        try await Self.two { one, other in
            #expect(try await Self.upload(one, key: "k").status == 201)
            let job = try await one.submittedJob()
            let replies = [
                try await Self.upload(other, key: "k", [1, 2, 3, 4]),
                try await Self.post(other, "/api/jobs/\(job)/cancel", key: "k"),
                try await Self.post(
                    other, "/api/uploads", key: "k", headers: [("Tus-Resumable", "1.0.0"), ("Upload-Length", "3")]),
            ]
            for reply in replies {
                #expect(reply.status == 422, "\(reply.text)")
                #expect(try reply.string("code") == "idempotency_key_reused")
            }
            #expect(try await one.store.job(job)?.status != .cancelled)
        }
    }

    @Test func `two clients may use one key`() async throws {
        try await Self.two { one, other in
            let first = try await Self.upload(one, key: "k")
            let key = try await other.key("acme").text
            let second = try await other.client.send(
                "POST", "/api/upload", headers: [Door.formType, ("Idempotency-Key", "k"), ("X-API-Key", key)],
                body: Door.form([Door.Part(content: [1, 2, 3])]))
            #expect(second.status == 201 && second.body != first.body && !Self.isReplayed(second))
        }
    }

    @Test func `an upload that is begun twice is one session`() async throws {
        try await Self.two { one, other in
            let begin = { @Sendable (door: Door, length: String) in
                try await Self.post(
                    door, "/api/uploads", key: "k",
                    headers: [
                        ("Tus-Resumable", "1.0.0"), ("Upload-Length", length), ("Upload-Metadata", "filename YQ=="),
                    ])
            }
            let first = try await begin(one, "10")
            #expect(first.status == 201 && first.headers["location"] != nil, "\(first.text)")
            Self.expectAgain(first, try await begin(other, "10"))
            #expect(try await begin(other, "11").status == 422)
            // The draft's.
            let draft = { @Sendable (door: Door) in
                try await Self.post(door, "/api/uploads", key: "d", headers: [("Upload-Complete", "?0")])
            }
            let begun = try await draft(one)
            #expect(begun.status == 201, "\(begun.text)")
            Self.expectAgain(begun, try await draft(other))
        }
    }

    @Test func `orders to a job are carried out once, and what was refused is judged anew`() async throws {
        try await Self.two { one, other in
            let job = try await one.submittedJob()
            let refused = try await Self.post(one, "/api/jobs/\(job)/retry", key: "early")
            #expect(refused.status == 409)
            #expect(try refused.string("code") == "job_not_failed")
            let cancelled = try await Self.post(one, "/api/jobs/\(job)/cancel", key: "stop")
            #expect(cancelled.status == 200)
            #expect(try await one.client.send("DELETE", "/api/jobs/\(job)").status == 204)
            Self.expectAgain(cancelled, try await Self.post(other, "/api/jobs/\(job)/cancel", key: "stop"))
            // The job is gone meanwhile, and the same key says so.
            let anew = try await Self.post(other, "/api/jobs/\(job)/retry", key: "early")
            #expect(anew.status == 404 && !Self.isReplayed(anew))
            let unkeyed = try await other.client.send("POST", "/api/jobs/\(job)/cancel")
            #expect(unkeyed.status == 404)
        }
    }

    @Test func `a link is made anew, so that none is given out that has ended`() async throws {
        try await Self.two { one, other in
            let job = try await one.finishedJob(videos: [[1, 2]])
            let path = "/api/clips/\(ClipID(job: job, ordinal: 0))/link"
            for (door, seconds) in [(one, 600), (other, 601)] {
                let made = try await Self.post(
                    door, path, key: "k", headers: [Door.jsonType],
                    #"{"file": "video", "expiresInSeconds": \#(seconds)}"#)
                #expect(made.status == 200 && !Self.isReplayed(made), "\(made.text)")
            }
        }
    }

    @Test func `a key has a form`() async throws {
        try await Self.two { one, _ in
            let job = try await one.submittedJob()
            for key in ["", "a b", "ñ", String(repeating: "k", count: 256)] {
                let reply = try await Self.post(one, "/api/jobs/\(job)/cancel", key: key)
                #expect(reply.status == 400, "\(reply.text)")
                #expect(try reply.string("code") == "invalid_idempotency_key")
            }
            #expect(try await one.store.job(job)?.status != .cancelled)
        }
    }

    @Test func `a video that is known is not read again`() async throws {
        try await Self.two { one, other in
            let content = [UInt8](repeating: 7, count: 2 << 20)
            let first = try await Self.upload(one, key: "k", content)
            let length = Door.form([Door.Part(content: content)]).count
            let again = try await other.client.connect { wire in
                let fields = [Door.formType, ("Idempotency-Key", "k"), ("Content-Length", "\(length)")]
                // Not a byte of it comes.
                try await wire.write(other.client.head("POST", "/api/upload", fields))
                let head = try await wire.read(until: "\r\n\r\n")
                return (head, wire.received)
            }
            #expect(first.status == 201 && again.0.hasPrefix("HTTP/1.1 201"))
            #expect(again.0.lowercased().contains("connection: close"))
            #expect(again.0.lowercased().contains("idempotency-replayed: true"))
        }
    }
}

// MARK: While it runs

extension RepeatedRequestTests {
    private static let half = Array(Door.form([Door.Part(content: [1, 2, 3])]).dropLast(20))
    private static let rest = Array(Door.form([Door.Part(content: [1, 2, 3])]).suffix(20))

    /// The head of an upload and most of its body.
    private static func begin(_ door: Door, _ wire: inout RawClient.Wire) async throws {
        let fields = [
            Door.formType, ("Idempotency-Key", "k"), ("Content-Length", "\(half.count + rest.count)"),
            ("Connection", "close"),
        ]
        try await wire.write(door.client.head("POST", "/api/upload", fields) + half)
    }

    @Test func `of two at one moment one runs, and the other is told to wait`() async throws {
        let store = InMemoryStore(now: systemWallTime), book = WatchedReplies(store)
        try await Self.two(store: store, replies: book) { one, other in
            let first = try await one.client.connect { wire in
                try await Self.begin(one, &wire)
                try await until { await book.claimed > 0 }
                let early = try await Self.upload(other, key: "k")
                #expect(early.status == 409)
                #expect(try early.string("code") == "idempotency_in_progress")
                #expect(early.headers["retry-after"] == "2")
                try await wire.write(Self.rest)
                return try RawClient.parse(try await wire.readToEnd())
            }
            #expect(first.status == 201, "\(first.text)")
            Self.expectAgain(first, try await Self.upload(other, key: "k"))
        }
    }

    @Test func `a node that is gone is taken over, and when it comes back it changes nothing`() async throws {
        let time = HandTime()
        let store = InMemoryStore(now: { time.now }), book = WatchedReplies(store)
        try await Self.two(store: store, replies: book) { one, other in
            let (late, heir) = try await one.client.connect { wire in
                try await Self.begin(one, &wire)
                try await until { await book.claimed > 0 }
                time.pass(Double(StoreLimits.replyLeaseSeconds) - 1)
                #expect(try await Self.upload(other, key: "k").status == 409)
                time.pass(2)
                let heir = try await Self.upload(other, key: "k")
                try await wire.write(Self.rest)
                return (try RawClient.parse(try await wire.readToEnd()), heir)
            }
            #expect(late.status == 201 && heir.status == 201 && !Self.isReplayed(heir))
            #expect(late.body != heir.body)
            for door in [one, other] { Self.expectAgain(heir, try await Self.upload(door, key: "k")) }
        }
    }

    @Test func `a node that hears that it was taken over stops, and leaves nothing behind`() async throws {
        let time = HandTime(), clock = HandClock()
        let store = InMemoryStore(now: { time.now }), book = WatchedReplies(store)
        try await Door.open(Self.patient, store: store, replies: book, clock: clock) { one in
            try await Door.open(store: store, replies: book) { other in
                let (heir, answer) = try await one.client.connect { wire in
                    try await Self.begin(one, &wire)
                    try await until { await book.claimed > 0 }
                    time.pass(Double(StoreLimits.replyLeaseSeconds) + 1)
                    let heir = try await Self.upload(other, key: "k")
                    try await until {
                        clock.advance(seconds: 1)
                        return await book.lost > 0
                    }
                    // The rest of the body never comes: only the node ends this.
                    return (heir, try await wire.readToEnd())
                }
                #expect(heir.status == 201 && answer.isEmpty, "\(heir.text)")
                #expect(one.files().isEmpty)
                Self.expectAgain(heir, try await Self.upload(one, key: "k"))
            }
        }
    }

    /// The clock is moved on while the client waits for us.
    private static var patient: GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.pace.bodyWindowSeconds = 1e9
        configuration.pace.idleSeconds = 1e9
        return configuration
    }

    @Test func `a long upload keeps its claim`() async throws {
        let time = HandTime(), clock = HandClock()
        let store = InMemoryStore(now: { time.now }), book = WatchedReplies(store)
        try await Door.open(Self.patient, store: store, replies: book, clock: clock) { one in
            try await Door.open(store: store, replies: book) { other in
                try await one.client.connect { wire in
                    try await Self.begin(one, &wire)
                    try await until { await book.claimed > 0 }
                    time.pass(Double(StoreLimits.replyLeaseSeconds) - 10)
                    try await until {
                        clock.advance(seconds: 1)
                        return await book.renewed > 0
                    }
                    time.pass(Double(StoreLimits.replyLeaseSeconds) - 10)
                    #expect(try await Self.upload(other, key: "k").status == 409)
                }
            }
        }
    }

    @Test func `a client that goes away leaves no claim behind`() async throws {
        let store = InMemoryStore(now: systemWallTime), book = WatchedReplies(store)
        try await Self.two(store: store, replies: book) { one, other in
            try await one.client.connect { wire in
                try await Self.begin(one, &wire)
                try await until { await book.claimed > 0 }
            }
            try await until { await book.dropped > 0 }
            let again = try await Self.upload(other, key: "k")
            #expect(again.status == 201 && !Self.isReplayed(again), "\(again.text)")
        }
    }

    @Test func `what failed on our side may be tried again with the same key`() async throws {
        let store = InMemoryStore(now: systemWallTime)
        let broken = BrokenStore(StoreError(.unavailable, "gone"))
        try await Door.open(store: broken, replies: store) { one in
            try await Door.open(store: store, replies: store) { other in
                let job = try await other.submittedJob()
                let failed = try await Self.post(one, "/api/jobs/\(job)/cancel", key: "k")
                #expect(failed.status == 503)
                let done = try await Self.post(other, "/api/jobs/\(job)/cancel", key: "k")
                #expect(done.status == 200 && !Self.isReplayed(done), "\(done.text)")
                Self.expectAgain(done, try await Self.post(one, "/api/jobs/\(job)/cancel", key: "k"))
            }
        }
    }
}

/// Looks again and again; ends with its test when that has had its time.
private func until(_ condition: () async -> Bool) async throws {
    while await !condition() {
        try Task.checkCancellation()
        await Task.yield()
    }
}

/// A book that counts what is asked of it.
private actor WatchedReplies: ReplyBook {
    private let base: any ReplyBook
    private(set) var claimed = 0
    private(set) var renewed = 0
    private(set) var lost = 0
    private(set) var dropped = 0

    init(_ base: any ReplyBook) { self.base = base }

    func claimReply(_ claim: ReplyClaim) async throws -> ReplyClaimOutcome {
        let outcome = try await base.claimReply(claim)
        if outcome == .claimed { claimed += 1 }
        return outcome
    }

    func renewReply(_ claim: ReplyClaim) async throws -> Bool {
        let isOurs = try await base.renewReply(claim)
        if isOurs { renewed += 1 } else { lost += 1 }
        return isOurs
    }

    func keepReply(_ reply: KeptReply, for claim: ReplyClaim) async throws -> Bool {
        try await base.keepReply(reply, for: claim)
    }

    func dropReply(_ claim: ReplyClaim) async throws {
        try await base.dropReply(claim)
        dropped += 1
    }
}

/// The store's time, which a test moves on.
private final class HandTime: Sendable {
    private let state = Mutex(systemWallTime())
    var now: Timestamp { state.withLock { $0 } }
    func pass(_ seconds: Double) { state.withLock { $0 = $0.advanced(bySeconds: seconds) } }
}
