import Blobs
import ClipModel
import HTTPTypes
import Hummingbird
import NIOCore

/// A blob as an HTTP answer: conditional, in part or whole, and streamed block by block.
struct FileAnswer: Sendable {
    let blobs: any BlobStore
    let blob: BlobName
    let bytes: Int64
    let tag: EntityTag
    let contentType: String
    let disposition: ContentDisposition

    func respond(to request: Request) async throws -> Response {
        var headers: HTTPFields = [
            .eTag: tag.text, .acceptRanges: "bytes",
            // A job that is retried may render a clip anew: look again each time, which costs a 304.
            .cacheControl: "private, no-cache",
        ]
        if tag.matches(ifNoneMatch: request.headers[.ifNoneMatch]) {
            return Response(status: .notModified, headers: headers)
        }
        // A link is signed for GET. What it leads to honours Range and If-Range by itself. What is shown in place comes
        // from here: the page's own policy keeps pictures and films of other hosts out.
        let terms = DownloadTerms(contentType: contentType, disposition: disposition.text)
        if request.method == .get, !disposition.isInline, let link = try await blobs.downloadLink(of: blob, terms) {
            return Response(status: .temporaryRedirect, headers: [.location: link, .cacheControl: "private, no-store"])
        }
        headers[.contentType] = contentType
        headers[.contentDisposition] = disposition.text
        // A Range is only defined for GET; HEAD tells of the whole.
        let wanted = request.method == .get && tag.permitsRange(ifRange: request.headers[.ifRange])
        switch ByteRange(header: wanted ? request.headers[.range] : nil, size: bytes) {
        case .whole:
            return Response(status: .ok, headers: headers, body: try await body(0..<bytes, for: request))
        case .part(let range):
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(bytes)"
            return Response(status: .partialContent, headers: headers, body: try await body(range, for: request))
        case .unsatisfiable:
            return Response(
                status: .rangeNotSatisfiable, headers: [.contentRange: "bytes */\(bytes)", .acceptRanges: "bytes"])
        }
    }

    private func body(_ range: Range<Int64>, for request: Request) async throws -> ResponseBody {
        guard request.method != .head else { return ResponseBody(contentLength: range.count) { _ in } }
        // Opened here and not in the closure, so that a blob that is gone is a 404 and not a broken answer.
        let reader = try await blobs.read(blob, range: range)
        return ResponseBody(contentLength: range.count) { writer in
            for try await block in reader { try await writer.write(ByteBuffer(bytes: block)) }
            try await writer.finish(nil)
        }
    }
}
