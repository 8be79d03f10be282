import Blobs
import ClipModel
import HTTPTypes
import Hummingbird
import Store

extension Problem {
    /// What a client is told about an error, whoever threw it. Nil: a surprise, which is logged and answered with
    /// `unexpected`.
    package init?(_ error: any Error) {
        switch error {
        case let error as Problem: self = error
        case let error as Failure: self.init(error)
        case let error as OptionProblem: self.init(error)
        case let error as EditProblem: self.init(error)
        case let error as StoreError:
            guard let problem = Problem(store: error) else { return nil }
            self = problem
        case let error as BlobError: self.init(blob: error)
        case let error as MultipartError: self.init(multipart: error)
        case let error as HTTPError where error.status == .notFound: self = .notFound
        case let error as HTTPError where error.status.kind == .clientError:
            self.init(
                error.status, code: "bad_request", detail: "The request cannot be read.",
                hint: "Check the address and the headers.")
        default: return nil
        }
    }

    private init(_ failure: Failure) {
        let status: HTTPResponse.Status =
            switch failure.class {
            case .poison: .unprocessableContent
            case .transient, .resource: .serviceUnavailable
            case .cancelled: .conflict
            }
        self.init(
            status, code: failure.code, detail: failure.reason, hint: failure.hint,
            retryAfterSeconds: status == .serviceUnavailable ? 5 : nil)
    }

    private init(_ problem: OptionProblem) {
        self.init(
            .unprocessableContent, code: "invalid_option", detail: "options.\(problem.option) \(problem.detail).",
            hint: "Correct the option or leave it out to get its default.", field: "options.\(problem.option)")
    }

    private init(_ problem: EditProblem) {
        self.init(
            .unprocessableContent, code: "invalid_edit", detail: "\(problem.field) \(problem.detail).",
            hint: "Correct it; times are seconds of the source, as GET /api/clips/{id} and its captions have them.",
            field: problem.field)
    }

    private init?(store error: StoreError) {
        switch error.code {
        case .unavailable, .timedOut: self = .unavailable(retryAfterSeconds: 2)
        case .poolExhausted: self = .unavailable(retryAfterSeconds: 1)
        case .refused, .corrupt: return nil
        }
    }

    private init(blob error: BlobError) {
        let failure = error.failure
        let status: HTTPResponse.Status =
            switch error.code {
            case .full: HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
            case .missing: .notFound
            case .tooLarge: .contentTooLarge
            case .rangeInvalid: .rangeNotSatisfiable
            case .exists: .conflict
            case .denied, .broken, .unavailable, .corrupt, .cacheTooSmall: .serviceUnavailable
            }
        // Stages wait by themselves; what was asked for here does not.
        let hint =
            failure.waits ? "Try again in a while; if it stays so, tell whoever runs the cluster." : failure.hint
        self.init(
            status, code: failure.code, detail: failure.reason, hint: hint,
            retryAfterSeconds: status == .serviceUnavailable ? 5 : nil)
    }

    private init(multipart error: MultipartError) {
        let (code, detail, hint): (String, String, String) =
            switch error {
            case .tooManyParts(let limit):
                (
                    "too_many_parts", "The form has more than \(limit) parts.",
                    "Send `file` and, if you like, `transcript`."
                )
            case .headersTooLong(let limit):
                (
                    "part_headers_too_long", "The headers of a part are longer than \(limit) bytes.",
                    "Shorten the file name."
                )
            case .preambleTooLong, .malformedHeader, .unnamedPart:
                (
                    "malformed_form", "The body is not the form that its Content-Type announces.",
                    "Send multipart/form-data as browsers and curl -F do."
                )
            case .truncated:
                ("upload_truncated", "The body ended before the form did.", "Send the file again.")
            }
        self.init(.badRequest, code: code, detail: detail, hint: hint)
    }
}
