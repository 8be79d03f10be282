import Blobs
package import ClipModel
import Foundation
import HTTPClient
import Synchronization

/// Gets credentials where the chain says, keeps them, and gets new ones before they end.
package final class CredentialProvider: Sendable {
    package struct Trouble: Error, Sendable, CustomStringConvertible {
        package let description: String
        /// Whoever has the credentials did not answer, or had an error of its own: asking again later may help.
        package var isAway = false
    }

    private let chain: CredentialChain
    private let http: HTTPClient
    private let remote: HTTPClient
    private let now: @Sendable () -> Timestamp
    private let renewal = Mutex(CredentialRenewal())
    private let oneAtATime = Turns(1)

    /// - Parameter proxy: for what is not on the machine or beside it, as `S3Configuration.proxy`.
    package init(_ chain: CredentialChain, proxy: String? = nil, now: @escaping @Sendable () -> Timestamp) {
        self.chain = chain
        self.now = now
        var http = HTTPClient()
        // These services are on the machine or beside it; `remote` are the others.
        http.connectSecondsMax = 2
        http.stalledSecondsMax = 5
        http.collectedBytesMax = 1 << 20
        http.proxy = .direct
        self.http = http
        if let proxy { http.proxy = .address(proxy) }
        http.connectSecondsMax = 5
        http.stalledSecondsMax = 10
        remote = http
    }

    package func current() async throws -> S3Credentials {
        if case .use(let credentials) = step() { return credentials }
        return try await oneAtATime.withTurn {
            // Whoever had the turn before may have got them.
            if case .use(let credentials) = step() { return credentials }
            do {
                let fresh = try await get()
                renewal.withLock { $0.renewed(fresh) }
                return fresh
            } catch {
                if let old = renewal.withLock({ $0.failed(at: now()) }) { return old }
                throw error
            }
        }
    }

    package func refused(_ credentials: S3Credentials) { renewal.withLock { $0.refused(credentials) } }

    private func step() -> CredentialRenewal.Step { renewal.withLock { $0.step(at: now()) } }

    private func get() async throws -> S3Credentials {
        var reasons: [String] = []
        var isAway = false
        for source in chain.sources {
            do {
                return try await get(from: source)
            } catch let error as Trouble {
                reasons.append(error.description)
                isAway = isAway || error.isAway
            } catch let error as HTTPClientError {
                reasons.append(error.detail)
                isAway = isAway || ([.unreachable, .timedOut].contains(error.code) && isKnown(source))
            }
        }
        throw Trouble(description: "no credentials for S3: " + reasons.joined(separator: "; "), isAway: isAway)
    }

    /// Whether there is such a service. An instance is only guessed at while others are looked for too: on a machine
    /// without one its silence means that nobody has set any credentials.
    private func isKnown(_ source: CredentialChain.Source) -> Bool {
        guard case .instance = source else { return true }
        return chain.sources.count == 1 || renewal.withLock { $0.hasWorked }
    }

    private func get(from source: CredentialChain.Source) async throws -> S3Credentials {
        switch source {
        case .fixed(let credentials): return credentials
        case .webIdentity(let identity): return try await assumeRole(identity)
        case .file(let path, let profile): return try Self.read(path, profile)
        case .container(let url, let token):
            var headers: [(name: String, value: String)] = []
            switch token {
            case .text(let text): headers = [("Authorization", text)]
            case .file(let path): headers = [("Authorization", try Self.text(path))]
            case nil: break
            }
            return try Self.decode(try await ask("GET", url, headers), url)
        case .instance(let endpoint):
            let token = try await ask(
                "PUT", endpoint + "/latest/api/token", [("X-aws-ec2-metadata-token-ttl-seconds", "21600")])
            let headers = [(name: "X-aws-ec2-metadata-token", value: Self.line(token.text))]
            let roles = endpoint + "/latest/meta-data/iam/security-credentials/"
            let role = Self.line(try await ask("GET", roles, headers).text)
            guard !role.isEmpty else { throw Trouble(description: "the instance has no role") }
            return try Self.decode(try await ask("GET", roles + role, headers), roles)
        }
    }

    private func ask(
        _ method: String, _ url: String, _ headers: [(name: String, value: String)]
    ) async throws -> HTTPResponse {
        // A PUT without a body announces that it has none.
        let answer = try await http.send(HTTPRequest(method, url, headers: headers, body: method == "PUT" ? [] : nil))
        guard answer.status == 200 else {
            throw Trouble(description: "\(url) answered \(answer.status)", isAway: Self.isPassing(answer.status))
        }
        return answer
    }

    private static func isPassing(_ status: Int) -> Bool { status >= 500 || status == 429 }

    /// `AssumeRoleWithWebIdentity` of STS, which is not signed: the token says who we are. It goes in the body, so that
    /// no log of addresses has it.
    private func assumeRole(_ identity: CredentialChain.WebIdentity) async throws -> S3Credentials {
        let form = SignatureV4.canonical([
            ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"), ("RoleArn", identity.role),
            ("RoleSessionName", identity.session), ("WebIdentityToken", try Self.text(identity.tokenPath)),
        ])
        let headers = [(name: "Content-Type", value: "application/x-www-form-urlencoded")]
        let answer = try await remote.send(
            HTTPRequest("POST", identity.endpoint + "/", headers: headers, body: Array(form.utf8)))
        let document = S3Document.parse(answer.body)
        guard answer.status == 200 else {
            let error = document?.all("Error").first
            let code = error?["Code"] ?? ""
            let reason = [code, error?["Message"] ?? ""].filter { !$0.isEmpty }.joined(separator: ": ")
            throw Trouble(
                description: "\(identity.endpoint) answered \(answer.status)" + (reason.isEmpty ? "" : ", \(reason)"),
                // STS itself could not reach the house that gave the token.
                isAway: Self.isPassing(answer.status) || code == "IDPCommunicationError")
        }
        let result = document?.all("AssumeRoleWithWebIdentityResult").first?.all("Credentials").first
        guard let key = result?["AccessKeyId"], let secret = result?["SecretAccessKey"],
            let token = result?["SessionToken"], let end = result?["Expiration"].flatMap({ Timestamp($0) })
        else { throw Trouble(description: "\(identity.endpoint) answered something that is no credentials") }
        return S3Credentials(accessKey: key, secretKey: secret, sessionToken: token, expiresAt: end)
    }

    /// As ECS, EKS and EC2 write them.
    private struct Document: Decodable {
        let accessKey: String
        let secretKey: String
        let token: String?
        let expiration: String?

        enum CodingKeys: String, CodingKey {
            case accessKey = "AccessKeyId"
            case secretKey = "SecretAccessKey"
            case token = "Token"
            case expiration = "Expiration"
        }
    }

    private static func decode(_ answer: HTTPResponse, _ url: String) throws(Trouble) -> S3Credentials {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(answer.body)) else {
            throw Trouble(description: "\(url) answered something that is no credentials")
        }
        return S3Credentials(
            accessKey: document.accessKey, secretKey: document.secretKey, sessionToken: document.token,
            expiresAt: document.expiration.flatMap { Timestamp($0) })
    }

    private static func read(_ path: String, _ profile: String) throws(Trouble) -> S3Credentials {
        let values = section(profile, of: try text(path))
        guard let key = values["aws_access_key_id"], let secret = values["aws_secret_access_key"] else {
            throw Trouble(description: "\(path) has no keys under [\(profile)]")
        }
        return S3Credentials(
            accessKey: key, secretKey: secret, sessionToken: values["aws_session_token"],
            expiresAt: values["aws_expiration"].flatMap { Timestamp($0) })
    }

    /// The keys and values of one section of the AWS tools' file.
    static func section(_ wanted: String, of text: String) -> [String: String] {
        var values: [String: String] = [:]
        var isWanted = false
        for raw in text.split(whereSeparator: \.isNewline) {
            let line = raw.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
                isWanted = line[line.index(after: line.startIndex)..<end].trimmingCharacters(in: .whitespaces) == wanted
            } else if isWanted, let equals = line.firstIndex(of: "=") {
                let name = line[..<equals].trimmingCharacters(in: .whitespaces).lowercased()
                values[name] = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
            }
        }
        return values.filter { !$0.value.isEmpty }
    }

    private static func text(_ path: String) throws(Trouble) -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw Trouble(description: "\(path) cannot be read")
        }
        return line(text)
    }

    private static func line(_ text: String) -> String { text.trimmingCharacters(in: .whitespacesAndNewlines) }
}
