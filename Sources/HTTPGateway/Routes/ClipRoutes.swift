import Blobs
import ClipModel
import Crypto
import HTTPTypes
import Hummingbird
import Jobs
import Stages
import Store

/// `/api/clips/{id}` and its files.
struct ClipRoutes: Sendable {
    let jobs: JobService
    let downloads: DownloadGate
    let jsonBytesMax: Int
    let chance: Chance

    var routes: [Route] {
        [
            Route(.get, "/api/clips/{id}", show),
            Route(.get, "/api/clips/{id}/download", download),
            Route(.get, "/api/clips/{id}/subtitles", subtitles),
            Route(.get, "/api/clips/{id}/thumbnail", thumbnail),
            Route(.post, "/api/clips/{id}/link", link),
        ]
    }

    private struct Answer: Encodable { let clip: ClipBody }

    @Sendable private func show(_ request: Request, _ context: GatewayContext) async throws -> Response {
        guard let clip = try await jobs.clipView(try context.clipID()) else { throw Problem.noSuchClip }
        return JSONAnswer.make(Answer(clip: ClipBody(clip, try await downloads.addresses())))
    }

    // MARK: Links

    private struct Link: Encodable {
        let url: String
        let expiresAt: Timestamp
    }

    @Sendable private func link(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try request.requireJSON()
        let wanted = try LinkRequest(json: try await request.smallBody(limitBytes: jsonBytesMax))
        let target = wanted.target(in: try context.clipID())
        // A link to what is not there would only be found out about by whoever it is sent to.
        _ = try await file(target)
        let link = try await downloads.link(to: target, forSeconds: wanted.seconds)
        return JSONAnswer.make(Link(url: link.url, expiresAt: link.expiresAt))
    }

    // MARK: Files

    @Sendable private func download(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let target = DownloadTarget.video(try context.clipID())
        try await downloads.admit(request, to: target)
        let (clip, files, blob) = try await file(target)
        let file = FileAnswer(
            blobs: jobs.blobs, blob: blob, bytes: files.videoBytes, tag: EntityTag(sha256: files.videoSHA256),
            contentType: "video/mp4",
            disposition: ContentDisposition(
                fileName: clip.fileName(ending: "mp4"), inline: request.query("inline") != nil),
            chance: chance)
        return try await file.respond(to: request)
    }

    @Sendable private func subtitles(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let allowed = DownloadTarget.Captions.allCases.map(\.rawValue)
        guard let captions = DownloadTarget.Captions(rawValue: request.query("format") ?? "srt") else {
            throw Problem(
                .badRequest, code: "unknown_subtitle_format", detail: "format must be srt or vtt.",
                hint: "Ask for one of them.", field: "format", allowed: allowed)
        }
        let target = DownloadTarget.subtitles(try context.clipID(), captions)
        try await downloads.admit(request, to: target)
        let (clip, _, blob) = try await file(target)
        let type = captions == .srt ? "application/x-subrip; charset=utf-8" : "text/vtt; charset=utf-8"
        return try await small(blob, type: type, name: clip.fileName(ending: captions.rawValue), request)
    }

    @Sendable private func thumbnail(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let choices = 0..<ThumbnailStage.choices
        guard let choice = Int(request.query("choice") ?? "0"), choices.contains(choice) else {
            throw Problem(
                .badRequest, code: "unknown_thumbnail",
                detail: "choice must be a number from 0 to \(choices.upperBound - 1).",
                hint: "Leave it out for the best one.", field: "choice", allowed: choices.map(String.init))
        }
        let target = DownloadTarget.thumbnail(try context.clipID(), choice: choice)
        try await downloads.admit(request, to: target)
        let (clip, _, blob) = try await file(target)
        return try await small(blob, type: "image/jpeg", name: clip.fileName(ending: "jpg"), inline: true, request)
    }

    /// What stands behind a target of a clip, or the problem that says why nothing does.
    private func file(_ target: DownloadTarget) async throws -> (clip: Clip, files: ClipFiles, blob: BlobName) {
        let id: ClipID
        switch target {
        case .video(let clip), .subtitles(let clip, _), .thumbnail(let clip, _): id = clip
        case .archive: preconditionFailure("an archive is no file of a clip")
        }
        let clip = try await clip(id)
        guard let files = clip.files else { throw Self.notReady(clip) }
        switch target {
        case .subtitles(_, let captions):
            guard let blob = captions == .srt ? files.srt : files.vtt else {
                throw Problem(
                    .notFound, code: "no_subtitles", detail: "This clip has no subtitles.",
                    hint: "Ask for `subtitles: srt` or `burned` when you start a job; a silent clip has none.")
            }
            return (clip, files, blob)
        case .thumbnail(_, let choice):
            guard let best = files.thumbnail else { throw Self.notReady(clip) }
            let all = files.thumbnails ?? [best]
            guard all.indices.contains(choice) else {
                throw Problem(
                    .notFound, code: "no_such_thumbnail", detail: "This clip has \(all.count) pictures to choose from.",
                    hint: "Take one of `links.thumbnails` of GET /api/clips/{id}.", field: "choice")
            }
            return (clip, files, all[choice])
        case .video, .archive: return (clip, files, files.video)
        }
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

    private func clip(_ id: ClipID) async throws -> Clip {
        guard let clip = try await jobs.store.clip(id) else { throw Problem.noSuchClip }
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
