import Blobs
import ClipModel
import Foundation
import HTTPGateway
import HTTPTypes
import Store
import Testing

struct ProblemTests {
    @Test(
        arguments: [
            (StoreError(.unavailable, "secret"), 503), (StoreError(.timedOut, "secret"), 503),
            (StoreError(.poolExhausted, "secret"), 503), (BlobError(.full, "/secret"), 507),
            (BlobError(.missing, "/secret"), 404), (BlobError(.tooLarge, "/secret"), 413),
            (BlobError(.denied, "/secret"), 503), (BlobError(.broken, "/secret"), 503),
            (MultipartError.truncated, 400), (MultipartError.tooManyParts(limit: 8), 400),
            (Failure(.poison, code: "x", reason: "r.", hint: "h."), 422),
            (Failure(.transient, code: "x", reason: "r.", hint: "h."), 503),
            (Failure(.resource, code: "x", reason: "r.", hint: "h."), 503),
            (Failure(.cancelled, code: "x", reason: "r.", hint: "h."), 409),
            (OptionProblem(option: "clipCount", detail: "must be less"), 422),
        ] as [(any Error & Sendable, Int)])
    func `an error has a status, words and nothing of the inside`(error: any Error & Sendable, status: Int) throws {
        let problem = try #require(Problem(error))
        #expect(problem.status.code == status)
        #expect((status == 503) == (problem.retryAfterSeconds != nil))
        let text = String(decoding: try JSONEncoder().encode(problem.body(requestID: "r1")), as: UTF8.self)
        #expect(!text.contains("secret"))
        #expect(!problem.code.isEmpty && !problem.detail.isEmpty && !problem.hint.isEmpty)
    }

    @Test(arguments: [StoreError(.refused, "sql"), StoreError(.corrupt, "row")])
    func `what only a bug can cause is a surprise`(error: StoreError) {
        #expect(Problem(error) == nil)
    }

    @Test(arguments: BlobError.Code.allCases)
    func `whoever meets a full disk or a store that is away is told to come again, not that it waits`(
        code: BlobError.Code
    ) throws {
        let error = BlobError(code, "/secret"), problem = try #require(Problem(error))
        #expect(problem.code == code.rawValue && problem.detail == error.failure.reason)
        #expect(problem.hint.hasPrefix("Try again in a while") == error.failure.waits)
        #expect(error.failure.waits == [.full, .unavailable].contains(code))
    }

    @Test func `the body is what RFC 9457 asks for`() {
        let body = Problem.noSuchJob.body(requestID: "r1")
        #expect(body.type == "urn:tijera:problem:no_such_job")
        #expect(body.status == 404)
        #expect(body.title == "Not Found")
        #expect(body.instance == "urn:tijera:request:r1")
    }
}

struct JobRequestTests {
    static let upload = "upload_" + String(repeating: "0", count: 26)

