import ClipModel
import HTTPTypes
import Hummingbird
import Jobs
import Logging
import NIOCore
import NIOHTTPTypes
import Store
import Uploads

/// `/api/uploads`: uploads that go on where they broke off, at any node. In tus 1.0 with all of its extensions, and in
/// the IETF's draft, on the same sessions.
struct ResumableRoutes: Sendable {
    let uploads: UploadService
    let jobs: JobService
    let quota: QuotaGate

    static let tusMediaType = "application/offset+octet-stream"

    var routes: [Route] {
        [
            Route(.options, "/api/uploads") { _, _ in describe(allowing: "OPTIONS, POST") },
            Route(.options, "/api/uploads/{id}") { _, _ in
                describe(allowing: "DELETE, GET, HEAD, OPTIONS, PATCH, POST")
            },
            Route(.post, "/api/uploads", ordersWork: true, create),
            Route(.get, "/api/uploads/{id}", show),
            Route(.patch, "/api/uploads/{id}", append),
            Route(.delete, "/api/uploads/{id}", remove),
            Route(.post, "/api/uploads/{id}", overridden),
        ]
    }

    static func address(of id: UploadID) -> String { "/api/uploads/\(id)" }

    // MARK: Looking

    /// What is spoken here, and the limits.
    private func describe(allowing methods: String) -> Response {
        Response(
            status: .noContent,
            headers: [
                .tusResumable: TusFields.version, .tusVersion: TusFields.version, .tusExtension: TusFields.extensions,
                .tusMaxSize: "\(uploads.limits.bytesMax)", .tusChecksumAlgorithm: TusFields.checksumAlgorithms,
                .uploadLimit: UploadDialect.limit(uploads.limits),
                .uploadDraftInteropVersion: DraftFields.interopVersion,
                .allow: methods, .cacheControl: "no-store",
            ])
    }

    struct Standing: Encodable {
        let uploadId: UploadID
        let received: Int64
        let length: Int64?
        /// `receiving`, `finishing` or `finished`: only then can a job use it.
        let state: String
        let expiresAt: Timestamp?
        /// Only of one that is finished.
        let sha256: String?
    }

    @Sendable private func show(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try await answering(request) { dialect in
            if dialect == .draft {
                for field in [HTTPField.Name.uploadOffset, .uploadComplete] where request.headers[field] != nil {
                    throw Problem.uploadHeader(
                        field, "Whoever asks where an upload stands has nothing to say about it.",
                        hint: "Leave this field out.")
                }
            }
            let session = try await uploads.look(try context.uploadID())
            var response = JSONAnswer.make(
                Standing(
                    uploadId: session.id, received: session.received, length: session.length,
                    state: session.state.rawValue, expiresAt: session.state == .finished ? nil : session.expiresAt,
                    sha256: session.state == .finished ? try await jobs.store.upload(session.id)?.sha256 : nil))
            response.headers.append(contentsOf: self.fields(dialect, session))
            response.headers[.cacheControl] = "no-store"
            // With a tag of its own it is left alone by `ContentAnswers`: an offset must not be kept anywhere.
            response.headers[.eTag] = "W/\"\(session.epoch)-\(session.received)-\(session.state)\""
            if dialect == .tus {
                if session.length == nil { response.headers[.uploadDeferLength] = "1" }
                if !session.metadata.isEmpty { response.headers[.uploadMetadata] = session.metadata }
                switch session.kind {
                case .whole: break
                case .partial: response.headers[.uploadConcat] = "partial"
                case .final:
                    response.headers[.uploadConcat] =
                        "final;" + session.pieces.map { Self.address(of: $0) }.joined(separator: " ")
                }
            }
            return response
        }
    }

    // MARK: Beginning

    @Sendable private func create(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try await answering(request) { dialect in
            // Joining pieces brings no video that is not here already.
            if !request.joinsPieces { try await quota.admitVideo(request, context) }
            return switch dialect {
            case .tus: try await createTus(request, context)
            case .draft: try await createDraft(request, context)
            }
        }
    }

