import ClipModel
import HTTPTypes
import Hummingbird
import Jobs
import Logging
import NIOCore
import Store

/// Makes `POST` below `/api` safe to repeat: a request with an idempotency key runs once, at whichever nodes it comes
/// in, and the same again gets the same answer. What was refused did nothing, and is judged anew: an operator may have
/// granted more meanwhile, or a piece have arrived.
///
/// The claim and what the request does are not one transaction. When a node dies between the two, the claim lapses, and
/// the same request runs again. Where that would begin a job twice, the key is part of the job's own transaction.
struct RepeatedRequests: Sendable {
    /// Routes that see to their keys themselves, or do nothing that could be done twice: a link that was made yesterday
    /// may have ended.
    private static let own: Set<String> = ["/api/jobs", "/api/clips/{id}/link"]
    /// Those that may be kept for a client. Everything else is about this connection, or added to every answer.
    private static let kept: [HTTPField.Name] = [
        .contentType, .location, .eTag, .cacheControl, .allow, .tusResumable, .uploadOffset, .uploadLength,
        .uploadExpires, .uploadComplete, .uploadLimit, .uploadDraftInteropVersion,
    ]
    private static let renewSeconds = Double(StoreLimits.replyLeaseSeconds) / 3

    let book: any ReplyBook
    let node: NodeID
    let jsonBytesMax: Int
    let lingerSeconds: Int
    let clock: any Clock<Duration>
    let chance: Chance

    /// The route, and its handler behind the book.
    func guarding(_ route: Route) -> Route {
        guard route.method == .post, route.template.hasPrefix("/api/"), !Self.own.contains(route.template) else {
            return route
        }
        var guarded = route
        guarded.handler = { request, context in
            guard !request.onlyLooks, let key = try request.idempotencyKey() else {
                return try await route.handler(request, context)
            }
            return try await answer(request, context, route, key)
        }
        return guarded
    }

    private func answer(
        _ request: Request, _ context: GatewayContext, _ route: Route, _ key: String
    ) async throws -> Response {
        var request = request
        let body = try await smallBody(&request)
        let claim = ReplyClaim(
            tenant: request.client(context), key: key, route: "\(route.method) \(route.template)",
            requestSHA256: RequestFingerprint.make(request, body: body), holder: newHolder())
        let elapsed = stopwatch(clock)
        switch try await outcome(claim, request) {
        case .claimed:
            return try await run(route, claim, elapsed, request, context, isFlowing: body == nil && request.hasBody)
        case .running: throw refusal(.idempotencyInProgress, request)
        case .reused: throw refusal(.idempotencyKeyReused, request)
        case .kept(let reply): return replay(reply, request, context)
        }
    }

    private func newHolder() -> String {
        let number = chance.draw { UInt64.random(in: .min ... .max, using: &$0) }
        return "\(node)/\(String(number, radix: 16))"
    }

    /// JSON is compared byte for byte. Nil: bytes that flow, or more than any route takes.
    private func smallBody(_ request: inout Request) async throws(Problem) -> [UInt8]? {
        let type = request.headers[.contentType].map { HeaderValue($0).value } ?? ""
        guard type == "application/json" || type.hasSuffix("+json") else { return nil }
        if let announced = request.announcedBytes, announced > jsonBytesMax { return nil }
        let bytes = try await request.smallBody(limitBytes: jsonBytesMax)
        request.body = RequestBody(buffer: ByteBuffer(bytes: bytes))
        return bytes
    }

    private func outcome(_ claim: ReplyClaim, _ request: Request) async throws -> ReplyClaimOutcome {
        do { return try await book.claimReply(claim) } catch {
            guard let problem = Problem(error) else { throw error }
            throw refusal(problem, request)
        }
    }

    /// Nobody reads the video of a request that does not run.
    private func refusal(_ problem: Problem, _ request: Request) -> Problem {
        var problem = problem
        if request.hasLongBody { problem.closesConnection = true }
        return problem
    }

    private func replay(_ reply: KeptReply, _ request: Request, _ context: GatewayContext) -> Response {
        var headers = HTTPFields()
        for name in Self.kept { headers[name] = reply.headers[name.canonicalName] }
        headers[.idempotencyReplayed] = "true"
        if request.hasLongBody {
            headers[.connection] = "close"
            context.close(afterSeconds: lingerSeconds)
        }
        return Response(
            status: HTTPResponse.Status(code: reply.status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: reply.body)))
    }
}

