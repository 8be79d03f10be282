import HTTPClient
import Testing

@Suite struct HTTPClientTests {
    @Test func `nobody listening is told apart from a bad address`() async throws {
        let client = HTTPClient()
        // Port 9 (discard) of loopback: nothing listens there on a machine of today.
        let refused = await #expect(throws: HTTPClientError.self) {
            _ = try await client.send(HTTPRequest("GET", "http://127.0.0.1:9/"))
        }
        #expect(refused?.code == .unreachable)
        for url in ["nonsense://x/", "http://[broken/", "file:///etc/passwd"] {
            let error = await #expect(throws: HTTPClientError.self) {
                _ = try await client.send(HTTPRequest("GET", url))
            }
            #expect(error?.code == .unusable, "\(url): \(String(describing: error))")
        }
    }

    @Test func `a form with a file that is not there is unusable`() async throws {
        let request = HTTPRequest(
            "POST", "http://127.0.0.1:9/", form: [.file(field: "file", path: "/no/such/file", name: "x")])
        let error = await #expect(throws: HTTPClientError.self) { _ = try await HTTPClient().send(request) }
        #expect(error != nil)
    }
}
