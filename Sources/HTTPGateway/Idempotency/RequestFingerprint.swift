import Crypto
import HTTPTypes
import Hummingbird

/// What must be the same when an idempotency key comes again: method, path, query, type and body.
///
/// Of a form its boundary is not compared, because clients draw one for each attempt. Of bytes that flow only their
/// number is, and what the request says about them: nobody sends a video again to learn that it is known.
enum RequestFingerprint {
    /// What a request says about an upload in its head.
    private static let fields: [HTTPField.Name] = [
        .methodOverride, .contentDisposition, .contentDigest, .representationDigest, .tusResumable, .uploadOffset,
        .uploadLength, .uploadDeferLength, .uploadMetadata, .uploadConcat, .uploadChecksum, .uploadComplete,
    ]

    /// - Parameter body: nil: it is not in memory.
    static func make(_ request: Request, body: [UInt8]?) -> String {
        var hash = SHA256()
        // Each text after its length, so that no two lists of texts are the same bytes.
        func add(_ text: some StringProtocol) {
            hash.update(data: Array("\(text.utf8.count):".utf8))
            hash.update(data: Array(text.utf8))
        }
        add(request.method.rawValue)
        add(request.uri.path)
        let query = request.uri.queryParameters.map { ("\($0.key)", "\($0.value)") }.sorted { $0 < $1 }
        add("\(query.count)")
        for (name, value) in query {
            add(name)
            add(value)
        }
        add(request.headers[.contentType].map { HeaderValue($0).value } ?? "")
        for field in fields { add(request.headers[field] ?? "") }
        if let body {
            add(hexadecimal(SHA256.hash(data: body)))
        } else {
            add(request.headers[.contentLength] ?? "")
        }
        return hexadecimal(hash.finalize())
    }
}
