import CCurl
import Foundation
import Glibc
import Synchronization

/// One libcurl transfer on its own thread.
///
/// The thread owns the easy handle from start to end; the only thing other threads touch is `isCancelled`.
final class Transfer: Sendable {
    private let client: HTTPClient
    private let request: HTTPRequest
    private let progress: (@Sendable (TransferProgress) -> Void)?
    private let sink: @Sendable (Int, [UInt8]) -> Bool
    private let isCancelled = Atomic<Bool>(false)
    private let received = Mutex(Received())

    private struct Received {
        var status = 0
        var headers: [String: String] = [:]
        var sinkStopped = false
        var headerBytes = 0
        /// Bytes of a body that is not handed on.
        var droppedBytes = 0
        /// Why the last address was not connected to.
        var objection: String?
    }

    init(
        client: HTTPClient, request: HTTPRequest, progress: (@Sendable (TransferProgress) -> Void)?,
        sink: @escaping @Sendable (Int, [UInt8]) -> Bool
    ) {
        self.client = client
        self.request = request
        self.progress = progress
        self.sink = sink
    }

    func cancel() { isCancelled.store(true, ordering: .relaxed) }

    func start(_ finish: @escaping @Sendable (Result<HTTPResponseHead, HTTPClientError>) -> Void) {
        Self.initialiseOnce
        Thread.detachNewThread { finish(self.perform()) }
    }

    /// libcurl wants to be initialised once, before any thread uses it.
    private static let initialiseOnce: Void = {
        _ = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    }()

    /// One that rests with its connections, or a new one.
    private func takeHandle() -> UnsafeMutableRawPointer? {
        if let handle = unsafe client.connections?.take() { return unsafe handle }
        return unsafe curl_easy_init()
    }

    private func perform() -> Result<HTTPResponseHead, HTTPClientError> {
        // Sound: the handle, the header list and the form stay on this thread and are freed below, after the transfer.
        guard let handle = unsafe takeHandle() else {
            return .failure(HTTPClientError(.unusable, "libcurl could not be started"))
        }
        defer {
            if let connections = client.connections {
                unsafe connections.give(handle)
            } else {
                unsafe curl_easy_cleanup(handle)
            }
        }
        var headers: UnsafeMutablePointer<curl_slist>?
        defer { unsafe curl_slist_free_all(headers) }
        for header in request.headers { unsafe headers = curl_slist_append(headers, "\(header.name): \(header.value)") }
        // An empty Expect: do not wait for "100 Continue" before an upload.
        unsafe headers = curl_slist_append(headers, "Expect:")
        let form = unsafe makeForm(handle)
        defer { unsafe curl_mime_free(form) }
        unsafe configure(handle)
        unsafe _ = tijera_curl_set_headers(handle, headers)
        if !request.form.isEmpty { unsafe _ = tijera_curl_set_form(handle, form) }
        if let body = request.body {
            unsafe _ = tijera_curl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
            let copied = unsafe body.withUnsafeBytes { bytes in
                // COPYPOSTFIELDS makes libcurl's own copy, so the pointer need not outlive this call. Without a pointer
                // it would read standard input, and an empty array may have none.
                unsafe body.isEmpty
                    ? tijera_curl_set_text(handle, CURLOPT_COPYPOSTFIELDS, "")
                    : tijera_curl_set_pointer(
                        handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            }
            guard copied == CURLE_OK else { return .failure(HTTPClientError(.tooLarge, "the body is too large")) }
        }
        if let file = request.file {
            guard let source = FileSource(file) else {
                return .failure(HTTPClientError(.unusable, "\(file.path) cannot be read"))
            }
            return unsafe perform(handle, sending: source)
        }
        return unsafe finish(handle)
    }

    private func perform(
        _ handle: UnsafeMutableRawPointer, sending source: FileSource
    ) -> Result<HTTPResponseHead, HTTPClientError> {
        unsafe _ = tijera_curl_set_number(handle, CURLOPT_UPLOAD, 1)
        unsafe _ = tijera_curl_set_offset(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(source.range.count))
        return withExtendedLifetime(source) {
            // Sound: `source` outlives the transfer, which ends inside this closure.
            let context = unsafe Unmanaged.passUnretained(source).toOpaque()
            unsafe _ = tijera_curl_set_source(
                handle, { bytes, size, count, context in unsafe FileSource.from(context).read(bytes, size * count) },
                { context, offset, origin in unsafe FileSource.from(context).seek(offset, origin) }, context)
            return unsafe finish(handle)
        }
    }

    private func finish(_ handle: UnsafeMutableRawPointer) -> Result<HTTPResponseHead, HTTPClientError> {
        unsafe _ = tijera_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method)
        if request.method == "HEAD" { unsafe _ = tijera_curl_set_number(handle, CURLOPT_NOBODY, 1) }
        let code = unsafe curl_easy_perform(handle)
        var status = 0
        unsafe _ = tijera_curl_status(handle, &status)
        var seconds = 0.0
        unsafe _ = tijera_curl_seconds(handle, &seconds)
        var next: UnsafeMutablePointer<CChar>?
        // Sound: the text belongs to the handle, which outlives this function, and is copied.
        unsafe _ = tijera_curl_redirect(handle, &next)
        let redirect = unsafe next.map { unsafe String(cString: $0) }
        var verified = 0
        unsafe _ = tijera_curl_verified(handle, &verified)
        if let failure = tlsFailure(code, verified: verified) { return .failure(failure) }
        return outcome(code, status: status, redirect: redirect, seconds: seconds)
    }

