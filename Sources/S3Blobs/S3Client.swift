package import Blobs
package import ClipModel
import Crypto
import Foundation
import HTTPClient
package import Logging
import Synchronization

/// Sends signed requests and sends them again where that may help.
package struct S3Client: Sendable {
    private(set) var configuration: S3Configuration
    let credentials: CredentialProvider
    let clock: any Clock<Duration>
    let now: @Sendable () -> Timestamp
    /// In 0..<1.
    let chance: @Sendable () -> Double
    let logger: Logger
    private let address: Address
    private let http: HTTPClient
    private var turns: Turns

    package init(
        _ configuration: S3Configuration, credentials: CredentialProvider, clock: any Clock<Duration>,
        now: @escaping @Sendable () -> Timestamp, chance: @escaping @Sendable () -> Double, logger: Logger
    ) throws(BlobError) {
        self.configuration = configuration
        self.credentials = credentials
        self.clock = clock
        self.now = now
        self.chance = chance
        self.logger = logger
        address = try Address(configuration.endpoint, configuration)
        turns = Turns(configuration.requestsMax)
        var http = HTTPClient()
        http.connectSecondsMax = configuration.connectSecondsMax
        http.stalledSecondsMax = configuration.stalledSecondsMax
        http.collectedBytesMax = max(configuration.readBytes, 8 << 20)
        http.authoritiesPath = configuration.authoritiesPath
        http.proxy = configuration.proxy.map { .address($0) } ?? .direct
        // Of work and of clients.
        http.connections = HTTPConnections(restingMax: 2 * configuration.requestsMax)
        self.http = http
    }

    /// With turns of its own.
    func another(patience: Duration, requestsMax: Int) -> S3Client {
        var copy = self
        copy.configuration.patience = patience
        copy.configuration.requestsMax = requestsMax
        copy.turns = Turns(requestsMax)
        return copy
    }

    // MARK: Requests

    enum Body: Sendable {
        case none
        case bytes([UInt8])
        case file(HTTPRequest.FileSlice, sha256: SHA256.Digest)

        var digest: SHA256.Digest {
            switch self {
            case .none: SHA256.hash(data: [UInt8]())
            case .bytes(let bytes): SHA256.hash(data: bytes)
            case .file(_, let digest): digest
            }
        }
    }

    struct Request: Sendable {
        var method: String
        /// Nil: the bucket itself.
        var key: String?
        var query: [(String, String)] = []
        var headers: [(String, String)] = []
        var body = Body.none

        var hasBody: Bool { if case .none = body { false } else { true } }
    }

    struct Answer: Sendable {
        let status: Int
        let headers: [String: String]
        let body: [UInt8]

        var document: S3Document? { body.isEmpty ? nil : S3Document.parse(body) }
    }

    /// Sends a request until it is answered with success, or there is no more hope.
    func send(_ request: Request) async throws(S3Trouble) -> Answer {
        var retry = S3Retry(patience: configuration.patience)
        let watch = Watch(clock)
        while true {
            do throws(S3Trouble) { return try await sendOnce(request) } catch {
                try await settle(error, &retry, waited: watch.elapsed)
            }
        }
    }

    /// Streams `range` of an object to `sink`, each block with its place in the object. A cut goes on where it was.
    /// `sink` runs on the thread of the transfer and may take its time.
    func stream(
        _ key: String, range: Range<Int64>, tag: String,
        sink: @escaping @Sendable (_ offset: Int64, _ bytes: [UInt8]) throws(BlobError) -> Void
    ) async throws(S3Trouble) {
        var retry = S3Retry(patience: configuration.patience)
        var watch = Watch(clock)
        let state = StreamState(range.lowerBound)
        while state.offset < range.upperBound {
            let before = state.offset
            let request = Request(
                method: "GET", key: key,
                headers: [("Range", "bytes=\(before)-\(range.upperBound - 1)"), ("If-Match", tag)])
            do throws(S3Trouble) {
                try await streamOnce(request, state, range: range, sink)
                guard state.offset > before else { throw S3Trouble(.connection, "the answer has no bytes") }
            } catch {
                if state.offset > before {
                    retry.progressed()
                    watch = Watch(clock)
                }
                try await settle(error, &retry, waited: watch.elapsed)
            }
        }
    }

    /// A URL for everybody, good until it is too old.
    func link(_ key: String, query: [(String, String)]) async throws(S3Trouble) -> String {
        let address: Address
        do throws(BlobError) {
            if let other = configuration.publicEndpoint {
                address = try Address(other, configuration)
            } else {
                address = self.address
            }
        } catch { throw S3Trouble(.refused, error.detail) }
        let credentials = try await currentCredentials()
        let moment = now()
        var seconds = configuration.linkSeconds
        // A link ends with the credentials that signed it, whatever it says.
        if let end = credentials.expiresAt { seconds = min(seconds, max(1, Int(end.seconds(since: moment)))) }
        let request = SignatureV4.Request(
            method: "GET", host: address.host, path: address.path(key), query: query)
        return SignatureV4(credentials: credentials, region: configuration.region)
            .link(to: request, scheme: address.scheme, at: moment, seconds: seconds)
    }

    // MARK: One try

    private final class StreamState: Sendable {
        private struct State {
            var offset: Int64
            var failure: BlobError?
            var refusal: [UInt8] = []
            var isWithoutRange = false
        }

        private let state: Mutex<State>

        init(_ offset: Int64) { state = Mutex(State(offset: offset)) }

        var offset: Int64 { state.withLock { $0.offset } }
        var failure: BlobError? { state.withLock { $0.failure } }
        func advance(_ bytes: Int) { state.withLock { $0.offset += Int64(bytes) } }
        var isWithoutRange: Bool { state.withLock { $0.isWithoutRange } }
        /// A whole object comes, of which nothing is wanted.
        func ignoresRange() -> Bool {
            state.withLock { $0.isWithoutRange = true }
            return false
        }
        func fail(_ error: BlobError) { state.withLock { $0.failure = error } }
        func takeRefusal() -> [UInt8] {
            state.withLock { state in
                defer { state.refusal = [] }
                return state.refusal
            }
        }
        /// The body of an answer that is no success, up to a limit.
        func refuse(_ bytes: [UInt8]) -> Bool {
            state.withLock { state in
                state.refusal += bytes
                return state.refusal.count <= 1 << 16
            }
        }
    }

    private func sendOnce(_ request: Request) async throws(S3Trouble) -> Answer {
        let (signed, used) = try await signed(request)
        let answer = try await transfer(used) { () async throws(HTTPClientError) in
            let answer = try await http.send(signed)
            return Answer(status: answer.status, headers: answer.headers, body: answer.body)
        }
        guard (200..<300).contains(answer.status) else {
            throw trouble(answer.status, answer.headers, answer.body, used)
        }
        // Some requests are answered with 200 before they are carried out, and with the error in the body.
        // Only reads of objects are answered with whatever somebody stored.
        if ["POST", "PUT"].contains(request.method), let document = answer.document, document.name == "Error" {
            throw S3Trouble(status: 200, headers: answer.headers, document: document)
        }
        return answer
    }

    private func streamOnce(
        _ request: Request, _ state: StreamState, range: Range<Int64>,
        _ sink: @escaping @Sendable (Int64, [UInt8]) throws(BlobError) -> Void
    ) async throws(S3Trouble) {
        let (signed, used) = try await signed(request)
        // What an earlier try was refused with says nothing about this one.
        _ = state.takeRefusal()
        let head = try await transfer(used) { () async throws(HTTPClientError) in
            try await http.transfer(signed) { status, bytes in
                if status == 200 { return state.ignoresRange() }
                guard status == 206 else { return state.refuse(bytes) }
                let offset = state.offset
                guard offset + Int64(bytes.count) <= range.upperBound else { return false }
                do throws(BlobError) { try sink(offset, bytes) } catch {
                    state.fail(error)
                    return false
                }
                state.advance(bytes.count)
                return true
            }
        } onFailure: { error in
            guard error.code == .stopped else { return nil }
            if state.isWithoutRange { return Self.rangeIgnored }
            if let failure = state.failure { return S3Trouble(.disk(failure), failure.detail) }
            return S3Trouble(.connection, "the service sent other bytes than were asked for")
        }
        let refusal = state.takeRefusal()
        if head.status == 200 { throw Self.rangeIgnored }
        guard head.status == 206 else { throw trouble(head.status, head.headers, refusal, used) }
    }

    /// Whoever ignores the range sends the whole object with 200, and would again.
    private static let rangeIgnored = S3Trouble(
        .refused, "the service does not send the ranges that it is asked for")

    private func transfer<Outcome>(
        _ used: S3Credentials, _ body: () async throws(HTTPClientError) -> Outcome,
        onFailure: (HTTPClientError) -> S3Trouble? = { _ in nil }
    ) async throws(S3Trouble) -> Outcome {
        do {
            return try await turns.withTurn { try await body() }
        } catch let error as HTTPClientError {
            throw onFailure(error) ?? S3Trouble(error)
        } catch { throw S3Trouble(.cancelled, "cancelled") }
    }

    private func trouble(
        _ status: Int, _ headers: [String: String], _ body: [UInt8], _ used: S3Credentials
    ) -> S3Trouble {
        let trouble = S3Trouble(
            status: status, headers: headers, document: body.isEmpty ? nil : S3Document.parse(body))
        if trouble.kind == .credentials { credentials.refused(used) }
        return trouble
    }

    private func signed(_ request: Request) async throws(S3Trouble) -> (HTTPRequest, S3Credentials) {
        let credentials = try await currentCredentials()
        let path = address.path(request.key)
        let digest = request.body.digest
        var headers = request.headers
        // Without it libcurl would call every body a form.
        if request.method != "GET" { headers.append(("content-type", "application/octet-stream")) }
        // Elsewhere this header is about something else than the body.
        if request.method == "PUT", request.hasBody, configuration.sendsChecksums {
            headers.append(("x-amz-checksum-sha256", Data(digest).base64EncodedString()))
        }
        let toSign = SignatureV4.Request(
            method: request.method, host: address.host, path: path, query: request.query, headers: headers)
        let signed = SignatureV4(credentials: credentials, region: configuration.region)
            .headers(for: toSign, payloadSHA256: digest.hexadecimal, at: now())
        let query = SignatureV4.canonical(request.query)
        let url =
            "\(address.scheme)://\(address.host)\(SignatureV4.encoded(path: path))" + (query.isEmpty ? "" : "?\(query)")
        var result = HTTPRequest(request.method, url, headers: signed.map { (name: $0.0, value: $0.1) })
        switch request.body {
        case .none: if request.method == "POST" || request.method == "PUT" { result.body = [] }
        case .bytes(let bytes): result.body = bytes
        case .file(let slice, _): result.file = slice
        }
        return (result, credentials)
    }

    private func currentCredentials() async throws(S3Trouble) -> S3Credentials {
        do { return try await credentials.current() } catch is CancellationError {
            throw S3Trouble(.cancelled, "cancelled")
        } catch let trouble as CredentialProvider.Trouble where trouble.isAway {
            throw S3Trouble(.connection, trouble.description)
        } catch { throw S3Trouble(.denied, "\(error)") }
    }

    /// Waits before the next try, or throws.
    private func settle(
        _ trouble: S3Trouble, _ retry: inout S3Retry, waited: Duration
    ) async throws(S3Trouble) {
        switch retry.failed(trouble, waited: waited, chance: chance()) {
        case .giveUp: throw trouble
        case .renewCredentials: break
        case .again(let pause):
            logger.debug("S3 is asked again", metadata: ["trouble": "\(trouble)", "pause": "\(pause)"])
            do { try await clock.sleep(for: pause) } catch { throw S3Trouble(.cancelled, "cancelled") }
        }
    }
}

