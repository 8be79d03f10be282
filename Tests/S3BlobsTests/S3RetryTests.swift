import Testing

@testable import S3Blobs

@Suite struct S3RetryTests {
    private static let lost = S3Trouble(.connection, "lost")
    private static let slow = S3Trouble(.slowDown, code: "SlowDown", "slow")

    @Test func `pauses are drawn between the shortest and three times the last`() {
        var retry = S3Retry(patience: .seconds(60))
        #expect(
            retry.failed(Self.lost, waited: .zero, chance: 0.999)
                == .again(after: .milliseconds(100) + .milliseconds(200) * 0.999))
        var last = Duration.milliseconds(300)
        for chance in [0, 0.25, 0.5, 0.75, 0.999, 0.999, 0.999, 0.999, 0.999, 0.999] {
            guard case .again(let pause) = retry.failed(Self.lost, waited: .zero, chance: chance) else {
                Issue.record("given up")
                return
            }
            #expect(pause >= S3Retry.shortest && pause <= S3Retry.longest)
            #expect(pause <= max(last * 3, S3Retry.shortest * 3))
            last = pause
        }
    }

    @Test func `two that failed together do not come back together`() {
        var (one, other) = (S3Retry(patience: .seconds(60)), S3Retry(patience: .seconds(60)))
        let steps = (
            one.failed(Self.lost, waited: .zero, chance: 0.1), other.failed(Self.lost, waited: .zero, chance: 0.9)
        )
        #expect(steps.0 != steps.1)
    }

    @Test func `a service that asks for less is left alone for a second at least`() {
        var retry = S3Retry(patience: .seconds(60))
        guard case .again(let pause) = retry.failed(Self.slow, waited: .zero, chance: 0) else {
            Issue.record("given up")
            return
        }
        #expect(pause == .seconds(1))
    }

    @Test func `patience ends before a pause that would pass it`() {
        var retry = S3Retry(patience: .seconds(5))
        #expect(retry.failed(Self.lost, waited: .milliseconds(4_950), chance: 0) == .giveUp)
        #expect(retry.failed(Self.lost, waited: .seconds(4), chance: 0) == .again(after: .milliseconds(100)))
    }

    @Test(arguments: [S3Trouble.Kind.missing, .exists, .denied, .rangeInvalid, .cancelled, .refused])
    func `what will not get better is not tried again`(kind: S3Trouble.Kind) {
        var retry = S3Retry(patience: .seconds(60))
        #expect(retry.failed(S3Trouble(kind, ""), waited: .zero, chance: 0) == .giveUp)
    }

    @Test func `credentials are renewed once, and again only after something arrived`() {
        var retry = S3Retry(patience: .seconds(60))
        let expired = S3Trouble(.credentials, code: "ExpiredToken", "")
        #expect(retry.failed(expired, waited: .zero, chance: 0) == .renewCredentials)
        #expect(retry.failed(expired, waited: .zero, chance: 0) == .giveUp)
        retry.progressed()
        #expect(retry.failed(expired, waited: .zero, chance: 0) == .renewCredentials)
    }

    @Test func `bytes that arrive broken three times are broken on the way`() {
        var retry = S3Retry(patience: .seconds(60))
        let broken = S3Trouble(.corrupt, code: "BadDigest", "")
        #expect(retry.failed(broken, waited: .zero, chance: 0) == .again(after: .milliseconds(100)))
        #expect(retry.failed(broken, waited: .zero, chance: 0) == .again(after: .milliseconds(100)))
        #expect(retry.failed(broken, waited: .zero, chance: 0) == .giveUp)
    }

    struct Answer: Sendable, CustomTestStringConvertible {
        let status: Int
        let code: String
        let kind: S3Trouble.Kind
        var testDescription: String { "\(status) \(code)" }
    }

    static let answers: [Answer] = [
        Answer(status: 500, code: "InternalError", kind: .service), Answer(status: 502, code: "x", kind: .service),
        Answer(status: 501, code: "NotImplemented", kind: .refused), Answer(status: 501, code: "", kind: .refused),
        Answer(status: 503, code: "SlowDown", kind: .slowDown), Answer(status: 503, code: "x", kind: .slowDown),
        Answer(status: 429, code: "x", kind: .slowDown), Answer(status: 400, code: "RequestTimeout", kind: .service),
        Answer(status: 400, code: "ExpiredToken", kind: .credentials),
        Answer(status: 403, code: "InvalidAccessKeyId", kind: .credentials),
        Answer(status: 403, code: "AccessDenied", kind: .denied),
        Answer(status: 403, code: "SignatureDoesNotMatch", kind: .denied),
        Answer(status: 403, code: "RequestTimeTooSkewed", kind: .refused),
        Answer(status: 404, code: "NoSuchKey", kind: .missing),
        Answer(status: 404, code: "NoSuchUpload", kind: .missing),
        Answer(status: 404, code: "NoSuchBucket", kind: .denied),
        Answer(status: 409, code: "ConditionalRequestConflict", kind: .service),
        Answer(status: 412, code: "PreconditionFailed", kind: .exists),
        Answer(status: 416, code: "InvalidRange", kind: .rangeInvalid),
        Answer(status: 400, code: "BadDigest", kind: .corrupt),
        Answer(status: 301, code: "PermanentRedirect", kind: .refused),
        Answer(status: 200, code: "InternalError", kind: .service),
        Answer(status: 400, code: "EntityTooSmall", kind: .refused),
    ]

    @Test(arguments: answers) func `an answer is told by its status and code`(answer: Answer) throws {
        let text = "<?xml version=\"1.0\"?><Error><Code>\(answer.code)</Code><Message>why &amp; so</Message></Error>"
        let document = try #require(S3Document.parse(Array(text.utf8)))
        let trouble = S3Trouble(status: answer.status, headers: [:], document: document)
        #expect(trouble.kind == answer.kind)
        #expect(trouble.detail.contains("why & so"))
    }

    @Test func `a bucket of another region is told where it is`() {
        let trouble = S3Trouble(status: 301, headers: ["x-amz-bucket-region": "eu-west-3"], document: nil)
        #expect(trouble.detail.hasSuffix("set blobs.s3.region to eu-west-3"))
    }

    @Test func `a service that knows no checksums is told of with the setting that helps`() {
        let trouble = S3Trouble(status: 501, headers: [:], document: nil)
        #expect(trouble.detail.contains("set blobs.s3.checksums: none"))
    }

    @Test(arguments: ["", "no xml", "<a><b></a>", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/hostname\">]><a>&x;"])
    func `what is no answer is no document`(text: String) {
        #expect(S3Document.parse(Array(text.utf8)) == nil)
    }

    @Test func `parts grow with what is allowed, so that 10,000 are enough`() {
        let configuration = S3Configuration(endpoint: "http://x", region: "r", bucket: "b")
        #expect(configuration.partBytes(upTo: 1) == 16 << 20)
        for limit: Int64 in [160 << 30, 1 << 40, 5 << 40] {
            let part = configuration.partBytes(upTo: limit)
            #expect((limit + part - 1) / part <= 10_000)
        }
        #expect(Array(S3Ranges(bytes: 25, eachBytes: 10)) == [0..<10, 10..<20, 20..<25])
        #expect(Array(S3Ranges(bytes: 0, eachBytes: 10)).isEmpty)
    }
}
