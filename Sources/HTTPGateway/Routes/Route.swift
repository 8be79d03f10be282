import ClipModel
import HTTPTypes
import Hummingbird
import NIOCore

/// One method of one address.
struct Route: Sendable {
    typealias Handler = @Sendable (Request, GatewayContext) async throws -> Response

    let method: HTTPRequest.Method
    /// `/api/jobs/{id}`
    let template: String
    /// Whether a client orders work by it that was not under way: refused while the region refuses (`OverloadGate`).
    /// Not what looks, ends or continues something, and no order of an operator, who may know better.
    let ordersWork: Bool
    var handler: Handler

    init(
        _ method: HTTPRequest.Method, _ template: String, ordersWork: Bool = false, _ handler: @escaping Handler
    ) {
        self.method = method
        self.template = template
        self.ordersWork = ordersWork
        self.handler = handler
    }

    var endpoint: HTTPGateway.Endpoint { .init(method: method, template: template) }
}

extension GatewayContext {
    /// The job named in the address. Text that is no id names no job, so the answer is the same.
    func jobID() throws(Problem) -> JobID {
        guard let id = coreContext.parameters.get("id").flatMap({ JobID($0) }) else { throw .noSuchJob }
        return id
    }

    func clipID() throws(Problem) -> ClipID {
        guard let id = coreContext.parameters.get("id").flatMap({ ClipID($0) }) else { throw .noSuchClip }
        return id
    }
}

extension Request {
    /// The whole body, at most `limitBytes`.
    func smallBody(limitBytes: Int) async throws(Problem) -> [UInt8] {
        do {
            return Array(try await body.collect(upTo: limitBytes).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw .bodyTooLarge(limitBytes: Int64(limitBytes))
        } catch {
            throw .connectionLost
        }
    }

    /// Refuses a body that is not announced as JSON: a form on another site cannot send this type without asking first.
    func requireJSON() throws(Problem) {
        let type = headers[.contentType].map { HeaderValue($0).value } ?? ""
        guard type == "application/json" || type.hasSuffix("+json") else {
            throw Problem(
                .unsupportedMediaType, code: "not_json", detail: "The body must be JSON.",
                hint: "Send Content-Type: application/json.")
        }
    }

    func query(_ name: String) -> String? { uri.queryParameters[name[...]].map(String.init) }
}

extension Problem {
    /// Nobody is left to read it; it is what the log and a half-open client see.
    static let connectionLost = Problem(
        .badRequest, code: "connection_lost", detail: "The connection broke before the request had arrived.",
        hint: "Send it again.", closesConnection: true)
}
