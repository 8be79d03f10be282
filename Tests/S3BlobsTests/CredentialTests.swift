import Blobs
import ClipModel
import Foundation
import Synchronization
import Testing

@testable import S3Blobs

@Suite struct CredentialTests {
    private static let given = S3Credentials(accessKey: "set", secretKey: "s")

    @Test func `all that there is is asked in order, and the instance last`() throws {
        let environment = [
            "AWS_ACCESS_KEY_ID": "env", "AWS_SECRET_ACCESS_KEY": "e", "AWS_SESSION_TOKEN": "t", "HOME": "/home/x",
            "AWS_PROFILE": "video", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1",
        ]
        let chain = try CredentialChain(.auto, settings: Self.given, profile: nil, environment: environment)
        #expect(
            chain.sources == [
                .fixed(Self.given), .fixed(S3Credentials(accessKey: "env", secretKey: "e", sessionToken: "t")),
                .file(path: "/home/x/.aws/credentials", profile: "video"),
                .container(url: "http://169.254.170.2/v2/credentials/1", token: nil),
                .instance(endpoint: "http://169.254.169.254"),
            ])
    }

    @Test func `one kind that is asked for is the only one`() throws {
        let environment = ["AWS_ACCESS_KEY_ID": "env", "AWS_SECRET_ACCESS_KEY": "e", "HOME": "/h"]
        for kind in [CredentialChain.Kind.settings, .environment, .file, .instance] {
            let chain = try CredentialChain(kind, settings: Self.given, profile: "p", environment: environment)
            #expect(chain.sources.count == 1)
        }
        let disabled = environment.merging(["AWS_EC2_METADATA_DISABLED": "true"]) { $1 }
        #expect(try CredentialChain(.auto, settings: nil, profile: nil, environment: disabled).sources.count == 2)
    }

    @Test(arguments: CredentialChain.Kind.allCases.filter { $0 != .auto && $0 != .instance })
    func `a kind that has nothing says what is missing`(kind: CredentialChain.Kind) {
        #expect(throws: CredentialChain.Trouble.self) {
            try CredentialChain(kind, settings: nil, profile: nil, environment: [:])
        }
    }

    @Test func `half a pair is a mistake and not a reason to look elsewhere`() {
        #expect(throws: CredentialChain.Trouble.self) {
            try CredentialChain(.auto, settings: nil, profile: nil, environment: ["AWS_ACCESS_KEY_ID": "a"])
        }
    }

    @Test(
        arguments: [
            ("https://anywhere.example/c", true), ("http://127.0.0.1:80/c", true), ("http://localhost/c", true),
            ("http://169.254.170.23/v1/credentials", true), ("http://[fd00:ec2::23]/v1/credentials", true),
            ("http://[::1]:8/x", true), ("http://10.0.0.1/c", false), ("http://127.0.0.1.evil.example/c", false),
            ("http://localhost@evil.example/c", false), ("http://127.1/c", false), ("ftp://localhost", false),
        ])
    func `without TLS credentials come only from this machine and the agents beside it`(url: String, isSafe: Bool) {
        let chain = try? CredentialChain(
            .container, settings: nil, profile: nil, environment: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": url])
        #expect((chain != nil) == isSafe)
    }

    // MARK: Renewal

    @Test func `credentials are renewed five minutes before they end, and used meanwhile when that fails`() {
        let noon = Timestamp("2026-01-31T12:00:00Z")!
        let first = S3Credentials(
            accessKey: "1", secretKey: "s", expiresAt: noon.advanced(bySeconds: 3600))
        var renewal = CredentialRenewal()
        #expect(renewal.step(at: noon) == .renew)
        #expect(renewal.failed(at: noon) == nil)
        renewal.renewed(first)
        #expect(renewal.step(at: noon.advanced(bySeconds: 3299)) == .use(first))
        let late = noon.advanced(bySeconds: 3301)
        #expect(renewal.step(at: late) == .renew)
        #expect(renewal.failed(at: late) == first)
        #expect(renewal.step(at: late.advanced(bySeconds: 29)) == .use(first))
        #expect(renewal.step(at: late.advanced(bySeconds: 31)) == .renew)
        let over = noon.advanced(bySeconds: 3600)
        #expect(renewal.step(at: over) == .renew)
        #expect(renewal.failed(at: over) == nil)
        renewal.renewed(Self.given)
        #expect(renewal.step(at: over.advanced(bySeconds: 1e9)) == .use(Self.given))
    }

    @Test func `those that are refused are renewed at once, those that came meanwhile are not`() {
        let noon = Timestamp("2026-01-31T12:00:00Z")!
        var renewal = CredentialRenewal()
        renewal.renewed(Self.given)
        renewal.refused(S3Credentials(accessKey: "older", secretKey: "s"))
        #expect(renewal.step(at: noon) == .use(Self.given))
        renewal.refused(Self.given)
        #expect(renewal.step(at: noon) == .renew)
        #expect(renewal.failed(at: noon) == nil)
    }

    // MARK: Where they come from

    private func document(_ key: String, expires: String = "2099-01-01T00:00:00Z") -> HTTPDouble.Reply {
        .text(
            """
            {"Code": "Success", "AccessKeyId": "\(key)", "SecretAccessKey": "secret", "Token": "token",
            "Expiration": "\(expires)"}
            """)
    }

    @Test func `an instance is asked with a token, for its role and then for its credentials`() async throws {
        let asked = Notes<String>()
        try await HTTPDouble.run { question in
            asked.add("\(question.method) \(question.target)")
            switch (question.method, question.target) {
            case ("PUT", "/latest/api/token"):
                return question.headers["x-aws-ec2-metadata-token-ttl-seconds"] == nil
                    ? .text("", status: 400) : .text("the-token")
            case ("GET", "/latest/meta-data/iam/security-credentials/")
            where question.headers["x-aws-ec2-metadata-token"] == "the-token":
                return .text("video-node\n")
            case ("GET", "/latest/meta-data/iam/security-credentials/video-node")
            where question.headers["x-aws-ec2-metadata-token"] == "the-token":
                return document("AKINSTANCE")
            default: return .text("", status: 401)
            }
        } _: { double in
            let chain = try CredentialChain(
                .instance, settings: nil, profile: nil,
                environment: ["AWS_EC2_METADATA_SERVICE_ENDPOINT": double.url])
            let provider = CredentialProvider(chain, now: wallTime)
            let credentials = try await provider.current()
            #expect(credentials.accessKey == "AKINSTANCE" && credentials.sessionToken == "token")
            #expect(credentials.expiresAt == Timestamp("2099-01-01T00:00:00Z"))
            _ = try await provider.current()
            #expect(asked.all.count == 3, "they are kept")
        }
    }

    @Test func `a container is asked with the token of its file, which is read anew each time`() async throws {
        let root = try TemporaryDirectory()
        let tokens = Notes<String>()
        let now = Mutex(Timestamp("2026-01-31T12:00:00Z")!)
        try await HTTPDouble.run { question in
            tokens.add(question.headers["authorization"] ?? "none")
            return document("AK\(tokens.all.count)", expires: "2026-01-31T13:00:00Z")
        } _: { double in
            let file = root.path + "/token"
            try Data("first\n".utf8).write(to: URL(filePath: file))
            let chain = try CredentialChain(
                .container, settings: nil, profile: nil,
                environment: [
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI": double.url + "/v1/credentials",
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file,
                ])
            let provider = CredentialProvider(chain) { now.withLock { $0 } }
            #expect(try await provider.current().accessKey == "AK1")
            try Data("second".utf8).write(to: URL(filePath: file))
            now.withLock { $0 = $0.advanced(bySeconds: 3400) }
            #expect(try await provider.current().accessKey == "AK2")
            #expect(tokens.all == ["first", "second"])
        }
    }

    @Test func `many who need them at once ask once`() async throws {
        let asked = Notes<Int>()
        try await HTTPDouble.run { _ in
            asked.add(1)
            return document("AK")
        } _: { double in
            let chain = try CredentialChain(
                .container, settings: nil, profile: nil,
                environment: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": double.url])
            let provider = CredentialProvider(chain, now: wallTime)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { _ = try await provider.current() } }
                try await group.waitForAll()
            }
            #expect(asked.all.count == 1)
        }
    }

    @Test func `a service away, and an answer that is none, are told and passed over`() async throws {
        let root = try TemporaryDirectory()
        try Data("[default]\naws_access_key_id = AKFILE\naws_secret_access_key = s\n".utf8)
            .write(to: URL(filePath: root.path + "/credentials"))
        try await HTTPDouble.run { _ in
            .text("<html>")
        } _: { double in
            let environment = [
                "AWS_SHARED_CREDENTIALS_FILE": root.path + "/credentials",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": double.url, "AWS_EC2_METADATA_DISABLED": "true",
            ]
            let other = CredentialProvider(
                try CredentialChain(.auto, settings: nil, profile: "other", environment: environment), now: wallTime)
            let error = await #expect(throws: CredentialProvider.Trouble.self) { try await other.current() }
            #expect(error?.description.contains("[other]") == true)
            #expect(error?.description.contains("no credentials") == true)
            let chain = try CredentialChain(.auto, settings: nil, profile: nil, environment: environment)
            #expect(try await CredentialProvider(chain, now: wallTime).current().accessKey == "AKFILE")
        }
    }

    @Test func `a profile of the shared file is found among others`() {
        let text = """
            # a comment
            [default]
            aws_access_key_id=AK0
            aws_secret_access_key=S0

            [video]
            ; another
              AWS_ACCESS_KEY_ID = AK1
            aws_secret_access_key = a=b/c+
            aws_session_token =
            """
        #expect(CredentialProvider.section("default", of: text)["aws_access_key_id"] == "AK0")
        let video = CredentialProvider.section("video", of: text)
        #expect(video == ["aws_access_key_id": "AK1", "aws_secret_access_key": "a=b/c+"])
        #expect(CredentialProvider.section("none", of: text).isEmpty)
    }

    @Test func `credentials that the service no longer takes are read again, and the request goes on`() async throws {
        let (root, fresh) = (try TemporaryDirectory(), Notes<Int>())
        let path = root.path + "/credentials"
        func write(_ key: String) throws {
            try Data("[default]\naws_access_key_id=\(key)\naws_secret_access_key=s\n".utf8)
                .write(to: URL(filePath: path))
        }
        try write("OLD")
        try await HTTPDouble.run { question in
            guard question.headers["authorization"]?.contains("Credential=NEW/") == true else {
                try Data("[default]\naws_access_key_id=NEW\naws_secret_access_key=s\n".utf8)
                    .write(to: URL(filePath: path))
                return .text("<Error><Code>ExpiredToken</Code></Error>", status: 400)
            }
            fresh.add(1)
            return HTTPDouble.Reply(headers: [("etag", "\"1\"")])
        } _: { double in
            let chain = try CredentialChain(
                .file, settings: nil, profile: nil, environment: ["AWS_SHARED_CREDENTIALS_FILE": path])
            let client = try S3Client(
                S3Configuration(endpoint: double.url, region: "r", bucket: "b"),
                credentials: CredentialProvider(chain, now: wallTime), clock: ContinuousClock(), now: wallTime,
                chance: { 0 }, logger: quiet)
            let blobs = try S3BlobStore(
                client: client, room: LocalRoom(root: root.path, limits: BlobLimits(freeBytesMin: 0)),
                cacheBytesMax: 1 << 20)
            _ = try await blobs.put([1], as: name("a"))
            #expect(fresh.all.count == 1)
        }
    }
}
