import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization

/// A language model of a test: a real server on a port of its own that says what it is told to.
final class ModelDouble: Sendable {
    private struct State {
        var questions: [String] = []
        var headers: [String] = []
    }

    private let state = Mutex(State())

    var questions: [String] { state.withLock { $0.questions } }
    /// `Authorization` of every question.
    var keys: [String] { state.withLock { $0.headers } }

    /// `body` is given the address that `/chat/completions` stands behind.
    static func run(
        _ answer: String, status: Int = 200, after delay: Duration = .zero,
        _ body: @Sendable (ModelDouble, _ url: String) async throws -> Void
    ) async throws {
        let double = ModelDouble()
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        var quiet = Logger(label: "model")
        quiet.logLevel = .critical
        let router = Router()
        router.post("/v1/chat/completions") { request, _ in
            let question = try await request.body.collect(upTo: 1 << 20)
            double.state.withLock {
                $0.questions.append(String(buffer: question))
                $0.headers.append(request.headers[.authorization] ?? "")
            }
            try await ContinuousClock().sleep(for: delay)
            return Response(status: .init(code: status), body: ResponseBody(byteBuffer: ByteBuffer(string: answer)))
        }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) }, logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            var iterator = ports.makeAsyncIterator()
            let port = await iterator.next() ?? 0
            defer { group.cancelAll() }
            try await body(double, "http://127.0.0.1:\(port)/v1")
        }
    }

    /// What an endpoint answers whose model says `content`.
    static func saying(_ content: String) -> String {
        let escaped = content.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        return #"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"\#(escaped)"}}]}"#
    }
}
