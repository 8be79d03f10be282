import ClipModel
import HTTPGateway
import Store
import Testing

@Suite(.timeLimit(.minutes(5))) struct HealthRouteTests {
    @Test func `health names the node, its neighbours and the queue`() async throws {
        try await Door.open { door in
            _ = try await door.node("one")
            let other = try await door.node("two")
            _ = try await door.submittedJob()
            _ = try await door.submittedJob()
            let lease = try #require(try await door.store.claim(1, for: other).first)
            _ = try await door.store.heartbeat(
                other, running: [StageProgress(job: lease.job, key: lease.key, epoch: lease.epoch, fraction: 0.25)])
            let reply = try await door.client.send("GET", "/api/health")
            #expect(reply.status == 200)
            #expect(try reply.string("status") == "ok")
            #expect(try reply.string("node") == "one")
            #expect(try reply.string("version") == "1.2.3")
            #expect(try reply.json("nodes", "1", "id") as? String == "two")
            #expect(try reply.json("nodes", "1", "state") as? String == "alive")
            #expect(try reply.json("nodes", "1", "running", "0", "stage") as? String == "scan")
            #expect(try reply.json("queue", "jobsWaiting") as? Int == 1)
            #expect(try reply.json("limits", "uploadBytesMax") as? Int == 16 << 30)
            #expect(try reply.json("queue", "jobsRunning") as? Int == 1)
        }
    }

    @Test(arguments: ["/livez", "/readyz"])
    func `a balancer is told that the node is well`(path: String) async throws {
        try await Door.open { door in
            for method in ["GET", "HEAD"] {
                let reply = try await door.client.send(method, path)
                #expect(reply.status == 200)
            }
        }
    }

    @Test(
        arguments: [
            (nil, nil, 403), (nil, "Bearer x", 403), ("secret", nil, 401), ("secret", "Bearer wrong", 401),
            ("secret", "secret", 401), ("secret", "Basic secret", 401), ("secret", "Bearer ", 401),
            ("secret", "Bearer secret", 200), ("secret", "bearer secret", 200),
        ] as [(String?, String?, Int)])
    func `operators need the token`(token: String?, sent: String?, status: Int) async throws {
        try await Door.open(GatewayConfiguration(adminToken: token)) { door in
            let headers = sent.map { [("Authorization", $0)] } ?? []
            let reply = try await door.client.send("GET", "/admin/v1/status", headers: headers)
            #expect(reply.status == status)
            #expect((status == 401) == (reply.headers["www-authenticate"] == "Bearer"))
            #expect(!reply.text.contains("secret"))
        }
    }
}

@Suite(.timeLimit(.minutes(5))) struct PageRouteTests {
    @Test func `the page and everything it names are served`() async throws {
        try await Door.open { door in
            let page = try await door.client.send("GET", "/")
            #expect(page.status == 200)
            #expect(page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(page.headers["content-security-policy"]?.contains("script-src 'self'") == true)
            #expect(page.headers["x-content-type-options"] == "nosniff")
            let policy = page.headers["content-security-policy"] ?? ""
            #expect(!policy.contains("unsafe"))
            #expect(!page.text.contains("<style") && !page.text.contains(" style=") && !page.text.contains(" onclick="))
            var open = page.text.matches(of: /"(\/assets\/[^"]+)"/).map { String($0.1) }
            var seen: Set<String> = []
            while let path = open.popLast() {
                guard seen.insert(path).inserted else { continue }
                let asset = try await door.client.send("GET", path)
                #expect(asset.status == 200, "\(path)")
                let again = try await door.client.send(
                    "GET", path, headers: [("If-None-Match", try #require(asset.headers["etag"]))])
                #expect(again.status == 304)
                guard path.hasSuffix(".js") else { continue }
                open += asset.text.matches(of: /from "\.\/([a-z0-9]+\.js)"/).map { "/assets/\($0.1)" }
            }
            #expect(seen.count > 15)
        }
    }

    @Test func `the three languages say the same things`() async throws {
        try await Door.open { door in
            var keys: [Set<String>] = []
            for language in ["es", "en", "pt"] {
                let strings = try await door.client.send("GET", "/assets/\(language).json").json() as? [String: String]
                keys.append(Set(try #require(strings).keys))
                #expect(strings?.values.allSatisfy { !$0.isEmpty } == true)
            }
            #expect(keys[0] == keys[1])
            #expect(keys[0] == keys[2])
        }
    }
}
