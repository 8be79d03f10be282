import Blobs
import ClipModel
import Foundation
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import Stages
import Store

/// What belongs to a job as a whole: its manifest, and a ZIP of everything.
struct ArchiveRoutes: Sendable {
    let jobs: JobService
    let downloads: DownloadGate

    var routes: [Route] {
        [
            Route(.get, "/api/jobs/{id}/archive", archive),
            Route(.get, "/api/jobs/{id}/manifest", manifest),
        ]
    }

    @Sendable private func manifest(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let id = try context.jobID()
        guard try await jobs.store.job(id) != nil else { throw Problem.noSuchJob }
        guard let blob = try await manifestBlob(of: id), let bytes = try await jobs.blobs.size(of: blob) else {
            throw Problem(
                .conflict, code: "job_not_ready", detail: "The manifest is written when the job is ready.",
                hint: "Follow GET /api/jobs/{id}/events and ask again at its end.", retryAfterSeconds: 5)
        }
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "private, no-cache"]
        headers[.contentDisposition] = ContentDisposition(fileName: "manifest.json", inline: true).text
        let reader = try await jobs.blobs.read(blob, range: 0..<bytes)
        let body = ResponseBody(contentLength: Int(bytes)) { writer in
            for try await block in reader { try await writer.write(ByteBuffer(bytes: block)) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    /// One file on its way into the archive.
    private struct Item: Sendable {
        let blob: BlobName
        let name: String
        let bytes: Int64
    }

    @Sendable private func archive(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let id = try context.jobID()
        try await downloads.admit(request, to: .archive(id))
        guard let job = try await jobs.store.job(id) else { throw Problem.noSuchJob }
        let upload = try await jobs.store.upload(job.upload)
        let items = try await items(of: id)
        guard !items.isEmpty else {
            throw Problem(
                .conflict, code: "no_clips_yet", detail: "The job has no finished clip.",
                hint: "Follow GET /api/jobs/{id}/events and ask again when a clip is ready.", retryAfterSeconds: 5)
        }
        let moment = job.endedAt ?? job.createdAt
        let length = ZipWriter.length(
            of: items.map { ZipWriter.Entry(name: $0.name, bytes: $0.bytes, checksum: 0, modifiedAt: moment) })
        let stem = (upload?.fileName ?? "video").split(separator: ".").first.map(String.init) ?? "video"
        let headers: HTTPFields = [
            .contentType: "application/zip", .cacheControl: "no-store",
            .contentDisposition: ContentDisposition(fileName: "\(stem)-clips.zip").text,
        ]
        let blobs = jobs.blobs
        let body = ResponseBody(contentLength: Int(length)) { writer in
            var zip = ZipWriter()
            for item in items {
                // Each file is read twice: its checksum must stand in front of it. The second reading comes out of
                // the page cache.
                let checksum = try await Self.checksum(of: item, in: blobs)
                let entry = ZipWriter.Entry(
                    name: item.name, bytes: item.bytes, checksum: checksum, modifiedAt: moment)
                try await writer.write(ByteBuffer(bytes: zip.begin(entry)))
                for try await block in try await blobs.read(item.blob, range: 0..<item.bytes) {
                    try await writer.write(ByteBuffer(bytes: block))
                }
            }
            try await writer.write(ByteBuffer(bytes: zip.end()))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    @concurrent private static func checksum(of item: Item, in blobs: any BlobStore) async throws -> UInt32 {
        var checksum = Checksum32()
        for try await block in try await blobs.read(item.blob, range: 0..<item.bytes) { checksum.update(block) }
        return checksum.value
    }

    private func items(of id: JobID) async throws -> [Item] {
        var items: [Item] = []
        for clip in try await jobs.store.clips(of: id) where clip.state == .ready {
            guard let files = clip.files else { continue }
            let rows = [(files.video, "mp4"), (files.srt, "srt"), (files.vtt, "vtt"), (files.thumbnail, "jpg")]
            for case (let blob?, let ending) in rows {
                guard let bytes = try await jobs.blobs.size(of: blob) else {
                    throw BlobError.missing(blob)
                }
                items.append(Item(blob: blob, name: clip.fileName(ending: ending), bytes: bytes))
            }
        }
        if !items.isEmpty, let blob = try await manifestBlob(of: id), let bytes = try await jobs.blobs.size(of: blob) {
            items.append(Item(blob: blob, name: "manifest.json", bytes: bytes))
        }
        return items
    }

    private func manifestBlob(of id: JobID) async throws -> BlobName? {
        // Every revision is published with a manifest of its own, one after the other.
        let published = try await jobs.store.stages(of: id).filter { $0.key.name == .publish && $0.state == .done }
        let last = published.max { ($0.endedAt ?? $0.openedAt, $0.key) < ($1.endedAt ?? $1.openedAt, $1.key) }
        guard let body = last?.result?.body else { return nil }
        return try JSONDecoder().decode(PublishResult.self, from: Data(body.utf8)).manifest
    }
}
