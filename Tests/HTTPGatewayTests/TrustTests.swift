import Foundation
import HTTPClient
import HTTPGateway
import Testing

/// The client of the command line, `HTTPClient`, in front of doors whose certificates are good or not.
@Suite(.timeLimit(.minutes(5))) struct TrustTests {
    private static func ask(
        _ door: Door, host: String = "localhost", trusting authorities: TrustedAuthorities?
    ) async throws -> HTTPResponse {
        var client = HTTPClient()
        client.authoritiesPath = authorities?.path
        return try await client.send(HTTPRequest("GET", "https://\(host):\(door.client.port)/livez"))
    }

    private static func open(
        for names: String = "DNS:localhost", valid: Authority.Validity = .now, isWhole: Bool = true,
        _ body: @Sendable (Door, Authority) async throws -> Void
    ) async throws {
        try await Authority.with { authority in
            var configuration = GatewayConfiguration()
            configuration.credentials = try await authority.credentials(for: names, valid: valid, isWhole: isWhole)
            try await Door.open(configuration) { door in try await body(door, authority) }
        }
    }

    /// What is said about a door that is not trusted.
    private static func distrust(
        _ door: Door, host: String = "localhost", trusting authorities: TrustedAuthorities?
    ) async throws -> HTTPClientError? {
        let error = await #expect(throws: HTTPClientError.self) {
            _ = try await ask(door, host: host, trusting: authorities)
        }
        #expect(error?.code == .untrusted, "\(String(describing: error))")
        return error
    }

    @Test func `a door whose authority is named is trusted, under every name that it has`() async throws {
        try await Self.open(for: "DNS:localhost,IP:127.0.0.1") { door, authority in
            let authorities = try TrustedAuthorities(path: authority.root)
            for host in ["localhost", "127.0.0.1"] {
                let answer = try await Self.ask(door, host: host, trusting: authorities)
                #expect(answer.status == 200)
            }
        }
    }

    @Test func `without the authority, and with another one, nobody is trusted`() async throws {
        try await Self.open { door, authority in
            let unnamed = try await Self.distrust(door, trusting: nil)
            #expect(unnamed?.distrust == .unknownAuthority)
            #expect(unnamed?.detail.contains("signed by no authority that is trusted here") == true)
            try await Authority.with { stranger in
                let error = try await Self.distrust(door, trusting: TrustedAuthorities(path: stranger.root))
                #expect(error?.distrust == .unknownAuthority)
                #expect(error?.distrust?.hint(option: "--ca FILE").contains("with --ca FILE") == true)
            }
            // A name is only compared when the rest is good.
            let elsewhere = try await Self.distrust(
                door, host: "127.0.0.1", trusting: TrustedAuthorities(path: authority.root))
            #expect(elsewhere?.distrust == .otherName)
            #expect(elsewhere?.detail.contains("https://127.0.0.1:") == true)
            #expect(elsewhere?.detail.contains("not for this name") == true)
        }
    }

    @Test func `a door that leaves out who signed its certificate is not trusted`() async throws {
        try await Self.open(isWhole: false) { door, authority in
            let error = try await Self.distrust(door, trusting: TrustedAuthorities(path: authority.root))
            #expect(error?.distrust == .unknownAuthority)
        }
    }

    @Test(
        arguments: [
            (Authority.Validity.past, Distrust.expired, "has expired", "Renew it"),
            (.future, .notYetValid, "is not valid yet", "clock"),
        ])
    func `a certificate counts from its first second to its last`(
        validity: Authority.Validity, distrust: Distrust, detail: String, hint: String
    ) async throws {
        try await Self.open(valid: validity) { door, authority in
            let error = try await Self.distrust(door, trusting: TrustedAuthorities(path: authority.root))
            #expect(error?.distrust == distrust)
            #expect(error?.detail.contains(detail) == true && error?.distrust?.hint(option: "x").contains(hint) == true)
        }
    }

    @Test func `a file of authorities that is none is told before anybody is asked`() async throws {
        try await Authority.with { authority in
            try authority.write("no certificate", "words.pem")
            try authority.write("", "empty.pem")
            for (name, words) in [
                ("none.pem", "No such file"), ("words.pem", "no certificate in PEM"),
                ("empty.pem", "no certificate in PEM"), ("root.key", "no certificate in PEM"),
                ("", "no certificate in PEM"),
            ] {
                let error = #expect(throws: HTTPClientError.self) {
                    _ = try TrustedAuthorities(path: authority.path(name))
                }
                #expect(error?.code == .unusable && error?.distrust == .authoritiesUnusable)
                #expect(error?.detail.contains(words) == true, "\(name): \(String(describing: error))")
            }
        }
    }

    @Test func `a file of authorities that only looks like one is told with the first request`() async throws {
        try await Self.open { door, authority in
            try authority.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "broken.pem")
            let path = authority.path("broken.pem")
            let error = try await Self.distrust(door, trusting: TrustedAuthorities(path: path))
            #expect(error?.distrust == .authoritiesUnusable && error?.detail.contains(path) == true)
        }
    }

    @Test func `who speaks no TLS is told apart from who is not trusted`() async throws {
        try await Door.open { door in
            let error = await #expect(throws: HTTPClientError.self) { _ = try await Self.ask(door, trusting: nil) }
            #expect(error?.code == .unreachable && error?.distrust == nil)
            #expect(error?.detail.contains("perhaps it speaks http:// only") == true, "\(String(describing: error))")
        }
    }
}
