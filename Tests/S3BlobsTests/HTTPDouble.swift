import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization

/// An HTTP server of a test, on a port of its own: each request goes to a closure.
struct HTTPDouble: Sendable {
    struct Question: Sendable {
        let method: String
        /// With the query.
        let target: String
        let headers: [String: String]
        let body: [UInt8]
    }

    struct Reply: Sendable {
        var status = 200
        var headers: [(String, String)] = []
        var body: [UInt8] = []
        /// Breaks the connection off after so many bytes of the body.
        var cutAfter: Int?

        static func text(_ text: String, status: Int = 200) -> Reply { Reply(status: status, body: Array(text.utf8)) }
    }

    let port: Int
    var url: String { "http://127.0.0.1:\(port)" }

    private struct Cut: Error {}

    static func run<Answer: Sendable>(
        answer: @escaping @Sendable (Question) async throws -> Reply,
        _ body: @Sendable (HTTPDouble) async throws -> Answer
    ) async throws -> Answer {
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        var quiet = Logger(label: "double")
        quiet.logLevel = .critical
        let responder = CallbackResponder<BasicRequestContext> { request, _ in
            let bytes = try await request.body.collect(upTo: 256 << 20)
            var headers: [String: String] = [:]
            for field in request.headers { headers[field.name.canonicalName] = field.value }
            headers["host"] = request.head.authority ?? ""
            let reply = try await answer(
                Question(
                    method: request.method.rawValue, target: request.uri.string, headers: headers,
                    body: Array(buffer: bytes)))
            return response(reply, isHead: request.method == .head)
        }
        let application = Application(
            responder: responder, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) }, logger: quiet)
        return try await withThrowingTaskGroup(of: Answer?.self) { group in
            group.addTask {
                try await application.run()
                return nil
            }
            var iterator = ports.makeAsyncIterator()
            let double = HTTPDouble(port: await iterator.next() ?? 0)
            defer { group.cancelAll() }
            return try await body(double)
        }
    }

    private static func response(_ reply: Reply, isHead: Bool) -> Response {
        var headers = HTTPFields()
        for (name, value) in reply.headers {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        let announced = headers[.contentLength].flatMap { Int($0) } ?? reply.body.count
        headers[.contentLength] = nil
        let body = ResponseBody(contentLength: announced) { writer in
            if isHead { return try await writer.finish(nil) }
            try await writer.write(ByteBuffer(bytes: reply.body.prefix(reply.cutAfter ?? reply.body.count)))
            if reply.cutAfter != nil { throw Cut() }
            try await writer.finish(nil)
        }
        return Response(status: .init(code: reply.status), headers: headers, body: body)
    }
}

/// Counts and remembers, for closures that several tasks call.
final class Notes<Element: Sendable>: Sendable {
    private let list = Mutex<[Element]>([])
    func add(_ element: Element) { list.withLock { $0.append(element) } }
    var all: [Element] { list.withLock { $0 } }
    /// How many there were before it was added.
    func number(_ element: Element) -> Int {
        list.withLock { list in
            list.append(element)
            return list.count - 1
        }
    }
}