    private func createTus(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let opening = try TusRequest.opening(request, tenant: request.client(context))
        let hasBody = request.hasBody
        if hasBody {
            guard opening.kind != .final else {
                throw Problem.uploadHeader(
                    .uploadConcat, "A final upload gets its bytes from its parts.", hint: "Send it without a body.")
            }
            try request.requireType(Self.tusMediaType)
        }
        let checksum = try TusRequest.checksum(request)
        var session = try await uploads.open(opening)
        if hasBody {
            let append = UploadAppend(offset: 0, announced: request.announcedBytes, checksum: checksum)
            session = try await locating(session.id) { try await receive(append, session.id, request, context) }
        }
        var response = Response(status: .created, headers: fields(.tus, session))
        response.headers[.location] = Self.address(of: session.id)
        return response
    }

    private func createDraft(_ request: Request, _ context: GatewayContext) async throws -> Response {
        guard let text = request.headers[.uploadComplete] else { throw Problem.tusVersion }
        guard let completes = DraftFields.boolean(text) else {
            throw Problem.uploadHeader(
                .uploadComplete, "Upload-Complete is neither ?0 nor ?1.", hint: "Send ?1 when all bytes come along.")
        }
        try DraftRequest.refuseFieldsOfTus(request)
        var append = try DraftRequest.append(request, offset: 0, completes: completes)
        let disposition = request.headers[.contentDisposition].map { HeaderValue($0) }
        let whole = append.length ?? (completes ? append.announced : nil)
        if completes, let length = append.length, let announced = append.announced, length != announced {
            throw UploadError.lengthDiffers(known: length)
        }
        let session = try await uploads.open(
            UploadService.Opening(
                tenant: request.client(context), fileName: DisplayName.normalise(disposition?.parameters["filename"]),
                length: whole, sha256: DraftRequest.wholeDigest(request)))
        let location = Self.address(of: session.id)
        append.length = nil
        guard request.hasBody || completes else {
            return begun(session, location)
        }
        tell(context, request, [.location: location])
        let after = try await locating(session.id) { try await receive(append, session.id, request, context) }
        guard after.state == .finished else { return begun(after, location) }
        return try await finished(after, status: .created, location: location)
    }

    private func begun(_ session: UploadSession, _ location: String) -> Response {
        var response = Response(status: .created, headers: fields(.draft, session))
        response.headers[.location] = location
        return response
    }

    /// The same as what `POST /api/upload` answers.
    private func finished(
        _ session: UploadSession, status: HTTPResponse.Status, location: String? = nil
    ) async throws -> Response {
        guard let upload = try await jobs.store.upload(session.id) else { throw UploadError.noSuchUpload }
        var response = JSONAnswer.make(
            UploadRoutes.Answer(
                uploadId: upload.id, bytes: upload.bytes, sha256: upload.sha256, fileName: upload.fileName),
            status: status)
        response.headers.append(contentsOf: fields(.draft, session))
        response.headers[.cacheControl] = "no-store"
        response.headers[.location] = location
        return response
    }

    // MARK: Going on

    @Sendable private func append(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try await answering(request) { dialect in
            let id = try context.uploadID()
            switch dialect {
            case .tus:
                try request.requireType(Self.tusMediaType)
                let append = try TusRequest.append(request)
                let session =
                    if let ended = try await self.ended(id, append, request) { ended } else {
                        try await receive(append, id, request, context)
                    }
                return Response(status: .noContent, headers: fields(.tus, session))
            case .draft:
                try request.requireType(DraftFields.mediaType)
                let append = try DraftRequest.append(request)
                let session =
                    if let ended = try await self.ended(id, append, request) { ended } else {
                        try await orInvalid(id) { try await receive(append, id, request, context) }
                    }
                guard session.state == .finished else {
                    return Response(status: .noContent, headers: fields(.draft, session))
                }
                return try await finished(session, status: .ok)
            }
        }
    }

    /// A request that adds nothing to an upload that has ended is answered as the one that ended it, whose answer may
    /// have been lost.
    private func ended(_ id: UploadID, _ append: UploadAppend, _ request: Request) async throws -> UploadSession? {
        guard !request.hasBody else { return nil }
        let session = try await uploads.find(id)
        return session.state == .finished && session.received == append.offset ? session : nil
    }

    /// Of the draft: more bytes than there can be make the whole upload invalid.
    private func orInvalid(_ id: UploadID, _ body: () async throws -> UploadSession) async throws -> UploadSession {
        do { return try await body() } catch let error as UploadError {
            if case .tooLarge = error { try await uploads.terminate(id) }
            throw error
        }
    }

    @Sendable private func remove(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try await answering(request) { dialect in
            try await uploads.terminate(try context.uploadID())
            return Response(
                status: .noContent, headers: dialect == .tus ? [.tusResumable: TusFields.version] : HTTPFields())
        }
    }