// MARK: The one that runs

extension RepeatedRequests {
    private enum Turn: Sendable {
        case answered(Response)
        case failed(any Error)
        /// The claim is another's, or may be.
        case lost
        case stopped
    }

    private func run(
        _ route: Route, _ claim: ReplyClaim, _ elapsed: @escaping @Sendable () -> Double, _ request: Request,
        _ context: GatewayContext, isFlowing: Bool
    ) async throws -> Response {
        // Cancelled, a body that flows could seem to have ended well. Without its connection it has broken off.
        let channel = context.channel
        let stop = isFlowing ? { channel.close(promise: nil) } : nil
        switch await held(claim, elapsed, stop: stop, { try await route.handler(request, context) }) {
        case .answered(var response):
            await settle(claim, try await reply(&response), context)
            return response
        case .failed(let error):
            await settle(claim, nil, context)
            throw error
        case .lost, .stopped: throw refusal(.idempotencyInProgress, request)
        }
    }

    /// Runs it while the claim is renewed, and stops it before another may take the claim.
    private func held(
        _ claim: ReplyClaim, _ elapsed: @escaping @Sendable () -> Double, stop: (() -> Void)?,
        _ body: @escaping @Sendable () async throws -> Response
    ) async -> Turn {
        await withTaskGroup(of: Turn.self) { group in
            group.addTask {
                do { return .answered(try await body()) } catch { return .failed(error) }
            }
            group.addTask { await renew(claim, elapsed) }
            var isLost = false
            for await turn in group {
                switch turn {
                case .answered:
                    group.cancelAll()
                    return turn
                case .failed:
                    group.cancelAll()
                    // Why it failed is ours to say only when it was not us who stopped it.
                    return isLost ? .lost : turn
                case .lost:
                    isLost = true
                    if let stop { stop() } else { group.cancelAll() }
                case .stopped: break
                }
            }
            return .stopped
        }
    }

    /// Ends with the claim, or by cancellation. Time counts from when an attempt began: the store's lease is later.
    private func renew(_ claim: ReplyClaim, _ elapsed: @Sendable () -> Double) async -> Turn {
        var trustedUntil = Double(StoreLimits.replyLeaseSeconds)
        while (try? await clock.sleep(for: .seconds(Self.renewSeconds))) != nil {
            let asked = elapsed()
            do {
                guard try await book.renewReply(claim) else { return .lost }
                trustedUntil = asked + Double(StoreLimits.replyLeaseSeconds)
            } catch {
                if Task.isCancelled { return .stopped }
                // There is no time for another attempt.
                if elapsed() + Self.renewSeconds >= trustedUntil { return .lost }
            }
        }
        return .stopped
    }

    /// As it is kept; nil: it says that nothing was done, or is too large, and runs again when it comes again.
    private func reply(_ response: inout Response) async throws -> KeptReply? {
        guard response.status.code < 400, let count = response.body.contentLength,
            count <= StoreLimits.replyBodyBytesMax
        else { return nil }
        let bytes = try await response.body.collected()
        response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        var headers: [String: String] = [:]
        for name in Self.kept { headers[name.canonicalName] = response.headers[name] }
        return KeptReply(
            status: response.status.code, headers: headers, body: String(decoding: bytes, as: UTF8.self))
    }

    /// Whoever asked gets the answer even when it cannot be kept: then the claim lapses by itself.
    private func settle(_ claim: ReplyClaim, _ reply: KeptReply?, _ context: GatewayContext) async {
        do {
            if let reply {
                let isKept = try await book.keepReply(reply, for: claim)
                if !isKept { context.logger.info("answer came after its claim", metadata: facts(claim)) }
            } else {
                try await book.dropReply(claim)
            }
        } catch {
            context.logger.info(
                "answer not kept", metadata: facts(claim).merging(["error": "\(error)"]) { $1 })
        }
    }

    private func facts(_ claim: ReplyClaim) -> Logger.Metadata { ["http.route": "\(claim.route)"] }
}

extension Request {
    /// What a client behind a wall sends as `POST` and means as `GET`.
    fileprivate var onlyLooks: Bool {
        headers[.methodOverride].map { ["GET", "HEAD"].contains($0.uppercased()) } ?? false
    }
}
