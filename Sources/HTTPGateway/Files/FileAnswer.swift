import Blobs
import ClipModel
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore

/// A blob as an HTTP answer: conditional, in parts or whole, and streamed block by block.
struct FileAnswer: Sendable {
    let blobs: any BlobStore
    let blob: BlobName
    let bytes: Int64
    let tag: EntityTag
    let contentType: String
    let disposition: ContentDisposition
    let chance: Chance

    func respond(to request: Request) async throws -> Response {
        var headers: HTTPFields = [
            .eTag: tag.text, .acceptRanges: "bytes",
            // A job that is retried may render a clip anew: look again each time, which costs a 304.
            .cacheControl: "private, no-cache",
        ]
        if tag.matches(ifNoneMatch: request.headers[.ifNoneMatch]) {
            return Response(status: .notModified, headers: headers)
        }
        if let link = try await link(for: request) {
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
        case .parts(let ranges):
            let boundary = chance.draw { ByteRangeParts.boundary(using: &$0) }
            let parts = ByteRangeParts(ranges, of: bytes, type: contentType, boundary: boundary)
            headers[.contentType] = parts.contentType
            return Response(status: .partialContent, headers: headers, body: try await body(parts))
        case .unsatisfiable:
            return Response(
                status: .rangeNotSatisfiable, headers: [.contentRange: "bytes */\(bytes)", .acceptRanges: "bytes"])
        }
    }

    /// Where the store itself gives the bytes away. A link is signed for GET; what it leads to honours Range and
    /// If-Range by itself, but S3 knows no lists of ranges. What is shown in place comes from here: the page's own
    /// policy keeps pictures and films of other hosts out.
    private func link(for request: Request) async throws -> String? {
        guard request.method == .get, !disposition.isInline, request.headers[.range]?.contains(",") != true else {
            return nil
        }
        return try await blobs.downloadLink(
            of: blob, DownloadTerms(contentType: contentType, disposition: disposition.text))
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

    private func body(_ parts: ByteRangeParts) async throws -> ResponseBody {
        // The first one as above; the others when their turn comes, so that none is held open for nothing.
        let first = try await blobs.read(blob, range: parts.ranges[0])
        return ResponseBody(contentLength: Int(parts.length)) { [blobs, blob] writer in
            for (index, range) in parts.ranges.enumerated() {
                try await writer.write(ByteBuffer(string: parts.head(of: index)))
                let reader = index == 0 ? first : try await blobs.read(blob, range: range)
                for try await block in reader { try await writer.write(ByteBuffer(bytes: block)) }
            }
            try await writer.write(ByteBuffer(string: parts.end))
            try await writer.finish(nil)
        }
    }
}
