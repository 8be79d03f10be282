import ClipModel
import Foundation
import HTTPTypes
import Jobs

/// The body of `POST /api/jobs/{id}/rerender` and of `POST /api/clips`, read strictly.
struct RevisionRequest: Sendable {
    /// Where the body says what it is about.
    enum Subject: Sendable { case clip, job }

    /// Text of `clipId` or `jobId`.
    let subject: String
    let wish: JobService.Wish

    init(json: [UInt8], about kind: Subject) throws {
        let decoder = JSONDecoder()
        decoder.userInfo[.subject] = kind
        let borders = "\"start\": 12.5, \"end\": 40"
        let body = try Body.read(
            json, like: kind == .clip ? "{\"clipId\": \"...\", \(borders)}" : "{\"jobId\": \"...\", \(borders)}",
            with: decoder)
        var wish = body.wish
        if body.hasOptions { wish.options = try Self.overlay(of: json) }
        subject = body.subject
        self.wish = wish
    }

    /// Lays what the client sent over what the clip has, and reads the whole as strictly as the options of a job: so
    /// whatever option there is needs to be named in one place.
    private static func overlay(of json: [UInt8]) throws -> @Sendable (JobOptions) throws -> JobOptions {
        let object = try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any]
        let wanted = try JSONSerialization.data(withJSONObject: object?["options"] as? [String: Any] ?? [:])
        return { present in
            let base = try JSONSerialization.jsonObject(with: JSONEncoder().encode(present)) as? [String: Any] ?? [:]
            let over = try JSONSerialization.jsonObject(with: wanted) as? [String: Any] ?? [:]
            let merged = try JSONSerialization.data(withJSONObject: base.merging(over) { $1 })
            return try JSONDecoder().decode(OptionsBody.self, from: merged).options
        }
    }
}

extension CodingUserInfoKey {
    fileprivate static let subject = CodingUserInfoKey(rawValue: "subject")!
}

/// All of the body but the options, which are laid over those of the clip.
private struct Body: Decodable {
    let subject: String
    var wish = JobService.Wish()
    let hasOptions: Bool

    private static let titleCharactersMax = 120

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: AnyKey.self)
        let isClip = decoder.userInfo[.subject] as? RevisionRequest.Subject == .clip
        let name = isClip ? "clipId" : "jobId"
        let known = [name, "edits", "end", "options", "start", "title"] + (isClip ? ["ifRevision"] : [])
        try refuseUnknown(container, known: known, prefix: "", code: "unknown_field")
        guard let text = try? container.decode(String.self, forKey: AnyKey(name)) else {
            throw Self.wrong(name, "must be the id of a \(isClip ? "clip" : "job")")
        }
        subject = text
        wish.start = try Self.value("start", container, "must be a number of seconds")
        wish.end = try Self.value("end", container, "must be a number of seconds")
        if isClip { wish.ifRevision = try Self.value("ifRevision", container, "must be the number of a revision") }
        wish.title = try Self.value("title", container, "must be a string")
        if let title = wish.title, title.count > Self.titleCharactersMax || title.contains(where: \.isNewline) {
            throw Self.wrong("title", "must be one line of at most \(Self.titleCharactersMax) characters")
        }
        hasOptions = container.contains(AnyKey("options"))
        if hasOptions { try Self.checkOptions(container) }
        let edits = AnyKey("edits")
        guard container.contains(edits) else { return }
        guard let nested = try? container.nestedContainer(keyedBy: AnyKey.self, forKey: edits) else {
            throw Self.wrong("edits", "must be an object")
        }
        try refuseUnknown(nested, known: ["captions", "scenes"], prefix: "edits.", code: "unknown_field")
        if nested.contains(AnyKey("captions")) {
            wish.captions = .some(
                try Self.value("captions", nested, "must be a list of {start, end, text}", prefix: "edits."))
        }
        if nested.contains(AnyKey("scenes")) {
            wish.scenes = .some(
                try Self.value(
                    "scenes", nested, "must be a list of {start, end, layout: fit or crop, x}", prefix: "edits."))
        }
    }

    /// Only what concerns how the clip looks.
    private static func checkOptions(_ container: KeyedDecodingContainer<AnyKey>) throws {
        guard let nested = try? container.nestedContainer(keyedBy: AnyKey.self, forKey: AnyKey("options")) else {
            throw wrong("options", "must be an object")
        }
        let looks = JobOptions.looks.map(\.rawValue).sorted()
        let concernsJob = JobOptions.CodingKeys.allCases.map(\.rawValue).filter { !looks.contains($0) }
        if let option = nested.allKeys.map(\.stringValue).sorted().first(where: concernsJob.contains) {
            throw Problem(
                .unprocessableContent, code: "option_of_job",
                detail: "options.\(option) decides which moments become clips, and that is decided.",
                hint: "Use only: \(looks.joined(separator: ", ")). For other moments start a new job.",
                field: "options.\(option)", allowed: looks)
        }
        try refuseUnknown(nested, known: looks, prefix: "options.", code: "unknown_option")
    }

    private static func value<Value: Decodable>(
        _ name: String, _ container: KeyedDecodingContainer<AnyKey>, _ expected: String, prefix: String = ""
    ) throws -> Value? {
        do { return try container.decodeIfPresent(Value.self, forKey: AnyKey(name)) } catch {
            throw wrong(prefix + name, expected)
        }
    }

    private static func wrong(_ field: String, _ expected: String) -> Problem {
        Problem(
            .unprocessableContent, code: "invalid_edit", detail: "\(field) \(expected).",
            hint: "Correct it; times are seconds of the source.", field: field)
    }
}
