import ArgumentParser
import Foundation
import HTTPClient
import HTTPGateway

/// Which nodes to ask and with which token, on every command for operators.
///
/// A token never stands on the command line, where every user of the machine can read it.
struct AdminConnection: ParsableArguments {
    @Option(help: "A node to ask. May be given more than once; the next is asked when one does not answer.")
    var server: [String] = []

    @Option(help: "File with the admin token. Otherwise TIJERA_ADMIN_TOKEN is used.")
    var tokenFile: String?

    @OptionGroup var trust: TrustChoice

    /// What cluster/up writes down.
    private struct LocalCluster: Decodable {
        struct Node: Decodable { let http: String }
        let nodes: [Node]
        let adminToken: String
        /// Whose certificates its nodes show; nil: they speak without TLS.
        let authorities: String?
    }

    func open() throws -> AdminClient {
        let environment = ProcessInfo.processInfo.environment
        let local = Self.localCluster(environment)
        let here = local?.nodes.map(\.http) ?? []
        let servers = server.isEmpty ? (here.isEmpty ? ["http://127.0.0.1:8080"] : here) : server.map(Self.trimmed)
        // The token of the cluster here is nothing that a node elsewhere should get to see, and its authorities know
        // nobody elsewhere.
        let own = Set(servers).isSubset(of: here.map(Self.trimmed)) ? local : nil
        let authorities = try trust.authorities(environment, otherwise: own?.authorities)
        if let tokenFile {
            guard let text = try? String(contentsOfFile: tokenFile, encoding: .utf8) else {
                throw ValidationError("cannot read \(tokenFile)")
            }
            let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
            return AdminClient(servers: servers, token: token, authorities: authorities)
        }
        if let token = environment["TIJERA_ADMIN_TOKEN"], !token.isEmpty {
            return AdminClient(servers: servers, token: token, authorities: authorities)
        }
        guard let own else {
            throw ValidationError("give the admin token by --token-file or in TIJERA_ADMIN_TOKEN")
        }
        return AdminClient(servers: servers, token: own.adminToken, authorities: authorities)
    }

    private static func localCluster(_ environment: [String: String]) -> LocalCluster? {
        let folder = environment["TIJERA_DATA"] ?? ".data"
        guard let data = FileManager.default.contents(atPath: folder + "/cluster.json") else { return nil }
        return try? JSONDecoder().decode(LocalCluster.self, from: data)
    }

    private static func trimmed(_ address: String) -> String {
        address.hasSuffix("/") ? String(address.dropLast()) : address
    }
}

/// Why an operator got no answer.
struct AdminError: Error, CustomStringConvertible {
    /// The node answered, and would not.
    let isRefusal: Bool
    let description: String
}

/// Asks one node after the other until one answers. Everything that is asked may be asked twice.
struct AdminClient: Sendable {
    private let http: HTTPClient
    private let servers: [String]
    private let token: String

    init(servers: [String], token: String, authorities: TrustedAuthorities? = nil) {
        var http = HTTPClient()
        http.authoritiesPath = authorities?.path
        // Operators ask when something is wrong: better another node soon than this one late.
        http.connectSecondsMax = 2
        http.stalledSecondsMax = 5
        self.http = http
        self.servers = servers
        self.token = token
    }

    func get<Value: Decodable>(
        _ path: String, _ query: [(name: String, value: String?)] = [], as type: Value.Type = Value.self
    ) async throws -> Value {
        try await send("GET", Self.address(path, query))
    }

    func post<Value: Decodable>(
        _ path: String, _ query: [(name: String, value: String?)] = [], as type: Value.Type = Value.self
    ) async throws -> Value {
        try await send("POST", Self.address(path, query))
    }

    private static func address(_ path: String, _ query: [(name: String, value: String?)]) -> String {
        let pairs = query.compactMap { pair in pair.value.map { pair.name + "=" + escaped($0) } }
        return pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
    }

    /// One segment of a path or one value of a query.
    static func escaped(_ text: String) -> String {
        let plain = CharacterSet(charactersIn: "-._~").union(.alphanumerics)
        return text.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII, plain.contains(scalar) { return String(Character(scalar)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count == 1 ? "0" + digits : digits)
        }.joined()
    }

    private func send<Value: Decodable>(_ method: String, _ path: String) async throws -> Value {
        var troubles: [String] = []
        for server in servers {
            do {
                let answer = try await http.send(
                    HTTPRequest(
                        method, server + path, headers: [("Authorization", "Bearer " + token)],
                        body: method == "POST" ? [] : nil))
                let body = Data(answer.body)
                if (200...201).contains(answer.status) { return try JSONDecoder().decode(Value.self, from: body) }
                let problem = try? JSONDecoder().decode(Problem.Body.self, from: body)
                let words = problem.map { "\($0.detail) \($0.hint)" } ?? "it answers \(answer.status)"
                // Another node may reach the database, or be in the cluster.
                guard answer.status == 503 else {
                    throw AdminError(isRefusal: true, description: "\(server): \(words)")
                }
                troubles.append("\(server): \(words)")
            } catch let error as HTTPClientError {
                troubles.append("\(server): \(error.advice)")
            } catch let error as DecodingError {
                throw AdminError(
                    isRefusal: true, description: "\(server) answers what this release cannot read: \(error)")
            }
        }
        throw AdminError(isRefusal: false, description: "no node answers\n  " + troubles.joined(separator: "\n  "))
    }
}
