/// An HTTP client over libcurl: small answers collected, large ones streamed, files sent from disk as forms.
///
/// libcurl blocks, so each transfer has a thread of its own for as long as it lasts. Cancelling the calling task ends
/// the transfer within a second.
package struct HTTPClient: Sendable {
    /// How long to wait for a connection, in seconds.
    package var connectSecondsMax = 10
    /// A transfer that moves less than one byte a second for this long is given up, in seconds.
    package var stalledSecondsMax = 60
    /// Largest answer that `send` collects, in bytes.
    package var collectedBytesMax = 16 * 1024 * 1024
    package var userAgent = "tijera"
    package var proxy = HTTPProxy.environment
    /// For transfers on behalf of strangers; nil: whoever runs this program asks for himself.
    package var limits: TransferLimits?
    /// PEM file of the authorities that a server's certificate may come from; nil: those of the system.
    package var authoritiesPath: String?
    /// Keeps connections from one transfer to the next; nil: each has its own.
    package var connections: HTTPConnections?

    package init() {}

    /// Sends a request and collects the answer, whatever its status.
    package func send(_ request: HTTPRequest) async throws(HTTPClientError) -> HTTPResponse {
        let body = Collector(limitBytes: collectedBytesMax)
        let head: HTTPResponseHead
        do throws(HTTPClientError) {
            head = try await transfer(request) { _, bytes in body.append(bytes) }
        } catch {
            guard body.overflowed else { throw error }
            throw HTTPClientError(.tooLarge, "the answer has more than \(collectedBytesMax) bytes")
        }
        return HTTPResponse(status: head.status, headers: head.headers, body: body.bytes)
    }

    /// Sends a request and hands the body on as it comes, with the status of the answer that it belongs to; `receive`
    /// returns false to stop the transfer, which then ends with the code `stopped`. `progress` is told of bytes sent
    /// and received, with the totals where they are known.
    package func transfer(
        _ request: HTTPRequest, progress: (@Sendable (TransferProgress) -> Void)? = nil,
        receive: @escaping @Sendable (_ status: Int, _ bytes: [UInt8]) -> Bool
    ) async throws(HTTPClientError) -> HTTPResponseHead {
        let transfer = Transfer(client: self, request: request, progress: progress, sink: receive)
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfer.start { continuation.resume(returning: $0) }
            }
        } onCancel: {
            transfer.cancel()
        }
        return try outcome.get()
    }

    /// The same for whoever looks at the status afterwards.
    package func transfer(
        _ request: HTTPRequest, progress: (@Sendable (TransferProgress) -> Void)? = nil,
        sink: @escaping @Sendable ([UInt8]) -> Bool
    ) async throws(HTTPClientError) -> HTTPResponseHead {
        try await transfer(request, progress: progress) { _, bytes in sink(bytes) }
    }
}

/// Through whom a transfer goes.
package enum HTTPProxy: Sendable, Hashable {
    /// Whoever `http_proxy`, `https_proxy` and `all_proxy` name, but for what `no_proxy` names: as whoever runs this
    /// program is used to.
    case environment
    /// Nobody, whatever the environment says.
    case direct
    /// `http://host:port`, whatever the environment says.
    case address(String)
}

/// One request. `form`, `body` and `file` exclude each other.
package struct HTTPRequest: Sendable {
    package enum Part: Sendable {
        /// A file of this machine, streamed from disk, under a name that the server is told.
        case file(field: String, path: String, name: String)
    }

    package var method: String
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]?
    package var form: [Part]
    package var file: FileSlice?

    /// A part of a file of this machine, streamed from disk.
    package struct FileSlice: Sendable, Hashable {
        package let path: String
        package let range: Range<Int64>

        package init(path: String, range: Range<Int64>) {
            self.path = path
            self.range = range
        }
    }

    package init(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        form: [Part] = [], file: FileSlice? = nil
    ) {
        let bodies = (body == nil ? 0 : 1) + (form.isEmpty ? 0 : 1) + (file == nil ? 0 : 1)
        precondition(bodies <= 1, "a request has a body, a form or a file, not \(bodies) of them")
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.form = form
        self.file = file
    }
}

package struct HTTPResponseHead: Sendable {
    package let status: Int
    /// Names in lower case.
    package let headers: [String: String]
    /// Where it leads on, as a whole URL; nil: it does not.
    package let redirect: String?
    /// How long it took.
    package let seconds: Double
}

package struct HTTPResponse: Sendable {
    package let status: Int
    /// Names in lower case.
    package let headers: [String: String]
    package let body: [UInt8]

    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// Bytes so far, and the totals where they are known (0 otherwise).
package struct TransferProgress: Sendable {
    package let sentBytes: Int64
    package let toSendBytes: Int64
    package let receivedBytes: Int64
    package let toReceiveBytes: Int64
}

package struct HTTPClientError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Nobody answered, or the connection broke.
        case unreachable
        /// The transfer stalled.
        case timedOut
        case cancelled
        /// The sink asked for no more.
        case stopped
        case tooLarge
        /// The address is none that may be connected to.
        case forbidden
        /// The request itself cannot be made: a bad URL, a file that cannot be read.
        case unusable
        /// The server cannot show that it is who it should be; `distrust` says why.
        case untrusted
    }

    package let code: Code
    package let detail: String
    /// With `untrusted`, and where the file of authorities is `unusable`.
    package let distrust: Distrust?

    package init(_ code: Code, _ detail: String, distrust: Distrust? = nil) {
        self.code = code
        self.detail = detail
        self.distrust = distrust
    }

    package var description: String { detail }
}
