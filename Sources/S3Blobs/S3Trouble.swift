import Blobs
import HTTPClient

/// Why a request did not do what it should.
struct S3Trouble: Error, Hashable, Sendable, CustomStringConvertible {
    enum Kind: Sendable, Hashable {
        /// Nobody answered, or the answer broke off. The request may have been carried out.
        case connection
        /// The service had an error of its own (500, 502, 504). The request may have been carried out.
        case service
        /// Too much is asked of it at the moment (503 SlowDown, 429).
        case slowDown
        /// The credentials are no longer good; others may be.
        case credentials
        case missing, exists, denied, rangeInvalid
        /// The bytes that arrived are not those that were sent.
        case corrupt
        case cancelled
        /// This machine's own disk, and not the service.
        case disk(BlobError)
        /// Anything else: asking again does not help.
        case refused
    }

    let kind: Kind
    /// S3's own code, such as `NoSuchUpload`; empty: there was none.
    let code: String
    let detail: String

    init(_ kind: Kind, code: String = "", _ detail: String) {
        self.kind = kind
        self.code = code
        self.detail = detail
    }

    var description: String { code.isEmpty ? detail : "\(code): \(detail)" }

    init(_ error: HTTPClientError) {
        switch error.code {
        case .unreachable, .timedOut: self.init(.connection, error.detail)
        case .cancelled: self.init(.cancelled, "cancelled")
        case .stopped, .tooLarge, .forbidden, .unusable: self.init(.refused, error.detail)
        case .untrusted:
            self.init(.refused, error.detail + "; set blobs.s3.authorities if the service has a CA of its own")
        }
    }

    /// Of an answer that is no success. `document` is its body, where it has one.
    init(status: Int, headers: [String: String], document: S3Document?) {
        let code = document?["Code"] ?? ""
        let message = document?["Message"] ?? ""
        let text = "the service answered \(status)" + (message.isEmpty ? "" : ": \(message)")
        switch (status, code) {
        case (_, "ExpiredToken"), (_, "ExpiredTokenException"), (_, "InvalidToken"), (_, "TokenRefreshRequired"),
            (_, "InvalidAccessKeyId"):
            self.init(.credentials, code: code, text)
        case (_, "RequestTimeTooSkewed"):
            self.init(.refused, code: code, text + "; set the clock of this machine")
        case (_, "RequestTimeout"), (408, _), (_, "OperationAborted"), (_, "ConditionalRequestConflict"):
            self.init(.service, code: code, text)
        case (_, "BadDigest"), (_, "XAmzContentSHA256Mismatch"), (_, "XAmzContentChecksumMismatch"),
            (_, "InvalidDigest"):
            self.init(.corrupt, code: code, text)
        case (501, _), (_, "NotImplemented"):
            self.init(.refused, code: code, text + "; set blobs.s3.checksums: none if this service knows no SHA-256")
        case (503, _), (429, _), (_, "SlowDown"): self.init(.slowDown, code: code, text)
        case (500..., _), (_, "InternalError"): self.init(.service, code: code, text)
        case (301, _), (307, _), (400, "AuthorizationHeaderMalformed"):
            let region = headers["x-amz-bucket-region"] ?? document?["Region"]
            let hint = region.map { "; set blobs.s3.region to \($0)" } ?? "; look at blobs.s3.endpoint and region"
            self.init(.refused, code: code, text + hint)
        case (404, "NoSuchBucket"): self.init(.denied, code: code, text + "; create it, or set blobs.s3.bucket")
        case (404, _): self.init(.missing, code: code, text)
        // HEAD is answered without a reason. Others' credentials are worth one try.
        case (400, ""), (401, ""), (403, ""):
            let hint = " and not why; look at blobs.s3.credentials, and at what they may do"
            self.init(.credentials, code: code, text + hint)
        case (412, _), (409, _): self.init(.exists, code: code, text)
        case (401, _), (403, _): self.init(.denied, code: code, text)
        case (416, _): self.init(.rangeInvalid, code: code, text)
        default: self.init(.refused, code: code, text)
        }
    }

    var blobError: BlobError {
        let code: BlobError.Code
        switch kind {
        case .connection, .service, .slowDown, .cancelled: code = .unavailable
        case .credentials, .denied: code = .denied
        case .missing: code = .missing
        case .exists: code = .exists
        case .rangeInvalid: code = .rangeInvalid
        case .corrupt: code = .corrupt
        case .refused: code = .broken
        case .disk(let error): return error
        }
        return BlobError(code, "S3: \(description)")
    }
}