    private func configure(_ handle: UnsafeMutableRawPointer) {
        unsafe _ = tijera_curl_set_text(handle, CURLOPT_URL, request.url)
        unsafe _ = tijera_curl_set_text(handle, CURLOPT_USERAGENT, client.userAgent)
        unsafe _ = tijera_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        if let path = client.authoritiesPath { unsafe _ = tijera_curl_set_text(handle, CURLOPT_CAINFO, path) }
        switch client.proxy {
        case .environment: break
        case .direct: unsafe _ = tijera_curl_set_text(handle, CURLOPT_PROXY, "")
        case .address(let proxy):
            unsafe _ = tijera_curl_set_text(handle, CURLOPT_PROXY, proxy)
            // An empty list, for else that of the environment counts.
            unsafe _ = tijera_curl_set_text(handle, CURLOPT_NOPROXY, "")
        }
        // Signals and threads do not mix.
        unsafe _ = tijera_curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        unsafe _ = tijera_curl_set_number(handle, CURLOPT_CONNECTTIMEOUT, client.connectSecondsMax)
        unsafe _ = tijera_curl_set_number(handle, CURLOPT_LOW_SPEED_LIMIT, 1)
        unsafe _ = tijera_curl_set_number(handle, CURLOPT_LOW_SPEED_TIME, client.stalledSecondsMax)
        // Sound: `self` outlives the transfer, because perform() holds it until curl_easy_perform has returned.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        if let limits = client.limits { unsafe restrict(handle, limits, context) }
        unsafe _ = tijera_curl_set_sinks(
            handle,
            { bytes, size, count, context in unsafe Transfer.from(context).body(bytes, size * count) },
            { bytes, size, count, context in unsafe Transfer.from(context).header(bytes, size * count) }, context)
        unsafe _ = tijera_curl_set_meter(
            handle,
            { context, toReceive, got, toSend, sent in
                unsafe Transfer.from(context).meter(
                    TransferProgress(
                        sentBytes: Int64(sent), toSendBytes: Int64(toSend), receivedBytes: Int64(got),
                        toReceiveBytes: Int64(toReceive)))
            }, context)
    }

    private func restrict(
        _ handle: UnsafeMutableRawPointer, _ limits: TransferLimits, _ context: UnsafeMutableRawPointer
    ) {
        // A proxy of the environment would connect for us, to wherever it likes.
        unsafe _ = tijera_curl_set_text(handle, CURLOPT_PROXY, "")
        unsafe _ = tijera_curl_set_number(handle, CURLOPT_FOLLOWLOCATION, 0)
        unsafe _ = tijera_curl_set_number(handle, CURLOPT_TIMEOUT, limits.secondsMax)
        unsafe _ = tijera_curl_set_number(handle, CURLOPT_LOW_SPEED_LIMIT, limits.bytesPerSecondMin)
        unsafe _ = tijera_curl_set_number(handle, CURLOPT_LOW_SPEED_TIME, TransferLimits.slowSecondsMax)
        unsafe _ = tijera_curl_set_offset(handle, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(limits.bytesMax))
        unsafe _ = tijera_curl_set_opener(
            handle,
            { context, _, address in unsafe Transfer.from(context).open(address) }, context)
    }

    /// libcurl is about to connect: names are resolved by now, and nothing lies between this address and the socket.
    private func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        // Sound: libcurl says how long the address is, and it lives for the length of the call.
        let length = unsafe Int(address.pointee.addrlen)
        let target = unsafe NetworkAddress(tijera_curl_address(address), bytes: length)
        let objection =
            if let target { client.limits?.addresses.objection(to: target) } else { "no address of the internet" }
        if let objection {
            received.withLock { $0.objection = objection }
            return tijera_curl_socket_bad()
        }
        return unsafe socket(
            address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
    }

