import ClipModel
import HTTPGateway
import Store
import Testing

@Suite(.timeLimit(.minutes(5))) struct EventRouteTests {
    private static let quick = GatewayConfiguration(
        streamsMax: 2, eventPace: EventFeed.Pace(progressSeconds: 0.05, pollSeconds: 0.5, heartbeatSeconds: 0.2))

    private static func names(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("event: ") }.map { String($0.dropFirst(7)) }
    }

    private static func ids(_ text: String) -> [Int64] {
        text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("id: ") }.compactMap { Int64($0.dropFirst(4)) }
    }

    @Test func `a finished job tells its story and ends`() async throws {
        try await Door.open(Self.quick) { door in
            let id = try await door.finishedJob(videos: [[1]])
            let reply = try await door.client.send("GET", "/api/jobs/\(id)/events")
            #expect(reply.status == 200)
            #expect(reply.headers["content-type"] == "text/event-stream")
            let names = Self.names(reply.text)
            #expect(names.first == "snapshot")
            #expect(names.last == "end")
            #expect(names.contains("job.created") && names.contains("stage.done") && names.contains("job.ready"))
            #expect(reply.text.contains(#"data: {"status":"ready"}"#))
        }
    }

    @Test func `a client that comes back gets what it missed and nothing twice`() async throws {
        try await Door.open(Self.quick) { door in
            let id = try await door.finishedJob(videos: [[1]])
            let events = try await door.store.events(of: id, after: 0, limit: 100)
            for event in events {
                let reply = try await door.client.send(
                    "GET", "/api/jobs/\(id)/events", headers: [("Last-Event-ID", "\(event.id)")])
                let ids = reply.text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("id: ") }.map {
                    Int64($0.dropFirst(4))
                }
                #expect(ids == events.map(\.id).filter { $0 > event.id })
            }
        }
    }

    @Test func `a stream goes on at another node where it broke off`() async throws {
        try await Door.open(Self.quick) { one in
            let id = try await one.submittedJob()
            let life = try await one.node("worker")
            let seen = try await one.client.connect { wire in
                try await wire.write(one.client.head("GET", "/api/jobs/\(id)/events", []))
                _ = try await wire.read(until: "event: job.created")
                _ = try #require(try await one.store.claim(1, for: life).first)
                _ = try await wire.read(until: "event: stage.started")
                // The node is told to stop: it ends the stream, without `end`, and the client goes elsewhere.
                await one.shutDown()
                return String(decoding: try await wire.readToEnd(), as: UTF8.self)
            }
            #expect(!Self.names(seen).contains("end"))
            let last = try #require(Self.ids(seen).last)
            try await Door.open(Self.quick, store: one.store) { two in
                _ = try await two.client.send("POST", "/api/jobs/\(id)/cancel")
                let rest = try await two.client.send(
                    "GET", "/api/jobs/\(id)/events", headers: [("Last-Event-ID", "\(last)")])
                let all = try await one.store.events(of: id, after: 0, limit: 100).map(\.id)
                #expect(Self.ids(seen) + Self.ids(rest.text) == all)
                #expect(Self.names(rest.text).last == "end")
            }
        }
    }

    @Test func `what happens while a client watches is told at once`() async throws {
        try await Door.open(Self.quick) { door in
            let id = try await door.submittedJob()
            let life = try await door.node("worker")
            try await door.client.connect { wire in
                try await wire.write(door.client.head("GET", "/api/jobs/\(id)/events", []))
                _ = try await wire.read(until: "event: job.created")
                let lease = try #require(try await door.store.claim(1, for: life).first)
                #expect(try await wire.read(until: "event: stage.started").contains(#""node":"worker""#))
                let half = StageProgress(job: id, key: lease.key, epoch: lease.epoch, fraction: 0.5)
                _ = try await door.store.heartbeat(life, running: [half])
                #expect(try await wire.read(until: #""progress":0.5"#).contains("event: progress"))
                #expect(try await wire.read(until: ": still here").contains(": still here"))
                _ = try await door.client.send("POST", "/api/jobs/\(id)/cancel")
                let all = try await wire.read(until: #"{"status":"cancelled"}"#)
                #expect(Self.names(all).last == "end")
            }
        }
    }

    @Test func `a job that is deleted ends its streams`() async throws {
        try await Door.open(Self.quick) { door in
            let id = try await door.submittedJob()
            try await door.client.connect { wire in
                try await wire.write(door.client.head("GET", "/api/jobs/\(id)/events", []))
                _ = try await wire.read(until: "event: job.created")
                #expect(try await door.client.send("DELETE", "/api/jobs/\(id)").status == 204)
                #expect(try await wire.read(until: #"{"status":"deleted"}"#).contains("event: end"))
            }
        }
    }

    @Test func `streams beyond the limit are refused, and a slot that is left is free again`() async throws {
        try await Door.open(Self.quick) { door in
            let id = try await door.submittedJob()
            let path = "/api/jobs/\(id)/events"
            try await door.client.connect { first in
                try await first.write(door.client.head("GET", path, []))
                _ = try await first.read(until: "event: snapshot")
                try await door.client.connect { second in
                    try await second.write(door.client.head("GET", path, []))
                    _ = try await second.read(until: "event: snapshot")
                    let refused = try await door.client.send("GET", path)
                    #expect(refused.status == 503)
                    #expect(try refused.string("code") == "too_many_streams")
                    #expect(refused.headers["retry-after"] == "5")
                    // HEAD holds no slot.
                    #expect(try await door.client.send("HEAD", path).status == 200)
                }
                var answer = ""
                while !answer.hasPrefix("HTTP/1.1 200") {
                    answer = try await door.client.connect { third in
                        try await third.write(door.client.head("GET", path, []))
                        return try await third.read(until: "\r\n\r\n")
                    }
                }
            }
        }
    }
}
