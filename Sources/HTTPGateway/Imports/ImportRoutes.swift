import Blobs
import ClipModel
import Foundation
import HTTPClient
import HTTPTypes
import Hummingbird
import Jobs
import Logging

/// `POST /api/imports`: a video that is fetched from an address. Answers as an upload does, when all of it is here.
struct ImportRoutes: Sendable {
    static let addressBytesMax = 2048

    let jobs: JobService
    let configuration: GatewayConfiguration
    let imports: ImportConfiguration?
    let quota: QuotaGate
    private let slots: StreamSlots

    init(jobs: JobService, configuration: GatewayConfiguration, quota: QuotaGate) {
        self.jobs = jobs
        self.quota = quota
        self.configuration = configuration
        imports = configuration.imports
        slots = StreamSlots(limit: configuration.imports?.concurrentMax ?? 1)
    }

    var routes: [Route] { [Route(.post, "/api/imports", ordersWork: true, fetch)] }

    private struct Wanted: Decodable {
        let sourceUrl: String
        let fileName: String?

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: AnyKey.self)
            try refuseUnknown(container, known: ["fileName", "sourceUrl"], prefix: "", code: "unknown_field")
            sourceUrl = try container.decode(String.self, forKey: AnyKey("sourceUrl"))
            fileName = try container.decodeIfPresent(String.self, forKey: AnyKey("fileName"))
        }
    }

    @Sendable private func fetch(_ request: Request, _ context: GatewayContext) async throws -> Response {
        guard let imports else {
            throw Problem(
                .forbidden, code: "imports_off", detail: "This node fetches nothing from addresses.",
                hint: "Send the video to POST /api/upload; operators turn imports on with import.enabled.")
        }
        try await quota.admitVideo(request, context)
        try request.requireJSON()
        let wanted = try wanted(try await request.smallBody(limitBytes: configuration.jsonBytesMax))
        guard let slot = slots.take() else {
            throw Problem(
                .tooManyRequests, code: "imports_busy",
                detail: "This node is fetching \(imports.concurrentMax) videos already.",
                hint: "Try again in a moment, or at another node.", retryAfterSeconds: 10)
        }
        // Given back when this function ends.
        defer { withExtendedLifetime(slot) {} }
        let upload = try await fetch(wanted, imports)
        context.logger.info(
            "video imported", metadata: ["upload": "\(upload.id)", "upload.bytes": "\(upload.bytes)"])
        let answer = UploadRoutes.Answer(
            uploadId: upload.id, bytes: upload.bytes, sha256: upload.sha256, fileName: upload.fileName)
        return JSONAnswer.make(answer, status: .created)
    }

    private func wanted(_ body: [UInt8]) throws(Problem) -> Wanted {
        let wanted: Wanted
        do {
            wanted = try JSONDecoder().decode(Wanted.self, from: Data(body))
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(
                .badRequest, code: "malformed_json", detail: "The body is not an object with sourceUrl.",
                hint: "Send {\"sourceUrl\": \"https://...\"}.", field: "sourceUrl")
        }
        guard wanted.sourceUrl.utf8.count <= Self.addressBytesMax else { throw .badSource("It is too long.") }
        return wanted
    }

    // MARK: Fetching

    private func fetch(_ wanted: Wanted, _ imports: ImportConfiguration) async throws -> Upload {
        let id = jobs.newUploadID()
        let writer = try await jobs.blobs.writer(for: jobs.blobName(of: id), limitBytes: configuration.uploadBytesMax)
        let (last, facts): (WebAddress, BlobFacts)
        do {
            last = try await follow(wanted.sourceUrl, imports, into: writer)
            guard writer.bytesWritten > 0 else {
                throw Problem(
                    .unprocessableContent, code: "empty_file", detail: "The answer has no bytes.",
                    hint: "Check the address.", field: "sourceUrl")
            }
            facts = try await writer.commit()
        } catch {
            await writer.discard()
            throw error
        }
        let name = wanted.fileName ?? last.path.split(separator: "/").last.flatMap { $0.removingPercentEncoding }
        return try await jobs.register(id, fileName: DisplayName.normalise(name), facts: facts)
    }

    /// Each address on the way is checked as the first one was, and each connection once more when it is made.
    private func follow(
        _ first: String, _ imports: ImportConfiguration, into writer: any BlobWriter
    ) async throws -> WebAddress {
        var text = first
        var secondsLeft = Double(imports.secondsMax)
        for _ in 0...imports.redirectsMax {
            let address = try check(text, imports)
            let head = try await download(text, imports, secondsMax: Int(secondsLeft.rounded(.up)), into: writer)
            if head.status == 200 { return address }
            guard let next = head.redirect else {
                throw Problem(
                    .unprocessableContent, code: "source_status",
                    detail: "The address answered with status \(head.status).",
                    hint: "It must answer a plain GET, without signing in, with the video itself.", field: "sourceUrl")
            }
            text = next
            secondsLeft = max(1, secondsLeft - head.seconds)
        }
        throw Problem(
            .unprocessableContent, code: "source_redirects",
            detail: "The address leads on more than \(imports.redirectsMax) times.",
            hint: "Name the address where it ends.", field: "sourceUrl")
    }

    private func check(_ text: String, _ imports: ImportConfiguration) throws(Problem) -> WebAddress {
        guard let address = WebAddress(text) else { throw .badSource("It is no URL.") }
        guard ["http", "https"].contains(address.scheme) else { throw .badSource("Only http and https are fetched.") }
        guard !address.hasCredentials else { throw .badSource("It holds a name or a password.") }
        guard imports.ports.contains(address.port) else {
            throw .badSource(
                "Its port is not one of \(imports.ports.sorted().map(String.init).joined(separator: ", ")).")
        }
        return address
    }

    private func download(
        _ text: String, _ imports: ImportConfiguration, secondsMax: Int, into writer: any BlobWriter
    ) async throws -> SourceAnswer {
        do {
            return try await imports.download(
                text, bytesMax: configuration.uploadBytesMax, secondsMax: secondsMax, into: writer)
        } catch let error as BlobError where error.code == .tooLarge {
            throw Problem.sourceTooLarge(configuration.uploadBytesMax)
        } catch let error as HTTPClientError {
            throw Problem(error, limitBytes: configuration.uploadBytesMax)
        }
    }
}

