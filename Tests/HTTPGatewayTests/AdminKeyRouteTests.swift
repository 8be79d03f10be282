import ClipModel
import Foundation
import HTTPGateway
import Store
import Testing

/// `/admin/v1/keys`
@Suite(.timeLimit(.minutes(5))) struct AdminKeyRouteTests {
    private func send(
        _ door: Door, _ method: String, _ path: String, token: (String, String) = AdminRouteTests.change
    ) async throws -> RawClient.Reply {
        try await door.client.send(method, "/admin/v1/keys" + path, headers: [token])
    }

    private func decoded<Value: Decodable>(_ reply: RawClient.Reply, as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(reply.body))
    }

    @Test func `a key is shown once, listed without itself, and revoked for good`() async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            let reply = try await send(door, "POST", "?client=acme&note=la%20oficina&expiresInDays=30")
            #expect(reply.status == 201 && reply.headers["cache-control"] == "no-store", "\(reply.text)")
            let created = try decoded(reply, as: CreatedKey.self)
            #expect(APIKey(created.secret) != nil && created.key.client == ClientName("acme"))
            #expect(created.key.state == .active && created.key.note == "la oficina")
            let end = try #require(created.key.expiresAt)
            #expect(end.seconds(since: created.key.createdAt) == 30 * 86_400)
            let header = ("X-API-Key", created.secret)
            #expect(try await door.client.send("GET", "/api/jobs", headers: [header]).status == 200)

            let list = try await send(door, "GET", "", token: AdminRouteTests.look)
            #expect(list.status == 200 && !list.text.contains(created.secret))
            let digest = try #require(APIKey(created.secret)).sha256
            #expect(!list.text.contains(digest))
            #expect(try decoded(list, as: OperatorKeyPage.self).keys == [created.key])

            let first = try await send(door, "POST", "/revoke?id=\(created.key.id)")
            let again = try await send(door, "POST", "/revoke?id=\(created.key.id)")
            #expect(first.status == 200 && again.status == 200)
            let (one, two) = (try decoded(first, as: OperatorKey.self), try decoded(again, as: OperatorKey.self))
            #expect(one.state == .revoked && one.revokedAt != nil && one.revokedAt == two.revokedAt)
        }
    }

    @Test func `keys are paged newest first, of one client or of all`() async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            var made: [KeyID] = []
            for client in ["acme", "zeta", "acme"] {
                made.append(try decoded(try await send(door, "POST", "?client=\(client)"), as: CreatedKey.self).key.id)
            }
            func page(_ query: String) async throws -> OperatorKeyPage {
                try decoded(try await send(door, "GET", query, token: AdminRouteTests.look))
            }
            let first = try await page("?limit=2"), cursor = try #require(first.nextCursor)
            let last = try await page("?limit=2&cursor=\(cursor)")
            #expect(Set((first.keys + last.keys).map(\.id)) == Set(made) && first.keys.count == 2)
            #expect(last.nextCursor == nil)
            #expect(Set(try await page("?client=acme").keys.map(\.id)) == [made[0], made[2]])
            #expect(try await page("?client=nobody").keys.isEmpty)
        }
    }

    @Test(arguments: [
        ("POST", "", 400, "invalid_client"), ("POST", "?client=A%20B", 400, "invalid_client"),
        ("POST", "?client=a&note=", 400, "invalid_note"), ("POST", "?client=a&note=a%1B%5B2J", 400, "invalid_note"),
        ("POST", "?client=a&expiresInDays=0", 400, "invalid_expiresInDays"),
        ("POST", "?client=a&expiresInDays=3651", 400, "invalid_expiresInDays"),
        ("POST", "?client=a&expiresInDays=soon", 400, "invalid_expiresInDays"),
        ("GET", "?client=", 400, "invalid_client"), ("GET", "?cursor=x", 400, "invalid_cursor"),
        ("GET", "?limit=501", 400, "invalid_limit"), ("POST", "/revoke", 404, "no_such_key"),
        ("POST", "/revoke?id=tj_1", 404, "no_such_key"), ("POST", "/revoke?id=k_000000000000", 404, "no_such_key"),
    ])
    func `what cannot be done is refused in words`(method: String, path: String, status: Int, code: String)
        async throws
    {
        try await Door.open(AdminRouteTests.tokens) { door in
            let reply = try await send(door, method, path)
            #expect(try reply.status == status && reply.string("code") == code, "\(reply.text)")
            #expect(try !reply.string("hint").isEmpty)
        }
    }

    @Test func `a token that looks makes no keys, and nobody else sees them`() async throws {
        try await Door.open(AdminRouteTests.tokens) { door in
            for path in ["?client=acme", "/revoke?id=k_000000000000"] {
                let reply = try await send(door, "POST", path, token: AdminRouteTests.look)
                #expect(try reply.status == 403 && reply.string("code") == "token_may_only_read")
            }
            #expect(try await door.client.send("GET", "/admin/v1/keys").status == 401)
            #expect(try await door.client.send("POST", "/admin/v1/keys?client=acme").status == 401)
            let page: OperatorKeyPage = try decoded(try await send(door, "GET", ""))
            #expect(page.keys.isEmpty)
        }
    }
}
