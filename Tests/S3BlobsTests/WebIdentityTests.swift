import Blobs
import ClipModel
import Foundation
import Synchronization
import Testing

@testable import S3Blobs

/// A role's credentials for the token of another house, as EKS gives them to service accounts.
@Suite struct WebIdentityTests {
    private static let role = "arn:aws:iam::123456789012:role/video"

    private func chain(
        _ kind: CredentialChain.Kind = .webIdentity, _ more: [String: String] = [:]
    ) throws -> CredentialChain {
        let environment = ["AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": Self.role].merging(more) { $1 }
        return try CredentialChain(kind, settings: nil, profile: nil, region: "eu-west-3", environment: environment)
    }

    private func identity(_ endpoint: String, session: String = "tijera") -> CredentialChain.Source {
        .webIdentity(.init(endpoint: endpoint, role: Self.role, session: session, tokenPath: "/token"))
    }

    @Test func `the STS of the region is asked, before files and after keys that are given`() throws {
        #expect(try chain().sources == [identity("https://sts.eu-west-3.amazonaws.com")])
        #expect(
            try chain(.webIdentity, ["AWS_REGION": "cn-north-1", "AWS_ROLE_SESSION_NAME": "node-1"]).sources
                == [identity("https://sts.cn-north-1.amazonaws.com.cn", session: "node-1")])
        let all = try chain(
            .auto, ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "HOME": "/h"])
        #expect(all.sources.count == 4)
        #expect(all.sources[1] == identity("https://sts.eu-west-3.amazonaws.com"))
    }

    @Test(
        arguments: [
            ["AWS_ROLE_ARN": ""], ["AWS_REGION": "evil.example/"], ["AWS_ENDPOINT_URL_STS": "http://sts.example"],
        ])
    func `half of it, a region that is none, and a way without TLS are mistakes`(wrong: [String: String]) {
        #expect(throws: CredentialChain.Trouble.self) { try chain(.webIdentity, wrong) }
        // Of all that could be meant, half of it is passed over.
        if wrong["AWS_ROLE_ARN"] == nil { #expect(throws: CredentialChain.Trouble.self) { try chain(.auto, wrong) } }
    }

    @Test func `a token without a role is passed over, and told of, where there is something else to ask`() throws {
        let given = ["AWS_ROLE_ARN": "", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "HOME": "/h"]
        let before = try chain(.auto, given)
        #expect(
            before.sources == [
                .fixed(S3Credentials(accessKey: "a", secretKey: "s")),
                .file(path: "/h/.aws/credentials", profile: "default"),
                .instance(endpoint: "http://169.254.169.254"),
            ])
        #expect(before.passedOver == "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not")
        #expect(try chain(.auto, ["AWS_ROLE_ARN": ""]).sources == [.instance(endpoint: "http://169.254.169.254")])
        #expect(try chain(.auto).passedOver == nil)
        // Keys alone are asked for, so nobody is told of tokens.
        #expect(try chain(.environment, given).passedOver == nil)
        let nothing = #expect(throws: CredentialChain.Trouble.self) {
            try chain(.auto, ["AWS_ROLE_ARN": "", "AWS_EC2_METADATA_DISABLED": "true"])
        }
        #expect(nothing?.description.contains("AWS_ROLE_ARN is not") == true)
    }

    private func answer(_ key: String, expires: String) -> HTTPDouble.Reply {
        .text(
            """
            <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
              <AssumeRoleWithWebIdentityResult>
                <SubjectFromWebIdentityToken>system:serviceaccount:video:node</SubjectFromWebIdentityToken>
                <AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/video/tijera</Arn></AssumedRoleUser>
                <Credentials>
                  <SessionToken>session</SessionToken><SecretAccessKey>secret</SecretAccessKey>
                  <Expiration>\(expires)</Expiration><AccessKeyId>\(key)</AccessKeyId>
                </Credentials>
              </AssumeRoleWithWebIdentityResult>
              <ResponseMetadata><RequestId>ad4156e9-bce1-11e2-82e6-6b6efEXAMPLE</RequestId></ResponseMetadata>
            </AssumeRoleWithWebIdentityResponse>
            """)
    }

    @Test func `the file's token is exchanged, and again before the credentials end as it then is`() async throws {
        let root = try TemporaryDirectory()
        let asked = Notes<String>()
        let now = Mutex(Timestamp("2026-01-31T12:00:00Z")!)
        try await HTTPDouble.run { question in
            asked.add("\(question.method) \(question.target) " + String(decoding: question.body, as: UTF8.self))
            guard question.headers["content-type"] == "application/x-www-form-urlencoded",
                question.headers["authorization"] == nil
            else { return .text("", status: 400) }
            return answer("AK\(asked.all.count)", expires: "2026-01-31T13:00:00Z")
        } _: { double in
            let file = root.path + "/token"
            try Data("a.b+c/d=\n".utf8).write(to: URL(filePath: file))
            let provider = CredentialProvider(
                try chain(
                    .webIdentity, ["AWS_ENDPOINT_URL_STS": double.url + "/", "AWS_WEB_IDENTITY_TOKEN_FILE": file])
            ) { now.withLock { $0 } }
            let first = try await provider.current()
            #expect(first.accessKey == "AK1" && first.secretKey == "secret" && first.sessionToken == "session")
            #expect(first.expiresAt == Timestamp("2026-01-31T13:00:00Z"))
            #expect(try await provider.current() == first, "they are kept")
            try Data("second".utf8).write(to: URL(filePath: file))
            now.withLock { $0 = $0.advanced(bySeconds: 3400) }
            #expect(try await provider.current().accessKey == "AK2")
        }
        let form = "POST / Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fvideo"
        let rest = "&RoleSessionName=tijera&Version=2011-06-15&WebIdentityToken="
        #expect(asked.all == [form + rest + "a.b%2Bc%2Fd%3D", form + rest + "second"])
    }

    @Test(
        arguments: [
            (400, "InvalidIdentityToken", false), (403, "AccessDenied", false), (400, "ExpiredTokenException", false),
            (400, "IDPCommunicationError", true), (503, "ServiceUnavailable", true), (429, "Throttling", true),
        ])
    func `a refusal is told in STS's words, and what may pass is told from it`(
        status: Int, code: String, isAway: Bool
    ) async throws {
        let root = try TemporaryDirectory()
        try Data("token".utf8).write(to: URL(filePath: root.path + "/token"))
        try await HTTPDouble.run { _ in
            .text(
                "<ErrorResponse><Error><Type>Sender</Type><Code>\(code)</Code><Message>because</Message></Error>"
                    + "<RequestId>1</RequestId></ErrorResponse>", status: status)
        } _: { double in
            let chain = try chain(
                .webIdentity,
                [
                    "AWS_ENDPOINT_URL_STS": double.url, "AWS_WEB_IDENTITY_TOKEN_FILE": root.path + "/token",
                ])
            let provider = CredentialProvider(chain, now: wallTime)
            let error = await #expect(throws: CredentialProvider.Trouble.self) { _ = try await provider.current() }
            #expect(error?.description.contains("\(status), \(code): because") == true)
            #expect(error?.isAway == isAway)
        }
    }

    @Test func `an answer without credentials is told, and no secret with it`() async throws {
        let root = try TemporaryDirectory()
        try Data("the-token".utf8).write(to: URL(filePath: root.path + "/token"))
        try await HTTPDouble.run { _ in
            .text("<AssumeRoleWithWebIdentityResponse/>")
        } _: { double in
            let chain = try chain(
                .webIdentity,
                [
                    "AWS_ENDPOINT_URL_STS": double.url, "AWS_WEB_IDENTITY_TOKEN_FILE": root.path + "/token",
                ])
            let provider = CredentialProvider(chain, now: wallTime)
            let error = await #expect(throws: CredentialProvider.Trouble.self) { _ = try await provider.current() }
            #expect(error?.description.contains("no credentials") == true)
            #expect(error?.description.contains("the-token") == false)
        }
    }

    @Test func `blobs are written with what a service that we did not write exchanges a token for`() async throws {
        let server = try await S3Server.shared(.moto)
        let root = try TemporaryDirectory()
        try Data("any.token.will-do".utf8).write(to: URL(filePath: root.path + "/token"))
        let chain = try chain(
            .webIdentity,
            [
                "AWS_ENDPOINT_URL_STS": server.endpoint, "AWS_WEB_IDENTITY_TOKEN_FILE": root.path + "/token",
            ])
        let provider = CredentialProvider(chain, now: wallTime)
        #expect(try await provider.current().sessionToken != nil)
        let client = try S3Client(
            server.configuration, credentials: provider, clock: ContinuousClock(), now: wallTime, chance: { 0 },
            logger: quiet)
        let blobs = try S3BlobStore(
            client: client, room: LocalRoom(root: root.path, limits: BlobLimits(freeBytesMin: 0)),
            cacheBytesMax: 1 << 20)
        _ = try await blobs.put([1, 2, 3], as: name("web-identity"))
        #expect(try await blobs.size(of: name("web-identity")) == 3)
    }

    // MARK: Away or denied

    @Test func `a service of credentials that is silent makes S3 away, an instance that is only guessed at does not`()
        async throws
    {
        // Nobody listens there.
        let nowhere = "http://127.0.0.1:9"
        let named = CredentialProvider(
            try chain(.instance, ["AWS_EC2_METADATA_SERVICE_ENDPOINT": nowhere]), now: wallTime)
        #expect(await isAway(named))
        let guessed = CredentialProvider(
            try CredentialChain(
                .auto, settings: nil, profile: nil,
                environment: ["HOME": "/nowhere", "AWS_EC2_METADATA_SERVICE_ENDPOINT": nowhere]), now: wallTime)
        #expect(await !isAway(guessed))
        #expect(try await code(named) == .unavailable)
        #expect(try await code(guessed) == .denied)
    }

    private func isAway(_ provider: CredentialProvider) async -> Bool {
        let error = await #expect(throws: CredentialProvider.Trouble.self) { _ = try await provider.current() }
        return error?.isAway == true
    }

    private func code(_ provider: CredentialProvider) async throws -> BlobError.Code? {
        let root = try TemporaryDirectory()
        var configuration = S3Configuration(endpoint: "http://127.0.0.1:9", region: "r", bucket: "b")
        configuration.patience = .milliseconds(200)
        let client = try S3Client(
            configuration, credentials: provider, clock: ContinuousClock(), now: wallTime, chance: { 0 },
            logger: quiet)
        let blobs = try S3BlobStore(
            client: client, room: LocalRoom(root: root.path, limits: BlobLimits(freeBytesMin: 0)),
            cacheBytesMax: 1 << 20)
        do throws(BlobError) { _ = try await blobs.size(of: name("a")) } catch { return error.code }
        return nil
    }

    @Test func `a HEAD that is refused without a reason says where to look`() {
        let trouble = S3Trouble(status: 403, headers: [:], document: nil)
        #expect(trouble.kind == .credentials)
        #expect(trouble.detail.contains("blobs.s3.credentials"))
    }
}
