package import ClipModel
import Crypto

/// AWS's Signature Version 4, as S3 wants it: each segment of a path is encoded once and nothing is normalised.
///
/// Our own, because libcurl 7.88's signs neither the payload of a streamed body nor the query of a link, and orders
/// query fields as they come; checked against the examples that AWS publishes.
package struct SignatureV4: Sendable {
    package let credentials: S3Credentials
    package let region: String
    package let service: String

    package init(credentials: S3Credentials, region: String, service: String = "s3") {
        self.credentials = credentials
        self.region = region
        self.service = service
    }

    /// What is signed of a request. `path` and `query` are not yet encoded.
    package struct Request: Sendable {
        package var method: String
        package var host: String
        package var path: String
        package var query: [(String, String)]
        package var headers: [(String, String)]

        package init(
            method: String, host: String, path: String, query: [(String, String)] = [],
            headers: [(String, String)] = []
        ) {
            self.method = method
            self.host = host
            self.path = path
            self.query = query
            self.headers = headers
        }
    }

    /// The headers to send, those of the request included, but for `host`. `payloadSHA256` is lower-case hexadecimal.
    package func headers(
        for request: Request, payloadSHA256: String, at moment: Timestamp, announcesPayload: Bool = true
    ) -> [(String, String)] {
        let date = Self.date(moment)
        var headers = request.headers + [("x-amz-date", date)]
        if announcesPayload { headers.append(("x-amz-content-sha256", payloadSHA256)) }
        if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
        let (canonical, signed) = Self.canonical(
            request, query: Self.canonical(request.query), headers: headers, payload: payloadSHA256)
        headers.append(
            (
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope(date)), SignedHeaders=\(signed), "
                    + "Signature=\(signature(of: canonical, date))"
            ))
        return headers
    }

    /// A URL that can be used without credentials until `seconds` have passed.
    package func link(to request: Request, scheme: String, at moment: Timestamp, seconds: Int) -> String {
        let date = Self.date(moment)
        var query =
            request.query + [
                ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
                ("X-Amz-Credential", "\(credentials.accessKey)/\(scope(date))"),
                ("X-Amz-Date", date), ("X-Amz-Expires", "\(seconds)"), ("X-Amz-SignedHeaders", "host"),
            ]
        if let token = credentials.sessionToken { query.append(("X-Amz-Security-Token", token)) }
        let text = Self.canonical(query)
        let (canonical, _) = Self.canonical(request, query: text, headers: [], payload: "UNSIGNED-PAYLOAD")
        return "\(scheme)://\(request.host)\(Self.encoded(path: request.path))?\(text)&X-Amz-Signature="
            + signature(of: canonical, date)
    }

    private static func canonical(
        _ request: Request, query: String, headers: [(String, String)], payload: String
    ) -> (text: String, signedHeaders: String) {
        var values: [String: String] = ["host": request.host]
        for (name, value) in headers {
            let squeezed = value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
            values[name.lowercased()] = squeezed
        }
        let names = values.keys.sorted()
        let signed = names.joined(separator: ";")
        let lines = names.map { "\($0):\(values[$0]!)\n" }.joined()
        let text = [request.method, encoded(path: request.path), query, lines, signed, payload].joined(separator: "\n")
        return (text, signed)
    }

    static func canonical(_ query: [(String, String)]) -> String {
        query.map { (encoded($0.0), encoded($0.1)) }.sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }
            .joined(separator: "&")
    }

    static func encoded(path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).map { encoded(String($0)) }.joined(separator: "/")
    }

    /// Everything but RFC 3986's unreserved characters as `%XX`.
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }

    private func scope(_ date: String) -> String { "\(date.prefix(8))/\(region)/\(service)/aws4_request" }

    private func signature(of canonical: String, _ date: String) -> String {
        let hashed = Self.hexadecimal(SHA256.hash(data: Array(canonical.utf8)))
        let toSign = "AWS4-HMAC-SHA256\n\(date)\n\(scope(date))\n\(hashed)"
        var key = SymmetricKey(data: Array("AWS4\(credentials.secretKey)".utf8))
        for part in [String(date.prefix(8)), region, service, "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        return Self.hexadecimal(HMAC<SHA256>.authenticationCode(for: Array(toSign.utf8), using: key))
    }

    /// `20130524T000000Z`
    static func date(_ moment: Timestamp) -> String {
        String(moment.rawValue.prefix(19).filter { $0 != "-" && $0 != ":" }) + "Z"
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
