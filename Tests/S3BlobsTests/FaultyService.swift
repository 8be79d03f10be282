import Foundation
import HTTPClient
import Synchronization
import Testing

@testable import S3Blobs

/// Stands between a store and a real service and does to its requests what networks and busy services do.
struct FaultyService: Sendable {
    enum Fault: Sendable, Hashable {
        /// Answered by us, with this status and code of S3; the service never hears of it.
        case refuse(Int, String)
        /// Carried out, and then the connection breaks before the answer.
        case loseAnswer
        /// Carried out, and then somebody in between answers with this status.
        case replaceAnswer(Int)
        /// The connection breaks after so many bytes of the answer.
        case cutAfter(Int)
        /// The answer says that it is the whole object.
        case ignoreRange
        /// One bit of the answer is another.
        case flipBit
        /// One bit of the body is another when it reaches the service.
        case flipSentBit
        /// Answered, but not before the client has given up.
        case stall
        /// Answered after a while.
        case slow(Duration)
    }

    struct Seen: Sendable, Hashable {
        let method: String
        let target: String
        let range: String?
        let fault: Fault?
    }

    let double: HTTPDouble
    let seen: Notes<Seen>
    private let faults: Plan

    /// Which fault the next matching request meets.
    final class Plan: Sendable {
        private let faults = Mutex<[(matches: @Sendable (HTTPDouble.Question) -> Bool, fault: Fault)]>([])

        func add(_ fault: Fault, times: Int = 1, _ matches: @escaping @Sendable (HTTPDouble.Question) -> Bool) {
            faults.withLock { $0 += Array(repeating: (matches, fault), count: times) }
        }

        func take(_ question: HTTPDouble.Question) -> Fault? {
            faults.withLock { faults in
                guard let index = faults.firstIndex(where: { $0.matches(question) }) else { return nil }
                return faults.remove(at: index).fault
            }
        }

        var isDone: Bool { faults.withLock { $0.isEmpty } }
    }

    static func run(before server: S3Server, _ body: @Sendable (FaultyService) async throws -> Void) async throws {
        let (plan, seen) = (Plan(), Notes<Seen>())
        var http = HTTPClient()
        http.collectedBytesMax = 256 << 20
        http.connections = HTTPConnections()
        let client = http
        try await HTTPDouble.run { question in
            let fault = plan.take(question)
            seen.add(
                Seen(method: question.method, target: question.target, range: question.headers["range"], fault: fault))
            return try await answer(question, fault, server, client)
        } _: { double in
            try await body(FaultyService(double: double, seen: seen, faults: plan))
            #expect(plan.isDone, "every planned fault happened")
        }
    }

    func plan(_ fault: Fault, times: Int = 1, _ matches: @escaping @Sendable (HTTPDouble.Question) -> Bool) {
        faults.add(fault, times: times, matches)
    }

    private static func answer(
        _ question: HTTPDouble.Question, _ fault: Fault?, _ server: S3Server, _ client: HTTPClient
    ) async throws -> HTTPDouble.Reply {
        if case .refuse(let status, let code) = fault {
            return .text("<Error><Code>\(code)</Code><Message>planned</Message></Error>", status: status)
        }
        if fault == .stall {
            // Ends when the client has gone and the server with it, or after longer than any client waits.
            try await ContinuousClock().sleep(for: .seconds(60))
        }
        if case .slow(let pause) = fault { try await ContinuousClock().sleep(for: pause) }
        var body = question.body
        if fault == .flipSentBit, !body.isEmpty { body[body.count / 2] ^= 1 }
        let headers = question.headers.filter {
            !["content-length", "connection", "transfer-encoding"].contains($0.key)
        }
        let hasBody = question.method == "PUT" || question.method == "POST"
        let reply = try await client.send(
            HTTPRequest(
                question.method, server.endpoint + question.target,
                headers: headers.map { (name: $0.key, value: $0.value) }, body: hasBody ? body : nil))
        var result = HTTPDouble.Reply(status: reply.status, body: reply.body)
        result.headers = reply.headers.filter { !["transfer-encoding", "connection"].contains($0.key) }
            .map { ($0.key, $0.value) }
        switch fault {
        case .loseAnswer where question.method == "HEAD":
            // An answer without a body has nowhere to break off; a proxy in between would say this.
            return .text("", status: 502)
        case .loseAnswer:
            result.headers.removeAll { $0.0 == "content-length" }
            result.headers.append(("content-length", "\(result.body.count + 100)"))
            result.cutAfter = 0
        case .ignoreRange: result.status = 200
        case .replaceAnswer(let status): return .text("", status: status)
        case .cutAfter(let bytes): result.cutAfter = bytes
        case .flipBit: result.body[result.body.count / 2] ^= 1
        case .refuse, .flipSentBit, .stall, .slow, nil: break
        }
        return result
    }
}