    private func read(_ rest: String) throws -> JobRequest {
        try JobRequest(json: Array(#"{"uploadId": "\#(Self.upload)"\#(rest)}"#.utf8))
    }

    @Test func `without options the defaults hold`() throws {
        #expect(try read("").options == JobOptions())
        #expect(try read(#", "options": {}"#).options == JobOptions())
        #expect(try read(#", "options": null"#).options == JobOptions())
        #expect(try read(#", "options": {"language": null, "minSeconds": null}"#).options == JobOptions())
    }

    @Test func `every option is read`() throws {
        let options = try read(
            #"""
            , "options": {"language": "es", "clipCount": 3, "durationPreset": "long",
            "minSeconds": 20, "maxSeconds": 40.5,
            "aspect": "1:1", "subtitles": "burned", "captionStyle": "boxed", "smartCrop": false, "denoise": true,
            "speakerColors": true, "tighten": true, "punchIns": true,
            "keywords": ["año nuevo"], "watermark": "@ana"}
            """#
        ).options
        var expected = JobOptions()
        expected.language = "es"
        expected.clipCount = 3
        expected.durationPreset = .long
        expected.minSeconds = 20
        expected.maxSeconds = 40.5
        expected.aspect = .square
        expected.subtitles = .burned
        expected.captionStyle = .boxed
        expected.smartCrop = false
        expected.denoise = true
        expected.speakerColors = true
        expected.tighten = true
        expected.punchIns = true
        expected.keywords = ["año nuevo"]
        expected.watermark = "@ana"
        #expect(options == expected)
    }

    @Test(arguments: [
        (#""clipCount": "five""#, "options.clipCount", "invalid_option"),
        (#""clipCount": 2.5"#, "options.clipCount", "invalid_option"),
        (#""clipCount": 11"#, "options.clipCount", "invalid_option"),
        (#""aspect": "3:2""#, "options.aspect", "invalid_option"),
        (#""subtitles": true"#, "options.subtitles", "invalid_option"),
        (#""durationPreset": "Short""#, "options.durationPreset", "invalid_option"),
        (#""captionStyle": 1"#, "options.captionStyle", "invalid_option"),
        (#""smartCrop": "yes""#, "options.smartCrop", "invalid_option"),
        (#""speakerColors": "red""#, "options.speakerColors", "invalid_option"),
        (#""tighten": "yes""#, "options.tighten", "invalid_option"),
        (#""punchIns": 1"#, "options.punchIns", "invalid_option"),
        (#""keywords": "one""#, "options.keywords", "invalid_option"),
        (#""keywords": [1]"#, "options.keywords", "invalid_option"),
        (#""watermark": 5"#, "options.watermark", "invalid_option"),
        (#""minSeconds": "3""#, "options.minSeconds", "invalid_option"),
        (#""minSeconds": 30, "maxSeconds": 20"#, "options.maxSeconds", "invalid_option"),
        (#""language": "spanish""#, "options.language", "invalid_option"),
        (#""smartcrop": true"#, "options.smartcrop", "unknown_option"),
    ])
    func `a wrong option is refused by its name`(option: String, field: String, code: String) throws {
        let problem = try #require(throws: Problem.self) { try read(#", "options": {\#(option)}"#) }
        #expect(problem.code == code)
        #expect(problem.field == field)
        #expect(problem.status.code == 422)
    }

    @Test func `a choice that is refused comes with the choices there are`() throws {
        let problem = try #require(throws: Problem.self) { try read(#", "options": {"aspect": "3:2"}"#) }
        #expect(problem.allowed == ["9:16", "1:1", "4:5", "16:9"])
    }

    @Test func `an unknown name that is long or odd is not handed back`() throws {
        let problem = try #require(throws: Problem.self) { try read(#", "options": {"<script>": 1}"#) }
        #expect(problem.field == nil)
        #expect(!problem.detail.contains("script"))
    }

    @Test(arguments: [
        (#"{"options": {}}"#, "invalid_upload_id"), (#"{"uploadId": "../../etc/passwd"}"#, "invalid_upload_id"),
        (#"{"uploadId": 5}"#, "invalid_upload_id"),
        (#"{"sourceUrl": "https://example.org/a.mp4"}"#, "source_url_not_supported"),
        (#"{"uploadId": "x", "option": {}}"#, "unknown_field"), (#"[]"#, "malformed_json"), (#"{"#, "malformed_json"),
        (#""#, "malformed_json"),
        (#"{"uploadId": "upload_01hzzzzzzzzzzzzzzzzzzzzzzz", "priority": "now"}"#, "invalid_priority"),
        (#"{"uploadId": "upload_01hzzzzzzzzzzzzzzzzzzzzzzz", "priority": 1}"#, "invalid_priority"),
    ])
    func `a body that is no request is refused`(json: String, code: String) throws {
        let problem = try #require(throws: Problem.self) { try JobRequest(json: Array(json.utf8)) }
        #expect(problem.code == code)
    }

    @Test func `options that are no object are refused`() throws {
        let problem = try #require(throws: Problem.self) { try read(#", "options": [1]"#) }
        #expect(problem.code == "invalid_option")
        #expect(problem.field == "options")
    }
}
