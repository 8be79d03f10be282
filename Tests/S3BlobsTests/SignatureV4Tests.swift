import ClipModel
import Testing

@testable import S3Blobs

/// The examples that AWS publishes: those of the S3 documentation ("Signature Calculations for the Authorization
/// Header", "Authenticating Requests: Using Query Parameters") and of the aws-sig-v4-test-suite.
@Suite struct SignatureV4Tests {
    private static let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    private static let bucket = "examplebucket.s3.amazonaws.com"
    private let moment = Timestamp("2013-05-24T00:00:00Z")!
    private let signer = SignatureV4(
        credentials: S3Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        region: "us-east-1")

    private func signature(_ request: SignatureV4.Request, payload: String = empty) -> String? {
        signer.headers(for: request, payloadSHA256: payload, at: moment)
            .first { $0.0 == "Authorization" }?.1.split(separator: "Signature=").last.map { String($0) }
    }

    @Test func `a part of an object is asked for as in the documentation`() {
        let request = SignatureV4.Request(
            method: "GET", host: Self.bucket, path: "/test.txt", headers: [("Range", "bytes=0-9")])
        #expect(signature(request) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func `an object is put as in the documentation`() {
        let request = SignatureV4.Request(
            method: "PUT", host: Self.bucket, path: "/test$file.text",
            headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")])
        let payload = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
        #expect(
            signature(request, payload: payload) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test func `a field of the query without a value is signed as in the documentation`() {
        let request = SignatureV4.Request(
            method: "GET", host: Self.bucket, path: "/", query: [("lifecycle", "")])
        #expect(signature(request) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    }

    @Test func `a bucket is listed as in the documentation, whatever the order of the query`() {
        let request = SignatureV4.Request(
            method: "GET", host: Self.bucket, path: "/", query: [("prefix", "J"), ("max-keys", "2")])
        #expect(signature(request) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test func `a link is made as in the documentation`() {
        let request = SignatureV4.Request(method: "GET", host: Self.bucket, path: "/test.txt")
        let link = signer.link(to: request, scheme: "https", at: moment, seconds: 86400)
        #expect(
            link == "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }

    struct SuiteCase: Sendable, CustomTestStringConvertible {
        let name: String
        let method: String
        var query: [(String, String)] = []
        var headers: [(String, String)] = []
        let signature: String
        var testDescription: String { name }
    }

    static let suite: [SuiteCase] = [
        SuiteCase(
            name: "get-vanilla", method: "GET",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        SuiteCase(
            name: "get-vanilla-query-order-key-case", method: "GET",
            query: [("Param2", "value2"), ("Param1", "value1")],
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        SuiteCase(
            name: "post-vanilla", method: "POST",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        SuiteCase(
            name: "get-header-value-trim", method: "GET",
            headers: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
    ]

    @Test(arguments: suite) func `requests are signed as in the test suite`(example: SuiteCase) {
        let signer = SignatureV4(
            credentials: S3Credentials(
                accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1", service: "service")
        let request = SignatureV4.Request(
            method: example.method, host: "example.amazonaws.com", path: "/", query: example.query,
            headers: example.headers)
        let headers = signer.headers(
            for: request, payloadSHA256: Self.empty, at: Timestamp("2015-08-30T12:36:00Z")!, announcesPayload: false)
        let authorization = headers.first { $0.0 == "Authorization" }?.1 ?? ""
        #expect(authorization.hasSuffix("Signature=\(example.signature)"), "\(authorization)")
    }

    @Test func `the token of a session is sent and signed, and part of a link`() {
        let signer = SignatureV4(
            credentials: S3Credentials(accessKey: "a", secretKey: "b", sessionToken: "t/o"), region: "eu-west-1")
        let request = SignatureV4.Request(method: "GET", host: "host", path: "/key")
        let headers = signer.headers(for: request, payloadSHA256: Self.empty, at: moment)
        #expect(headers.contains { $0 == ("x-amz-security-token", "t/o") })
        #expect(
            headers.contains {
                $0.1.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token")
            })
        let link = signer.link(to: request, scheme: "http", at: moment, seconds: 60)
        #expect(link.contains("X-Amz-Security-Token=t%2Fo"))
    }

    @Test func `neither a log line nor a failure shows the secret`() {
        let text = "\(S3Credentials(accessKey: "AK", secretKey: "hidden", sessionToken: "also hidden"))"
        #expect(!text.contains("hidden"))
    }
}
