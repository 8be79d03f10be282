import Foundation
import HTTPGateway
import HTTPTypes
import Testing
import Yams

/// `docs/openapi.yaml` is what people write; the node serves the same as JSON; the router knows the truth.
@Suite(.timeLimit(.minutes(5))) struct OpenAPITests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func written() throws -> [String: Any] {
        let text = try String(contentsOf: root.appending(path: "docs/openapi.yaml"), encoding: .utf8)
        return try #require(try Yams.load(yaml: text) as? [String: Any])
    }

    @Test func `what is served is what is written`() async throws {
        let written = try Self.written()
        let json = try JSONSerialization.data(
            withJSONObject: written, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
        if ProcessInfo.processInfo.environment["GOLDEN"] == "rewrite" {
            try json.write(to: Self.root.appending(path: "Sources/HTTPGateway/Page/openapi.json"))
        }
        try await Door.open { door in
            let reply = try await door.client.send("GET", "/api/openapi.json")
            #expect(reply.status == 200 && reply.headers["content-type"] == "application/json")
            let served = try JSONSerialization.jsonObject(with: Data(reply.body)) as? NSDictionary
            let expected = try JSONSerialization.jsonObject(with: json) as? NSDictionary
            #expect(served == expected, "GOLDEN=rewrite cluster/test OpenAPI writes it anew; then build again")
        }
    }

    @Test func `the description knows every route, and no route that is not there`() async throws {
        let paths = try #require(try Self.written()["paths"] as? [String: [String: Any]])
        var described: Set<String> = []
        for (path, item) in paths {
            for method in item.keys where method != "parameters" { described.insert("\(method.uppercased()) \(path)") }
        }
        let known = described
        try await Door.open { door in
            // The page is no API, and HEAD and OPTIONS are answered everywhere.
            let routes = door.endpoints.filter { endpoint in
                ![.head, .options].contains(endpoint.method) && !endpoint.template.hasPrefix("/assets/")
                    && !["/", "/reference"].contains(endpoint.template)
            }
            let real = Set(routes.map { "\($0.method.rawValue) \($0.template)" })
            #expect(real.subtracting(known).sorted() == [], "not described")
            #expect(known.subtracting(real).sorted() == [], "not there")
        }
    }

    @Test func `every operation has a name of its own, a summary, and says how errors look`() throws {
        let paths = try #require(try Self.written()["paths"] as? [String: [String: Any]])
        var names: Set<String> = []
        for (path, item) in paths {
            for (method, facts) in item where method != "parameters" {
                let operation = try #require(facts as? [String: Any], "\(method) \(path)")
                let name = try #require(operation["operationId"] as? String, "\(method) \(path)")
                #expect(names.insert(name).inserted, "\(name)")
                #expect((operation["summary"] as? String)?.isEmpty == false, "\(name)")
                let answers = try #require(operation["responses"] as? [String: Any], "\(name)")
                let rest = answers["default"] as? [String: String]
                #expect(rest?["$ref"] == "#/components/responses/Problem", "\(name)")
            }
        }
    }

    @Test func `the page that shows the API is served without anything inline`() async throws {
        try await Door.open { door in
            let page = try await door.client.send("GET", "/reference")
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(page.headers["content-security-policy"]?.contains("script-src 'self'") == true)
            for path in ["/assets/reference.js", "/assets/reference.css"] {
                #expect(page.text.contains(path))
                let asset = try await door.client.send("GET", path)
                #expect(asset.status == 200)
            }
        }
    }
}
