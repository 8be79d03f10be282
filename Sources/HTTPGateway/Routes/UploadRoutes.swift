import Blobs
import ClipModel
import HTTPTypes
import Hummingbird
import Jobs
import Logging

/// `POST /api/upload`: a video, and a transcript if the client has one, as a form.
struct UploadRoutes: Sendable {
    let jobs: JobService
    let configuration: GatewayConfiguration
    let quota: QuotaGate

    var routes: [Route] { [Route(.post, "/api/upload", ordersWork: true, upload)] }

    struct Answer: Codable, Sendable {
        let uploadId: UploadID
        let bytes: Int64
        let sha256: String
        let fileName: String
    }

    @Sendable func upload(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try await quota.admitVideo(request, context)
        let receiver = try await receive(request)
        let upload: Upload
        do { upload = try await receiver.finish() } catch {
            // A transcript that cannot be read: the video is of no use to anybody either. Nothing if it was committed.
            await receiver.discard()
            throw error
        }
        context.logger.info(
            "upload stored", metadata: ["upload": "\(upload.id)", "upload.bytes": "\(upload.bytes)"])
        let answer = Answer(
            uploadId: upload.id, bytes: upload.bytes, sha256: upload.sha256, fileName: upload.fileName)
        return JSONAnswer.make(answer, status: .created)
    }

    @concurrent private func receive(_ request: Request) async throws -> UploadReceiver {
        do {
            let parser = MultipartParser(boundary: try boundary(of: request), limits: configuration.multipart)
            try refuseAnnounced(request.headers[.contentLength])
            let receiver = UploadReceiver(
                jobs: jobs, parser: parser, videoBytesMax: configuration.uploadBytesMax,
                transcriptBytesMax: configuration.transcriptBytesMax)
            do {
                var body = request.body.makeAsyncIterator()
                while let buffer = try await Self.next(&body) {
                    try await receiver.receive(buffer.readableBytesView)
                }
                return receiver
            } catch {
                await receiver.discard()
                throw error
            }
        } catch {
            // The rest of the body, gigabytes perhaps, is of no use to anybody.
            guard var problem = Problem(error) else { throw error }
            problem.closesConnection = true
            throw problem
        }
    }

    @concurrent private static func next(_ body: inout RequestBody.AsyncIterator) async throws(Problem) -> ByteBuffer? {
        // A reset, a half-closed socket or a broken chunk: in every case the rest will not come.
        do { return try await body.next() } catch { throw .connectionLost }
    }

    private func boundary(of request: Request) throws(Problem) -> String {
        let type = request.headers[.contentType].map { HeaderValue($0) }
        guard let type, type.value == "multipart/form-data", let boundary = type.parameters["boundary"],
            (1...MultipartParser.boundaryCharactersMax).contains(boundary.utf8.count)
        else {
            throw Problem(
                .unsupportedMediaType, code: "not_a_form", detail: "The body must be multipart/form-data.",
                hint: "Send the video as the part `file` of a form, as `curl -F file=@video.mp4` does.")
        }
        return boundary
    }

    /// Saves a client from sending for an hour what cannot be taken.
    private func refuseAnnounced(_ contentLength: String?) throws(Problem) {
        let around = Int64(configuration.transcriptBytesMax + 64 * 1024)
        guard let length = contentLength.flatMap({ Int64($0) }) else { return }
        guard length <= configuration.uploadBytesMax + around else {
            throw .uploadTooLarge(limitBytes: configuration.uploadBytesMax)
        }
    }
}

extension Problem {
    static func uploadTooLarge(limitBytes: Int64) -> Problem {
        Problem(
            .contentTooLarge, code: "upload_too_large", detail: "The video is larger than \(limitBytes) bytes.",
            hint: "Send a shorter video, or one with a lower bit rate.", field: "file")
    }
}
