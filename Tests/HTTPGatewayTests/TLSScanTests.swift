import Foundation
import HTTPGateway
import Testing

/// What a scanner such as testssl.sh looks for at a real door: by hellos written by hand, because no library of today
/// offers what is long broken, and by `openssl s_client` for all that comes after the hello.
@Suite(.timeLimit(.minutes(5))) struct TLSScanTests {
    /// What is taken of TLS 1.2, by the kind of the certificate's key.
    private static let taken: [Authority.KeyKind: [UInt16: String]] = [
        .elliptic: [
            0xC02B: "ECDHE-ECDSA-AES128-GCM-SHA256", 0xC02C: "ECDHE-ECDSA-AES256-GCM-SHA384",
            0xCCA9: "ECDHE-ECDSA-CHACHA20-POLY1305",
        ],
        .rsa: [
            0xC02F: "ECDHE-RSA-AES128-GCM-SHA256", 0xC030: "ECDHE-RSA-AES256-GCM-SHA384",
            0xCCA8: "ECDHE-RSA-CHACHA20-POLY1305",
        ],
    ]
    private static let request = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    private static func open(
        _ key: Authority.KeyKind = .elliptic, idleSeconds: Double = 75,
        _ body: @escaping @Sendable (Door, Authority) async throws -> Void
    ) async throws {
        try await Authority.with { authority in
            var configuration = GatewayConfiguration()
            configuration.credentials = try await authority.credentials(key: key)
            configuration.pace.idleSeconds = idleSeconds
            try await Door.open(configuration) { door in try await body(door, authority) }
        }
    }

    /// One handshake with openssl, and whatever `input` is sent after it.
    private static func client(
        _ door: Door, _ arguments: [String], input: String = "", inputStays: Bool = false
    ) async throws -> String {
        try await EntranceTests.output(
            "openssl", ["s_client", "-connect", "127.0.0.1:\(door.client.port)"] + arguments, input: input,
            inputStays: inputStays, statuses: [0, 1])
    }

    private static func agreed(_ text: String) -> Bool {
        text.contains("Cipher is ") && !text.contains("Cipher is (NONE)")
    }

    private static func ask(_ door: Door, _ hello: [UInt8]) async throws -> ClientHello.Answer {
        try await door.client.connect { wire in
            try await wire.write(hello)
            return try await wire.read(until: ClientHello.answer) ?? .nothing
        }
    }

    /// Every suite that the door takes when it is offered: what it chooses is taken out, and the rest offered again.
    private static func suites(_ door: Door, version: UInt16) async throws -> Set<UInt16> {
        var found: Set<UInt16> = []
        var rest = ClientHello.allSuites[...]
        while !rest.isEmpty {
            var offer = Array(rest.prefix(ClientHello.suitesMax))
            rest = rest.dropFirst(offer.count)
            while let suite = try await ask(door, ClientHello(version: version, suites: offer).bytes).suite {
                #expect(found.insert(suite).inserted && offer.contains(suite), "it chose \(suite)")
                offer.removeAll { $0 == suite }
            }
        }
        return found
    }

    @Test(arguments: [Authority.KeyKind.elliptic, .rsa])
    func `of all 65 536 suites only those with forward secrecy and authenticated encryption are taken`(
        key: Authority.KeyKind
    ) async throws {
        try await Self.open(key) { door, _ in
            let found = try await Self.suites(door, version: 0x0303)
            #expect(found == Set(Self.taken[key, default: [:]].keys))
        }
    }

    @Test(arguments: [0x0300, 0x0301, 0x0302] as [UInt16])
    func `SSL 3, TLS 1_0 and TLS 1_1 are refused with whatever suite`(version: UInt16) async throws {
        try await Self.open { door, _ in
            #expect(try await Self.suites(door, version: version).isEmpty)
            // 70: protocol_version.
            let suites = Array(ClientHello.allSuites.suffix(ClientHello.suitesMax))
            let old = try await Self.ask(door, ClientHello(version: version, suites: suites).bytes)
            #expect(old == .refused(alert: 70))
            let new = try await Self.ask(door, ClientHello(suites: [0xC02B]).bytes)
            #expect(new.suite == 0xC02B)
        }
    }

    @Test func `SSL 2, compression and a needless step down are refused`() async throws {
        try await Self.open { door, _ in
            let old = try await Self.ask(door, ClientHello.ofSSL2)
            #expect(old.suite == nil, "\(old)")
            let both = try await Self.ask(door, ClientHello(suites: [0xC02B], compressions: [1, 0]).bytes)
            #expect(both == .agreed(version: 0x0303, suite: 0xC02B, compression: 0))
            let packed = try await Self.ask(door, ClientHello(suites: [0xC02B], compressions: [1]).bytes)
            #expect(packed.suite == nil, "\(packed)")
            // 86: inappropriate_fallback. Whoever comes with less than both know was made to by somebody in between.
            let stepped = try await Self.ask(door, ClientHello(suites: [0xC02B, ClientHello.fallback]).bytes)
            #expect(stepped == .refused(alert: 86))
        }
    }

    @Test(arguments: [Authority.KeyKind.elliptic, .rsa])
    func `every suite of TLS 1_2 that openssl has is tried, and three are taken`(key: Authority.KeyKind) async throws {
        let list = try await EntranceTests.output(
            "openssl", ["ciphers", "-s", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"])
        let names = list.split(separator: ":").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
        #expect(names.count > 60 && names.contains { $0.hasPrefix("ADH-") } && names.contains("NULL-SHA256"))
        try await Self.open(key) { door, _ in
            var found: Set<String> = []
            for name in names {
                let text = try await Self.client(door, ["-tls1_2", "-cipher", "\(name):@SECLEVEL=0"])
                if Self.agreed(text) { found.insert(name) }
            }
            #expect(found == Set(Self.taken[key, default: [:]].values))
        }
    }

    @Test func `the suites and groups of TLS 1_3 are those and no others`() async throws {
        let suites = [
            "TLS_AES_128_GCM_SHA256": true, "TLS_AES_256_GCM_SHA384": true, "TLS_CHACHA20_POLY1305_SHA256": true,
            "TLS_AES_128_CCM_SHA256": false, "TLS_AES_128_CCM_8_SHA256": false,
        ]
        let groups = [
            "X25519": true, "P-256": true, "P-384": true, "P-521": false, "X448": false, "ffdhe2048": false,
            "ffdhe8192": false,
        ]
        try await Self.open { door, _ in
            for (suite, isTaken) in suites {
                let text = try await Self.client(door, ["-tls1_3", "-ciphersuites", suite])
                #expect(Self.agreed(text) == isTaken, "\(suite): \(text)")
            }
            for (group, isTaken) in groups {
                let text = try await Self.client(door, ["-tls1_3", "-groups", group])
                #expect(Self.agreed(text) == isTaken, "\(group): \(text)")
            }
        }
    }

    @Test func `a client that asks for new keys in the middle gets none`() async throws {
        // A door that would do nothing at all about it ends the connection when it has been idle.
        try await Self.open(idleSeconds: 5) { door, _ in
            // R alone on a line renegotiates; -msg names each message of the handshakes.
            let text = try await Self.client(door, ["-tls1_2", "-msg"], input: "R\n", inputStays: true)
            #expect(text.contains("Secure Renegotiation IS supported") && text.contains("RENEGOTIATING"), "\(text)")
            #expect(text.matches(of: /, ClientHello/).count == 2, "it was asked for: \(text)")
            #expect(text.matches(of: /, ServerHello\n/).count == 1, "and granted: \(text)")
        }
    }

    @Test(
        arguments: [
            ("h2", "ALPN protocol: h2"), ("http/1.1", "ALPN protocol: http/1.1"),
            ("h2,http/1.1", "ALPN protocol: h2"), ("spdy/3,h2", "ALPN protocol: h2"), ("spdy/3", "No ALPN negotiated"),
        ])
    func `what is spoken after the handshake is agreed on in it`(offer: String, words: String) async throws {
        try await Self.open { door, _ in
            for version in ["-tls1_2", "-tls1_3"] {
                let text = try await Self.client(door, [version, "-alpn", offer])
                #expect(Self.agreed(text) && text.contains(words), "\(text)")
                #expect(text.contains("Compression: NONE") && text.contains("Expansion: NONE"))
            }
        }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func `the chain is whole, and whoever names no server gets it too`(version: String) async throws {
        try await Self.open { door, authority in
            for name in [["-noservername"], ["-servername", "localhost"], ["-servername", "elsewhere.example"]] {
                let text = try await Self.client(
                    door, [version, "-CAfile", authority.root, "-no-CApath", "-showcerts"] + name)
                #expect(text.contains("Verify return code: 0 (ok)"), "\(text)")
                #expect(text.split(separator: "-----BEGIN CERTIFICATE-----").count == 3, "two are sent: \(text)")
            }
        }
    }

    @Test func `a session goes on without data before the handshake, and at no other door`() async throws {
        try await Self.open { door, authority in
            let (session, early) = (authority.path("session.pem"), authority.path("early"))
            try authority.write(Self.request, "early")
            let resumed = ["-ign_eof", "-sess_in", session]
            for version in ["-tls1_2", "-tls1_3"] {
                let first = try await Self.client(
                    door, [version, "-ign_eof", "-sess_out", session], input: Self.request)
                #expect(first.contains("New, TLSv1") && first.contains("HTTP/1.1 200"), "\(first)")
                let zero = version == "-tls1_3" ? ["-early_data", early] : []
                let second = try await Self.client(door, [version] + resumed + zero, input: Self.request)
                #expect(second.contains("Reused, TLSv1") && second.contains("HTTP/1.1 200"), "\(second)")
                #expect(!second.contains("Early data was accepted"), "\(second)")
                if version == "-tls1_3" {
                    // The ticket says how much may come before the handshake.
                    #expect(first.contains("Max Early Data: 0"), "\(first)")
                    #expect(second.contains("Early data was not sent"), "\(second)")
                }
                // The keys of tickets never leave the process that made them.
                var other = GatewayConfiguration()
                other.credentials = try await authority.credentials("other")
                try await Door.open(other) { other in
                    let text = try await Self.client(other, [version] + resumed, input: Self.request)
                    #expect(text.contains("New, TLSv1") && !text.contains("Reused"), "\(text)")
                }
            }
        }
    }
}
