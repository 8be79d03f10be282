import ClipModel
import HTTPTypes
import Hummingbird
import Uploads

/// Which of the two protocols a request speaks. Both work on the same sessions, so one may begin what the other ends.
enum UploadDialect: Sendable {
    /// tus 1.0 (tus.io/protocols/resumable-upload).
    case tus
    /// draft-ietf-httpbis-resumable-upload-12, interop version 9.
    case draft

    /// A tus request names its version; one that names another is refused with ours.
    init(_ request: Request) throws(Problem) {
        guard let version = request.headers[.tusResumable] else {
            self = .draft
            return
        }
        guard version == TusFields.version else { throw .tusVersion }
        self = .tus
    }

    /// The fields by which a client sees where an upload stands.
    func fields(_ session: UploadSession, limits: UploadLimits) -> HTTPFields {
        var fields: HTTPFields = [.uploadOffset: "\(session.received)", .cacheControl: "no-store"]
        if let length = session.length { fields[.uploadLength] = "\(length)" }
        switch self {
        case .tus:
            fields[.tusResumable] = TusFields.version
            if session.state != .finished { fields[.uploadExpires] = session.expiresAt.httpDate }
        case .draft:
            fields[.uploadComplete] = DraftFields.text(isComplete(session))
            fields[.uploadLimit] = Self.limit(limits)
            fields[.uploadDraftInteropVersion] = DraftFields.interopVersion
        }
        return fields
    }

    /// Complete: the bytes are an upload, or a piece that has all of its bytes.
    func isComplete(_ session: UploadSession) -> Bool {
        session.state == .finished || session.kind == .partial && session.isWhole
    }

    static func limit(_ limits: UploadLimits) -> String {
        "max-size=\(limits.bytesMax), min-size=1, max-age=\(limits.keepSeconds)"
    }

    /// What went wrong, in the words of this protocol.
    func problem(_ error: UploadError, _ request: Request, limits: UploadLimits) -> Problem {
        var problem = Problem(upload: error, in: self)
        problem.headers = headers(of: error, limits: limits)
        // Gigabytes that nobody reads on are not waited for.
        if request.hasLongBody { problem.closesConnection = true }
        return problem
    }

    private func headers(of error: UploadError, limits: UploadLimits) -> HTTPFields {
        var fields: HTTPFields =
            switch self {
            case .tus: [.tusResumable: TusFields.version]
            case .draft:
                [
                    .uploadComplete: DraftFields.text(error == .finished),
                    .uploadDraftInteropVersion: DraftFields.interopVersion,
                ]
            }
        switch error {
        case .offsetDiffers(let received, _), .checksumDiffers(let received), .finishing(let received):
            fields[.uploadOffset] = "\(received)"
        case .tooLarge where self == .draft: fields[.uploadLimit] = Self.limit(limits)
        default: break
        }
        return fields
    }
}

extension HTTPField.Name {
    static let tusResumable = Self("Tus-Resumable")!
    static let tusVersion = Self("Tus-Version")!
    static let tusExtension = Self("Tus-Extension")!
    static let tusMaxSize = Self("Tus-Max-Size")!
    static let tusChecksumAlgorithm = Self("Tus-Checksum-Algorithm")!
    static let uploadOffset = Self("Upload-Offset")!
    static let uploadLength = Self("Upload-Length")!
    static let uploadDeferLength = Self("Upload-Defer-Length")!
    static let uploadMetadata = Self("Upload-Metadata")!
    static let uploadConcat = Self("Upload-Concat")!
    static let uploadChecksum = Self("Upload-Checksum")!
    static let uploadExpires = Self("Upload-Expires")!
    static let uploadComplete = Self("Upload-Complete")!
    static let uploadLimit = Self("Upload-Limit")!
    static let uploadDraftInteropVersion = Self("Upload-Draft-Interop-Version")!
    static let contentDigest = Self("Content-Digest")!
    static let representationDigest = Self("Repr-Digest")!
    static let methodOverride = Self("X-HTTP-Method-Override")!
}

extension Timestamp {
    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
    var httpDate: String {
        let text = rawValue
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = Int(text.dropFirst(5).prefix(2)).map { months[$0 - 1] } ?? "Jan"
        // 1970-01-01 was a Thursday.
        let days = Int((millisecondsSinceEpoch / 86_400_000 + 4) % 7)
        let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][days]
        let clock = text.dropFirst(11).prefix(8)
        return "\(weekday), \(text.dropFirst(8).prefix(2)) \(month) \(text.prefix(4)) \(clock) GMT"
    }
}