extension Problem {
    fileprivate static func badSource(_ why: String) -> Problem {
        Problem(
            .unprocessableContent, code: "invalid_source_url", detail: "sourceUrl cannot be fetched. \(why)",
            hint: "Send a public http or https address of a video.", field: "sourceUrl")
    }

    fileprivate static func sourceTooLarge(_ limitBytes: Int64) -> Problem {
        Problem(
            .contentTooLarge, code: "source_too_large", detail: "The video is larger than \(limitBytes) bytes.",
            hint: "Name a shorter video, or one with a lower bit rate.", field: "sourceUrl")
    }

    /// Whose fault it is cannot be told from here, but it is not this node's: nothing of this is a 5xx.
    fileprivate init(_ error: HTTPClientError, limitBytes: Int64) {
        let (code, detail, hint): (String, String, String) =
            switch error.code {
            case .tooLarge: ("source_too_large", "", "")
            case .forbidden:
                (
                    "source_address_refused", "The address does not lie in the public internet.",
                    "Send the video to POST /api/upload; operators open networks with import.privateNetworks."
                )
            case .timedOut: ("source_too_slow", "The address did not send all of it in time.", "Try again later.")
            case .unusable:
                ("invalid_source_url", "sourceUrl cannot be fetched.", "Send a public http or https address.")
            case .unreachable, .untrusted, .cancelled, .stopped:
                ("source_unreachable", "Nobody answers at the address, or the connection broke.", "Check the address.")
            }
        guard error.code != .tooLarge else {
            self = .sourceTooLarge(limitBytes)
            return
        }
        self.init(.unprocessableContent, code: code, detail: detail, hint: hint, field: "sourceUrl")
    }
}
