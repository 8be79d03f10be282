import HTTPTypes
import Uploads

extension Problem {
    static let tusVersion: Problem = {
        var problem = Problem(
            .preconditionFailed, code: "tus_version", detail: "This is not a version of tus that is spoken here.",
            hint: "Send Tus-Resumable: \(TusFields.version).", field: "Tus-Resumable", allowed: [TusFields.version])
        problem.headers = [.tusVersion: TusFields.version]
        return problem
    }()

    static func uploadHeader(_ field: HTTPField.Name, _ detail: String, hint: String) -> Problem {
        Problem(
            .badRequest, code: "invalid_upload_header", detail: detail, hint: hint, field: field.canonicalName,
            closesConnection: false)
    }

    /// The registered types of the draft, for those who know them.
    private static let types: [String: String] = [
        "upload_offset_differs": "https://iana.org/assignments/http-problem-types#mismatching-upload-offset",
        "upload_finished": "https://iana.org/assignments/http-problem-types#completed-upload",
        "upload_length_differs": "https://iana.org/assignments/http-problem-types#inconsistent-upload-length",
    ]

    init(upload error: UploadError, in dialect: UploadDialect) {
        self = Self.state(error, dialect) ?? Self.limit(error) ?? Self.content(error, dialect)
        if dialect == .draft { type = Self.types[code] }
        if case .offsetDiffers(let received, let sent) = error {
            (expectedOffset, providedOffset) = (received, sent)
        }
    }

    /// The session is not in a state for this request.
    private static func state(_ error: UploadError, _ dialect: UploadDialect) -> Problem? {
        switch error {
        case .noSuchUpload:
            Problem(
                .notFound, code: "no_such_upload", detail: "No upload has this address.",
                hint: "It was removed, or never was: begin a new one with POST /api/uploads.")
        case .expired:
            Problem(
                .gone, code: "upload_expired", detail: "Nobody went on with this upload in the time it was kept.",
                hint: "Begin a new one with POST /api/uploads.")
        case .finished:
            Problem(
                dialect == .draft ? .badRequest : .conflict, code: "upload_finished",
                detail: "This upload has all of its bytes.", hint: "Use its id with POST /api/jobs.")
        case .finishing:
            Problem(
                .conflict, code: "upload_finishing", detail: "All bytes are here and are being joined.",
                hint: "Ask again in a moment.", retryAfterSeconds: 1)
        case .takenOver:
            Problem(
                .conflict, code: "upload_taken_over", detail: "A newer request goes on with this upload.",
                hint: "HEAD tells where it stands; one request at a time adds to an upload.", retryAfterSeconds: 1)
        case .offsetDiffers(let received, _):
            Problem(
                .conflict, code: "upload_offset_differs",
                detail: "The upload stands at byte \(received); the bytes of this request begin elsewhere.",
                hint: "Go on at \(received).", field: "Upload-Offset")
        case .takesNothing:
            Problem(
                .forbidden, code: "upload_is_joined", detail: "A final upload gets its bytes from its parts.",
                hint: "Add to the partial uploads before they are joined.")
        case .connectionLost: .connectionLost
        default: nil
        }
    }

    private static func limit(_ error: UploadError) -> Problem? {
        switch error {
        case .tooLarge(let bytesMax):
            Problem(
                .contentTooLarge, code: "upload_too_large",
                detail: "The upload would be larger than \(bytesMax) bytes.",
                hint: "Send as many bytes as were announced, and not more than Tus-Max-Size.")
        case .tooManyParts(let partsMax):
            Problem(
                .contentTooLarge, code: "too_many_upload_parts",
                detail: "The upload came in more than \(partsMax) requests.", hint: "Send more bytes in a request.")
        case .tooManySessions(let sessionsMax):
            Problem(
                .tooManyRequests, code: "too_many_uploads",
                detail: "You have \(sessionsMax) uploads under way, as many as a client may.",
                hint: "Finish or DELETE some of them.", retryAfterSeconds: 60)
        case .tooManyBytes(let bytesMax):
            Problem(
                .tooManyRequests, code: "too_many_upload_bytes",
                detail: "Your uploads under way would be more than \(bytesMax) bytes together.",
                hint: "Finish or DELETE some of them.", retryAfterSeconds: 60)
        case .tooManyPieces(let piecesMax):
            Problem(
                .badRequest, code: "too_many_upload_pieces",
                detail: "More than \(piecesMax) uploads are to be joined.", hint: "Join fewer and larger ones.",
                field: "Upload-Concat")
        case .metadataTooLong(let bytesMax):
            Problem(
                HTTPResponse.Status(code: 431, reasonPhrase: "Request Header Fields Too Large"),
                code: "upload_metadata_too_long", detail: "Upload-Metadata has more than \(bytesMax) bytes.",
                hint: "Send the file's name and not much more.", field: "Upload-Metadata")
        default: nil
        }
    }

    /// What came is not what was said.
    private static func content(_ error: UploadError, _ dialect: UploadDialect) -> Problem {
        let mismatch: HTTPResponse.Status =
            dialect == .tus ? HTTPResponse.Status(code: 460, reasonPhrase: "Checksum Mismatch") : .badRequest
        switch error {
        case .lengthDiffers(let known):
            return Problem(
                .badRequest, code: "upload_length_differs", detail: "The upload was announced with \(known) bytes.",
                hint: "The length cannot change; begin a new upload.", field: "Upload-Length")
        case .lengthTooShort(let received):
            return Problem(
                .badRequest, code: "upload_length_too_short", detail: "\(received) bytes have arrived already.",
                hint: "The length cannot be less than what was sent.", field: "Upload-Length")
        case .checksumDiffers:
            return Problem(
                mismatch, code: "upload_checksum_differs", detail: "The bytes do not have the checksum they came with.",
                hint: "None of this request was kept: send it again.")
        case .digestDiffers:
            return Problem(
                mismatch, code: "upload_digest_differs",
                detail: "The whole does not have the digest it was announced with.",
                hint: "It was thrown away: begin a new upload.", field: "Repr-Digest")
        case .noSuchPiece:
            return Problem(
                .badRequest, code: "no_such_upload_piece", detail: "One of the uploads to join is no partial upload.",
                hint: "Create them with Upload-Concat: partial; they are kept for a while.", field: "Upload-Concat")
        case .unfinishedPiece:
            return Problem(
                .conflict, code: "unfinished_upload_piece", detail: "One of the uploads to join lacks bytes.",
                hint: "Finish it first.", field: "Upload-Concat")
        default:
            return Problem(
                .unprocessableContent, code: "empty_file", detail: "The video has no bytes.",
                hint: "Check that the file is not empty and send it again.")
        }
    }
}
