import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// First in the pipeline: tells the connection's pace that bytes came.
final class ByteWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: Connection

    init(_ connection: Connection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.note { $0.bytesArrived(now: $1) }
        context.fireChannelRead(data)
    }
}

/// Closes a connection that was turned away as soon as it stands; before, there is nothing to close.
final class ShutDoor: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelActive(context: ChannelHandlerContext) { context.close(promise: nil) }
}

/// Takes the PROXY header off the beginning of a connection, then lets everything through.
final class ProxyHeaderHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    static let malformed = "malformed_proxy_header"

    private let connection: Connection
    private let table: ConnectionTable
    private var held = ByteBuffer()
    private var isDone = false

    init(_ connection: Connection, _ table: ConnectionTable) {
        self.connection = connection
        self.table = table
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isDone { return context.fireChannelRead(data) }
        var buffer = unwrapInboundIn(data)
        held.writeBuffer(&buffer)
        switch ProxyHeader.read(Array(held.readableBytesView.prefix(ProxyHeader.bytesMax))) {
        case .needsMore where held.readableBytes < ProxyHeader.bytesMax: return
        case .needsMore, .malformed:
            table.note(Self.malformed)
            context.close(promise: nil)
        case .complete(let address, let count):
            if let address, !table.rename(connection, to: address.text) {
                table.note(ConnectionTable.tooMany)
                return context.close(promise: nil)
            }
            isDone = true
            held.moveReaderIndex(forwardBy: count)
            if held.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(held)) }
        }
    }
}

/// Between the HTTP codec and the request's handler: tells the connection's pace of requests, bodies and answers, and
/// puts answers that the library gives by itself (a request that cannot be parsed) into the form that all others have.
final class RequestWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let table: ConnectionTable
    private let unparsed: UnparsedAnswer
    private var connection: Connection?
    private var openRequests = 0
    private var isReading = false
    private var isTooLong = false
    /// The library's own head was replaced, and so is what follows it.
    private var isReplacing = false

    init(table: ConnectionTable, unparsed: UnparsedAnswer) {
        self.table = table
        self.unparsed = unparsed
    }

    private var stream: Int { Int(bitPattern: ObjectIdentifier(self)) }

    func handlerAdded(context: ChannelHandlerContext) { connection = table.connection(of: context.channel)?.connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let stream = stream
        switch unwrapInboundIn(data) {
        case .head:
            openRequests += 1
            isReading = true
            connection?.note { $0.requestBegan(stream, now: $1) }
        case .body(let bytes):
            connection?.note { pace, _ in pace.bodyArrived(stream, bytes: bytes.readableBytes) }
        case .end:
            isReading = false
            connection?.note { $0.bodyEnded(stream, now: $1) }
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        let stream = stream
        if isReading { connection?.note { $0.bodySatisfied(stream, now: $1) } }
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        let stream = stream
        if isReading { connection?.note { $0.bodyWanted(stream, now: $1) } }
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let stream = stream, isWritable = context.channel.isWritable
        connection?.note { $0.writable(isWritable, stream: stream, now: $1) }
        context.fireChannelWritabilityChanged()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.status.code >= 400 && head.headerFields[.requestID] == nil:
            isReplacing = true
            let (replaced, body) = unparsed.answer(isTooLong ? .requestHeaderFieldsTooLarge : head.status)
            context.write(wrapOutboundOut(.head(replaced)), promise: nil)
            context.write(wrapOutboundOut(.body(body)), promise: promise)
        case .body where isReplacing: promise?.succeed()
        case .head, .body: context.write(data, promise: promise)
        case .end:
            isReplacing = false
            finish()
            context.write(data, promise: promise)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let stream = stream
        while openRequests > 0 { finish() }
        connection?.note { pace, _ in pace.streamClosed(stream) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .some(.headerOverflow) = error as? HTTPParserError { isTooLong = true }
        context.fireErrorCaught(error)
    }

    private func finish() {
        guard openRequests > 0 else { return }
        openRequests -= 1
        let stream = stream
        connection?.note { $0.requestEnded(stream, now: $1) }
    }
}

/// What a client is told whose request never became one.
struct UnparsedAnswer: Sendable {
    let headers: SafeHeaders

    func answer(_ status: HTTPResponse.Status) -> (HTTPResponse, ByteBuffer) {
        let problem =
            switch status.code {
            case 431:
                Problem(
                    status, code: "headers_too_long", detail: "The headers of this request are too long or too many.",
                    hint: "Send fewer and shorter ones.")
            case 400:
                Problem(
                    status, code: "bad_request", detail: "The request cannot be read.",
                    hint: "Check that it is HTTP/1.1: the request line, the headers, and the framing of the body.")
            default: Problem.unexpected
            }
        let body = ByteBuffer(string: JSONAnswer.text(problem.body(requestID: "unparsed")))
        var fields: HTTPFields = [
            .contentType: "application/problem+json", .cacheControl: "no-store", .connection: "close",
            .contentLength: "\(body.readableBytes)", .requestID: "unparsed",
        ]
        headers.write(to: &fields)
        return (HTTPResponse(status: problem.status, headerFields: fields), body)
    }
}
