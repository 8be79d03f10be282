import Foundation
import HTTPClient
import Synchronization

/// Speaks to whichever node answers: the first server given, then those that `/api/health` names.
///
/// Reads may be sent again to another node at will. A POST is repeated only with an `Idempotency-Key`.
final class ClusterClient: Sendable {
    /// How long to go on when no node answers, in seconds.
    static let unreachableSecondsMax = 90.0

    let http: HTTPClient
    /// Goes to nodes, and nowhere else.
    private let apiKey: String?
    private let servers: Mutex<[String]>
    private let clock: any Clock<Duration>

    init(
        servers: [String], apiKey: String? = nil, authorities: TrustedAuthorities? = nil,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        var http = HTTPClient()
        http.authoritiesPath = authorities?.path
        http.connectSecondsMax = 5
        self.http = http
        self.clock = clock
        self.apiKey = apiKey
        self.servers = Mutex(servers.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 })
    }

    /// The node that is asked first.
    var server: String { servers.withLock { $0[0] } }

    /// Asks the cluster which other nodes there are, so that the death of this one does not end the waiting.
    func learnNodes() async {
        struct Health: Decodable {
            struct Node: Decodable { let http: String }
            let nodes: [Node]?
        }
        guard let answer = try? await http.send(HTTPRequest("GET", server + "/api/health")),
            let health = try? JSONDecoder().decode(Health.self, from: Data(answer.body))
        else { return }  // Not knowing the others only means less to fall back on.
        servers.withLock { servers in
            for node in health.nodes ?? [] where !servers.contains(node.http) { servers.append(node.http) }
        }
    }

    /// The headers of a request to a node: those given, and whose client this is.
    func headers(_ own: [(name: String, value: String)] = []) -> [(name: String, value: String)] {
        apiKey.map { own + [("X-API-Key", $0)] } ?? own
    }

    /// The next node's turn.
    func turnAway(from failed: String) {
        servers.withLock { servers in
            if servers[0] == failed { servers.append(servers.removeFirst()) }
        }
    }

    /// Sends a repeatable request to one node after the other until one answers.
    func send(
        _ method: String, _ path: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil
    ) async throws -> HTTPResponse {
        let headers = self.headers(headers)
        return try await retrying { [http] server in
            let answer = try await http.send(HTTPRequest(method, server + path, headers: headers, body: body))
            // 503 is a node that cannot reach its database, is stopping or has too much to do: another may take it.
            if answer.status == 503 {
                let problem = HTTPAnswer(status: answer.status, body: answer.body).problem
                throw HTTPClientError(.unreachable, "\(server): \(problem)")
            }
            return answer
        }
    }

    /// Runs `attempt` against one node after the other, with pauses, until it works or time is up. When the
    /// certificates of all of them are refused, waiting would not change it.
    func retrying<Value: Sendable>(_ attempt: (_ server: String) async throws -> Value) async throws -> Value {
        var waited = 0.0, pause = 0.25, distrusted: Set<String> = []
        while true {
            let server = server
            do {
                return try await attempt(server)
            } catch let error as HTTPClientError where [.unreachable, .timedOut, .untrusted].contains(error.code) {
                if error.code == .untrusted { distrusted.insert(server) }
                if servers.withLock({ $0.allSatisfy(distrusted.contains) }) {
                    throw ClipError.unreachable(error.advice)
                }
                guard waited < Self.unreachableSecondsMax else {
                    throw ClipError.unreachable("no node could be reached for \(Int(waited)) s: \(error)")
                }
                turnAway(from: server)
                try await clock.sleep(for: .seconds(pause))
                waited += pause
                pause = min(pause * 1.6, 5)
            }
        }
    }

    func pause(seconds: Double) async throws { try await clock.sleep(for: .seconds(seconds)) }
}