    private func makeForm(_ handle: UnsafeMutableRawPointer) -> OpaquePointer? {
        let form = unsafe curl_mime_init(handle)
        for case .file(let field, let path, let name) in request.form {
            let part = unsafe curl_mime_addpart(form)
            unsafe _ = curl_mime_name(part, field)
            unsafe _ = curl_mime_filedata(part, path)
            unsafe _ = curl_mime_filename(part, name)
        }
        return unsafe form
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> Transfer {
        // Sound: the context is always the pointer that configure() made.
        unsafe Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
    }

    /// Returns how many bytes were taken; fewer than offered ends the transfer.
    private func body(_ bytes: UnsafeMutablePointer<CChar>, _ count: Int) -> Int {
        // Sound: libcurl says there are `count` bytes, and they are copied before the call returns.
        let copy = unsafe [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
        if client.limits != nil, let isWanted = drop(count) { return isWanted ? count : 0 }
        if sink(received.withLock { $0.status }, copy) { return count }
        received.withLock { $0.sinkStopped = true }
        return 0
    }

    /// Nil: the body is handed on. Else whether more of what is dropped is read.
    private func drop(_ count: Int) -> Bool? {
        received.withLock { received in
            guard received.status != 200 else { return nil }
            received.droppedBytes += count
            received.sinkStopped = received.droppedBytes > TransferLimits.otherBodyBytesMax
            return !received.sinkStopped
        }
    }

    private func header(_ bytes: UnsafeMutablePointer<CChar>, _ count: Int) -> Int {
        // Sound: as in body().
        let copy = unsafe [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
        let line = String(decoding: copy, as: UTF8.self)
        let isStranger = client.limits != nil
        return received.withLock { received in
            received.headerBytes += count
            if isStranger, received.headerBytes > TransferLimits.headerBytesMax {
                received.sinkStopped = true
                return 0
            }
            // Each status line begins a new head: after a redirect only the last one counts.
            if line.hasPrefix("HTTP/") {
                received.headers = [:]
                received.status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            }
            guard let colon = line.firstIndex(of: ":") else { return count }
            let name = line[..<colon].lowercased()
            received.headers[name] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)
            return count
        }
    }

    /// Called by libcurl at least once a second, also while nothing moves; non-zero ends the transfer.
    private func meter(_ now: TransferProgress) -> Int32 {
        progress?(now)
        return isCancelled.load(ordering: .relaxed) ? 1 : 0
    }

    /// What went wrong about TLS, in words that lead somewhere; nil: nothing did.
    private func tlsFailure(_ code: CURLcode, verified: Int) -> HTTPClientError? {
        switch code {
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR:
            let distrust = Distrust(verified: verified)
            return HTTPClientError(.untrusted, "\(request.url): \(distrust.detail)", distrust: distrust)
        case CURLE_SSL_CACERT_BADFILE:
            let distrust = Distrust.authoritiesUnusable, path = client.authoritiesPath ?? "of the system"
            return HTTPClientError(
                .untrusted, "\(request.url): \(distrust.detail) (\(path))", distrust: distrust)
        case CURLE_SSL_CONNECT_ERROR:
            return HTTPClientError(
                .unreachable, "\(request.url): no TLS could be agreed on; perhaps it speaks http:// only")
        default: return nil
        }
    }

    private func outcome(
        _ code: CURLcode, status: Int, redirect: String?, seconds: Double
    ) -> Result<HTTPResponseHead, HTTPClientError> {
        if code == CURLE_OK {
            return .success(
                HTTPResponseHead(
                    status: status, headers: received.withLock { $0.headers }, redirect: redirect, seconds: seconds))
        }
        // Sound: curl_easy_strerror returns a constant string.
        let reason = unsafe String(cString: curl_easy_strerror(code))
        switch code {
        case CURLE_ABORTED_BY_CALLBACK where isCancelled.load(ordering: .relaxed):
            return .failure(HTTPClientError(.cancelled, "cancelled"))
        case CURLE_WRITE_ERROR where received.withLock({ $0.sinkStopped }):
            return .failure(HTTPClientError(.stopped, "stopped"))
        case CURLE_FILESIZE_EXCEEDED: return .failure(HTTPClientError(.tooLarge, "\(request.url): \(reason)"))
        case CURLE_COULDNT_CONNECT where received.withLock({ $0.objection != nil }):
            let objection = received.withLock { $0.objection } ?? ""
            return .failure(HTTPClientError(.forbidden, "\(request.url): \(objection)"))
        case CURLE_OPERATION_TIMEDOUT: return .failure(HTTPClientError(.timedOut, "\(request.url): \(reason)"))
        // The file that is sent could not be read to its end.
        case CURLE_ABORTED_BY_CALLBACK, CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_READ_ERROR,
            CURLE_FILE_COULDNT_READ_FILE:
            return .failure(HTTPClientError(.unusable, "\(request.url): \(reason)"))
        default: return .failure(HTTPClientError(.unreachable, "\(request.url): \(reason)"))
        }
    }
}
