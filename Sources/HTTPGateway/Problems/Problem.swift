package import HTTPTypes

/// An answer that says what went wrong, why, and what to do: `application/problem+json` (RFC 9457).
///
/// `code` is stable and what programs branch on; the page translates it. `detail` and `hint` are English for people and
/// never hold a path of the server, a token, or text that a client sent.
package struct Problem: Error, Sendable, Hashable {
    package var status: HTTPResponse.Status
    package var code: String
    package var detail: String
    package var hint: String
    /// The field of the request that is wrong, where it is one field.
    package var field: String?
    /// What that field may be, where it can be listed.
    package var allowed: [String]?
    /// After how long it makes sense to try again.
    package var retryAfterSeconds: Int?
    /// Methods that the address answers to; only with 405.
    package var allow: [String]?
    /// The rest of the request's body is not worth reading: answer, then close the connection.
    package var closesConnection: Bool
    /// More header fields of the answer.
    package var headers = HTTPFields()
    /// A registered type where a standard names one; nil: ours, made from the code.
    package var type: String?
    /// Only with an offset that differs: where an upload stands, and where a client took it to stand.
    package var expectedOffset: Int64?
    package var providedOffset: Int64?

    package init(
        _ status: HTTPResponse.Status, code: String, detail: String, hint: String, field: String? = nil,
        allowed: [String]? = nil, retryAfterSeconds: Int? = nil, allow: [String]? = nil, closesConnection: Bool = false
    ) {
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.field = field
        self.allowed = allowed
        self.retryAfterSeconds = retryAfterSeconds
        self.allow = allow
        self.closesConnection = closesConnection
    }

    /// The JSON of the answer.
    package struct Body: Codable, Sendable, Hashable {
        package let type: String
        package let title: String
        package let status: Int
        package let code: String
        package let detail: String
        package let hint: String
        /// Names this very occurrence: the request id that is also in `X-Request-Id` and in the logs.
        package let instance: String
        package let field: String?
        package let allowed: [String]?
        package let expectedOffset: Int64?
        package let providedOffset: Int64?

        private enum CodingKeys: String, CodingKey {
            case type, title, status, code, detail, hint, instance, field, allowed
            // As draft-ietf-httpbis-resumable-upload spells them.
            case expectedOffset = "expected-offset"
            case providedOffset = "provided-offset"
        }
    }

    /// - Parameter requestID: what the client may quote when it asks for help.
    package func body(requestID: String) -> Body {
        Body(
            type: type ?? "urn:tijera:problem:\(code)", title: status.reasonPhrase, status: status.code, code: code,
            detail: detail, hint: hint, instance: "urn:tijera:request:\(requestID)", field: field, allowed: allowed,
            expectedOffset: expectedOffset, providedOffset: providedOffset)
    }
}

// MARK: The ones that more than one route gives

extension Problem {
    package static let notFound = Problem(
        .notFound, code: "not_found", detail: "Nothing stands at this address.",
        hint: "Check the address; the API begins at /api.")

    package static let noSuchJob = Problem(
        .notFound, code: "no_such_job", detail: "No job has this id.",
        hint: "It may have been deleted; GET /api/jobs lists the jobs there are.")

    package static let noSuchClip = Problem(
        .notFound, code: "no_such_clip", detail: "No clip has this id.",
        hint: "Its job may have been deleted; GET /api/jobs/{id} lists the clips of a job.")

    package static func methodNotAllowed(_ allow: [String]) -> Problem {
        Problem(
            .methodNotAllowed, code: "method_not_allowed", detail: "This address does not answer to this method.",
            hint: "Use one of: \(allow.joined(separator: ", ")).", allow: allow)
    }

    package static func unavailable(retryAfterSeconds: Int) -> Problem {
        Problem(
            .serviceUnavailable, code: "database_unavailable", detail: "The database does not answer at the moment.",
            hint: "Nothing is lost. Try again in a few seconds.", retryAfterSeconds: retryAfterSeconds)
    }

    /// Says nothing about the inside: the reason is in the log under the request id.
    package static let unexpected = Problem(
        .internalServerError, code: "internal_error", detail: "Something went wrong inside this node.",
        hint: "Try again; if it stays, report the request id of this answer.")

    package static func bodyTooLarge(limitBytes: Int64) -> Problem {
        Problem(
            .contentTooLarge, code: "body_too_large", detail: "The body is larger than \(limitBytes) bytes.",
            hint: "Send less at once.", closesConnection: true)
    }
}
