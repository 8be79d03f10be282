import Blobs
import ClipModel
import Crypto
import HTTPTypes
import Hummingbird
import Jobs
import Store

/// `/api/clips/{id}` and its files.
struct ClipRoutes: Sendable {
    let jobs: JobService
    let chance: Chance

    var routes: [Route] {
        [
            Route(.get, "/api/clips/{id}", show),
            Route(.get, "/api/clips/{id}/download", download),
            Route(.get, "/api/clips/{id}/subtitles", subtitles),
            Route(.get, "/api/clips/{id}/thumbnail", thumbnail),
        ]
    }

    private struct Answer: Encodable { let clip: ClipBody }

    @Sendable private func show(_ request: Request, _ context: GatewayContext) async throws -> Response {
        JSONAnswer.make(Answer(clip: ClipBody(JobView.ClipView(try await clip(context)))))
    }

    @Sendable private func download(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let clip = try await clip(context)
        guard let files = clip.files else { throw Self.notReady(clip) }
        let file = FileAnswer(
            blobs: jobs.blobs, blob: files.video, bytes: files.videoBytes, tag: EntityTag(sha256: files.videoSHA256),
            contentType: "video/mp4",
            disposition: ContentDisposition(
                fileName: clip.fileName(ending: "mp4"), inline: request.query("inline") != nil),
            chance: chance)
        return try await file.respond(to: request)
    }

    @Sendable private func subtitles(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let format = request.query("format") ?? "srt"
        guard ["srt", "vtt"].contains(format) else {
            throw Problem(
                .badRequest, code: "unknown_subtitle_format", detail: "format must be srt or vtt.",
                hint: "Ask for one of them.",
                field: "format", allowed: ["srt", "vtt"])
        }
        let clip = try await clip(context)
        guard let files = clip.files else { throw Self.notReady(clip) }
        guard let blob = format == "srt" ? files.srt : files.vtt else {
            throw Problem(
                .notFound, code: "no_subtitles", detail: "This clip has no subtitles.",
                hint: "Ask for `subtitles: srt` or `burned` when you start a job; a silent clip has none.")
        }
        let type = format == "srt" ? "application/x-subrip; charset=utf-8" : "text/vtt; charset=utf-8"
        return try await small(blob, type: type, name: clip.fileName(ending: format), request)
    }

    @Sendable private func thumbnail(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let clip = try await clip(context)
        guard let blob = clip.files?.thumbnail else { throw Self.notReady(clip) }
        return try await small(blob, type: "image/jpeg", name: clip.fileName(ending: "jpg"), inline: true, request)
    }

    private func small(
        _ blob: BlobName, type: String, name: String, inline: Bool = false, _ request: Request
    ) async throws -> Response {
        guard let bytes = try await jobs.blobs.size(of: blob) else { throw BlobError.missing(blob) }
        // Blobs never change under a name, so the digest of the name stands for the digest of the bytes.
        let tag = EntityTag(sha256: hexadecimal(SHA256.hash(data: Array(blob.rawValue.utf8))))
        let file = FileAnswer(
            blobs: jobs.blobs, blob: blob, bytes: bytes, tag: tag, contentType: type,
            disposition: ContentDisposition(fileName: name, inline: inline), chance: chance)
        return try await file.respond(to: request)
    }

    private func clip(_ context: GatewayContext) async throws -> Clip {
        guard let clip = try await jobs.store.clip(try context.clipID()) else { throw Problem.noSuchClip }
        return clip
    }

    private static func notReady(_ clip: Clip) -> Problem {
        if let failure = clip.failure {
            return Problem(.conflict, code: failure.code, detail: failure.reason, hint: failure.hint)
        }
        return Problem(
            .conflict, code: "clip_not_ready", detail: "The clip is not rendered yet.",
            hint: "Follow GET /api/jobs/{id}/events and ask again when it is ready.", retryAfterSeconds: 5)
    }
}

extension Clip {
    private static let titleCharactersMax = 60

    /// `02-why-it-works.mp4`: ordered by rank, and readable.
    func fileName(ending: String) -> String {
        let number = String(id.ordinal + 1)
        let words = ContentDisposition.safe(String(title.prefix(Self.titleCharactersMax)))
            .split { $0 == " " || $0 == "." || $0 == "_" || $0 == "-" || $0 == "," }
        let name = words.joined(separator: "-").lowercased()
        return (number.count < 2 ? "0" : "") + number + (name.isEmpty ? "" : "-" + name) + "." + ending
    }
}