    /// For clients behind something that lets only GET and POST pass.
    @Sendable private func overridden(_ request: Request, _ context: GatewayContext) async throws -> Response {
        switch request.headers[.methodOverride]?.uppercased() {
        case "PATCH": try await append(request, context)
        case "DELETE": try await remove(request, context)
        case "HEAD", "GET": try await show(request, context)
        default: throw Problem.methodNotAllowed(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH"])
        }
    }

    // MARK: Bytes

    @concurrent private func receive(
        _ append: UploadAppend, _ id: UploadID, _ request: Request, _ context: GatewayContext
    ) async throws -> UploadSession {
        var body = request.body.makeAsyncIterator()
        let channel = context.channel
        return try await uploads.receive(
            append, of: id, stop: { channel.close(promise: nil) },
            stored: { tell(context, request, [.uploadOffset: "\($0)"]) },
            next: { try await body.next(isolation: #isolation)?.readableBytesView })
    }

    /// 104 (Upload Resumption Supported): tells a client of the draft, while it is sending, where it may go on should
    /// the connection break, and how far its bytes are safe.
    private func tell(_ context: GatewayContext, _ request: Request, _ fields: HTTPFields) {
        guard request.headers[.uploadDraftInteropVersion] == DraftFields.interopVersion else { return }
        var head = HTTPResponse(
            status: HTTPResponse.Status(code: 104, reasonPhrase: "Upload Resumption Supported"), headerFields: fields)
        head.headerFields[.uploadDraftInteropVersion] = DraftFields.interopVersion
        context.channel.writeAndFlush(HTTPResponsePart.head(head), promise: nil)
    }

    // MARK: Errors

    private func fields(_ dialect: UploadDialect, _ session: UploadSession) -> HTTPFields {
        dialect.fields(session, limits: uploads.limits)
    }

    /// An upload that was begun and then refused bytes still has its address.
    private func locating(_ id: UploadID, _ body: () async throws -> UploadSession) async throws -> UploadSession {
        do { return try await body() } catch let error as UploadError {
            throw Located(error: error, location: Self.address(of: id))
        }
    }

    private struct Located: Error {
        let error: UploadError
        let location: String
    }

    private func answering(
        _ request: Request, _ body: (UploadDialect) async throws -> Response
    ) async throws -> Response {
        let dialect = try UploadDialect(request)
        do { return try await body(dialect) } catch let error as UploadError {
            throw refusal(error, dialect, request)
        } catch let located as Located {
            var problem = refusal(located.error, dialect, request)
            problem.headers[.location] = located.location
            throw problem
        } catch var problem as Problem {
            if dialect == .tus { problem.headers[.tusResumable] = TusFields.version }
            throw problem
        }
    }

    private func refusal(_ error: UploadError, _ dialect: UploadDialect, _ request: Request) -> Problem {
        dialect.problem(error, request, limits: uploads.limits)
    }
}

extension Request {
    var announcedBytes: Int64? { headers[.contentLength].flatMap { TusFields.bytes($0) } }
    /// Whether bytes come along, as far as its head tells.
    var hasBody: Bool {
        announcedBytes.map { $0 > 0 } ?? (headers[.transferEncoding] != nil || headers[.contentType] != nil)
    }
    /// More than what is read to its end for an answer that does not need it.
    var hasLongBody: Bool { hasBody && (announcedBytes ?? .max) > 1 << 20 }

    /// Makes one upload of pieces that are here.
    fileprivate var joinsPieces: Bool {
        if case .final? = headers[.uploadConcat].flatMap({ TusFields.concatenation($0) }) { true } else { false }
    }

    func requireType(_ type: String) throws(Problem) {
        guard headers[.contentType].map({ HeaderValue($0).value }) == type else {
            throw Problem(
                .unsupportedMediaType, code: "not_upload_bytes", detail: "The bytes of an upload are sent as \(type).",
                hint: "Send Content-Type: \(type).", field: "Content-Type", allowed: [type])
        }
    }
}

extension GatewayContext {
    /// Text that is no id names no upload, so the answer is the same.
    func uploadID() throws(UploadError) -> UploadID {
        guard let id = coreContext.parameters.get("id").flatMap({ UploadID($0) }) else { throw .noSuchUpload }
        return id
    }
}
