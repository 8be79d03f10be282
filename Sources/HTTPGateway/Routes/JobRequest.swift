package import ClipModel
import Foundation
import HTTPTypes

/// The body of `POST /api/jobs`, read strictly: a misspelt option is refused, not silently replaced by its default.
package struct JobRequest: Sendable, Hashable {
    package let upload: UploadID
    package let options: JobOptions
    package let priority: Job.Priority

    package init(json: [UInt8]) throws(Problem) {
        self = try Self.read(json, like: "{\"uploadId\": \"...\", \"options\": {...}}")
        if let wrong = options.problem, let problem = Problem(wrong) { throw problem }
    }
}

extension Decodable {
    /// Of a body. Its own `init(from:)` says what is wrong about fields; here, that it is no object at all.
    static func read(
        _ json: [UInt8], like example: String, with decoder: JSONDecoder = JSONDecoder()
    ) throws(Problem) -> Self {
        do { return try decoder.decode(Self.self, from: Data(json)) } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(
                .badRequest, code: "malformed_json", detail: "The body is not a JSON object.",
                hint: "Send \(example).")
        }
    }
}

extension JobRequest: Decodable {
    private static let fields = ["options", "priority", "sourceUrl", "uploadId"]

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: AnyKey.self)
        try refuseUnknown(container, known: Self.fields, prefix: "", code: "unknown_field")
        if container.contains(AnyKey("sourceUrl")) {
            throw Problem(
                .unprocessableContent, code: "source_url_not_supported",
                detail: "A job is made of an upload, not of an address.",
                hint: "Send sourceUrl to POST /api/imports and name the uploadId that it answers with here.",
                field: "sourceUrl")
        }
        guard let text = try? container.decode(String.self, forKey: AnyKey("uploadId")), let id = UploadID(text) else {
            throw Problem(
                .unprocessableContent, code: "invalid_upload_id", detail: "uploadId is missing or is no upload id.",
                hint: "Send the uploadId that POST /api/upload answered with.", field: "uploadId")
        }
        upload = id
        priority = try Self.priority(container)
        let key = AnyKey("options")
        guard container.contains(key), try !container.decodeNil(forKey: key) else {
            options = JobOptions()
            return
        }
        do {
            options = try OptionsReader(try container.nestedContainer(keyedBy: AnyKey.self, forKey: key)).read()
        } catch is DecodingError {
            throw OptionsReader.refusal("options", expected: "must be an object")
        }
    }
}

extension JobRequest {
    private static func priority(_ container: KeyedDecodingContainer<AnyKey>) throws -> Job.Priority {
        let key = AnyKey("priority")
        guard container.contains(key), try !container.decodeNil(forKey: key) else { return .interactive }
        let allowed = Job.Priority.allCases.map(\.rawValue)
        guard let text = try? container.decode(String.self, forKey: key), let priority = Job.Priority(rawValue: text)
        else {
            throw Problem(
                .unprocessableContent, code: "invalid_priority",
                detail: "priority must be one of \(allowed.joined(separator: ", ")).",
                hint: "Leave it out for a job that somebody waits for.", field: "priority", allowed: allowed)
        }
        return priority
    }
}

/// Reads `options` field by field, so that what is refused is named together with what would be accepted.
private struct OptionsReader {
    private let container: KeyedDecodingContainer<AnyKey>

    init(_ container: KeyedDecodingContainer<AnyKey>) { self.container = container }

    func read() throws -> JobOptions {
        try refuseUnknown(
            container, known: JobOptions.CodingKeys.allCases.map(\.rawValue).sorted(), prefix: "options.",
            code: "unknown_option")
        var options = JobOptions()
        options.language = try value(.language, "must be a string") ?? options.language
        options.clipCount = try value(.clipCount, "must be an integer from 1 to 10") ?? options.clipCount
        options.durationPreset = try choice(.durationPreset) ?? options.durationPreset
        options.minSeconds = try value(.minSeconds, "must be a number of seconds")
        options.maxSeconds = try value(.maxSeconds, "must be a number of seconds")
        options.aspect = try choice(.aspect) ?? options.aspect
        options.subtitles = try choice(.subtitles) ?? options.subtitles
        options.captionStyle = try choice(.captionStyle) ?? options.captionStyle
        options.speakerColors =
            try value(.speakerColors, "must be true or false", allowed: ["true", "false"]) ?? options.speakerColors
        options.smartCrop =
            try value(.smartCrop, "must be true or false", allowed: ["true", "false"])
            ?? options.smartCrop
        options.punchIns =
            try value(.punchIns, "must be true or false", allowed: ["true", "false"]) ?? options.punchIns
        options.denoise =
            try value(.denoise, "must be true or false", allowed: ["true", "false"]) ?? options.denoise
        options.tighten =
            try value(.tighten, "must be true or false", allowed: ["true", "false"]) ?? options.tighten
        options.keywords = try value(.keywords, "must be a list of strings") ?? options.keywords
        options.watermark = try value(.watermark, "must be a string")
        return options
    }

    private func value<Value: Decodable>(
        _ option: JobOptions.CodingKeys, _ expected: String, allowed: [String]? = nil
    ) throws -> Value? {
        do {
            return try container.decodeIfPresent(Value.self, forKey: AnyKey(option.rawValue))
        } catch {
            throw Self.refusal("options.\(option.rawValue)", expected: expected, allowed: allowed)
        }
    }

    private func choice<Value>(_ option: JobOptions.CodingKeys) throws -> Value?
    where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
        let allowed = Value.allCases.map(\.rawValue)
        let expected = "must be one of \(allowed.joined(separator: ", "))"
        guard let text: String = try value(option, expected, allowed: allowed) else { return nil }
        guard let choice = Value(rawValue: text) else {
            throw Self.refusal("options.\(option.rawValue)", expected: expected, allowed: allowed)
        }
        return choice
    }

    static func refusal(_ field: String, expected: String, allowed: [String]? = nil) -> Problem {
        Problem(
            .unprocessableContent, code: "invalid_option", detail: "\(field) \(expected).",
            hint: "Correct the option or leave it out to get its default.", field: field, allowed: allowed)
    }
}

/// Options alone, read as strictly.
struct OptionsBody: Decodable {
    let options: JobOptions

    init(from decoder: any Decoder) throws {
        options = try OptionsReader(try decoder.container(keyedBy: AnyKey.self)).read()
    }
}

func refuseUnknown(
    _ container: KeyedDecodingContainer<AnyKey>, known: [String], prefix: String, code: String
) throws(Problem) {
    // What the client wrote is handed back only where it is short and plain.
    guard let stranger = container.allKeys.map(\.stringValue).sorted().first(where: { !known.contains($0) }) else {
        return
    }
    let isPlain = stranger.utf8.count <= 40 && stranger.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
    let name = isPlain ? prefix + stranger : nil
    throw Problem(
        .unprocessableContent, code: code,
        detail: name.map { "\($0) is not known." } ?? "The body has a field that is not known.",
        hint: "Use only: \(known.joined(separator: ", ")).", field: name, allowed: known)
}

/// Whatever stands in an object.
struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ text: String) { stringValue = text }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