/// Where the bucket is.
private struct Address: Sendable {
    let scheme: String
    /// With the port, where it is not that of the scheme: as the `Host` header has it.
    let host: String
    private let base: String

    init(_ endpoint: String, _ configuration: S3Configuration) throws(BlobError) {
        let parts = endpoint.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, ["http", "https"].contains(parts[0]), !parts[1].isEmpty,
            !parts[1].dropLast(parts[1].hasSuffix("/") ? 1 : 0).contains(where: { "/?#@".contains($0) })
        else {
            throw BlobError(.broken, "an S3 endpoint is http(s)://host[:port] and nothing more, not \(endpoint)")
        }
        scheme = String(parts[0])
        var authority = parts[1].hasSuffix("/") ? String(parts[1].dropLast()) : String(parts[1])
        // libcurl leaves the port of the scheme out of the header, so the signature must too.
        let usual = scheme == "http" ? ":80" : ":443"
        if authority.hasSuffix(usual) { authority.removeLast(usual.count) }
        switch configuration.style {
        case .path: (host, base) = (authority, "/" + configuration.bucket)
        case .host: (host, base) = (configuration.bucket + "." + authority, "")
        }
    }

    /// Not yet encoded.
    func path(_ key: String?) -> String {
        guard let key else { return base.isEmpty ? "/" : base }
        return base + "/" + key
    }
}

/// Time since it was made.
private struct Watch: Sendable {
    private let read: @Sendable () -> Duration

    init(_ clock: any Clock<Duration>) { self.init(on: clock) }

    private init<Source: Clock>(on clock: Source) where Source.Duration == Duration {
        let start = clock.now
        read = { start.duration(to: clock.now) }
    }

    var elapsed: Duration { read() }
}
