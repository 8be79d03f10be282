import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// Whoever asks again for JSON that has not changed gets a 304, and whoever understands gzip gets that.
///
/// For answers that are made whole in memory. Files have their own tags and ranges, and streams flow as they come.
struct ContentAnswers: RouterMiddleware {
    func handle(
        _ request: Request, context: GatewayContext,
        next: @concurrent (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        guard request.method == .get || request.method == .head, response.status == .ok,
            response.headers[.eTag] == nil, let kind = Kind(response.headers[.contentType]),
            let count = response.body.contentLength, count <= Gzip.bytesMax
        else { return response }
        let bytes = try await response.body.collected()
        response.headers.append(.init(name: .vary, value: "Accept-Encoding"))
        if kind == .json {
            // Weak: the bytes differ by coding, the meaning does not.
            let tag = EntityTag(sha256: hexadecimal(SHA256.hash(data: bytes).prefix(16)))
            response.headers[.eTag] = "W/" + tag.text
            response.headers[.cacheControl] = "private, no-cache"
            if tag.matches(ifNoneMatch: request.headers[.ifNoneMatch]) {
                response.headers[.contentType] = nil
                var unchanged = Response(status: .notModified, headers: response.headers)
                unchanged.headers[.contentLength] = nil
                return unchanged
            }
        }
        var sent = bytes
        if Gzip.isAccepted(request.headers[.acceptEncoding]), let packed = Gzip.compress(bytes) {
            response.headers[.contentEncoding] = "gzip"
            sent = packed
        }
        response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: sent))
        response.headers[.contentLength] = "\(sent.count)"
        return response
    }

    private enum Kind {
        case json, text

        init?(_ type: String?) {
            guard let type else { return nil }
            if type == "application/json" {
                self = .json
            } else if type.hasPrefix("text/plain") || type.hasPrefix("application/openmetrics-text") {
                self = .text
            } else {
                return nil
            }
        }
    }
}

extension ResponseBody {
    /// The bytes of a body that was made in memory.
    @concurrent func collected() async throws -> [UInt8] {
        let (buffers, sink) = AsyncStream.makeStream(of: ByteBuffer.self)
        try await write(Collector(sink: sink))
        sink.finish()
        var bytes: [UInt8] = []
        for await buffer in buffers { bytes += buffer.readableBytesView }
        return bytes
    }

    private struct Collector: ResponseBodyWriter {
        let sink: AsyncStream<ByteBuffer>.Continuation

        mutating func write(_ buffer: ByteBuffer) async throws { sink.yield(buffer) }
        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}
