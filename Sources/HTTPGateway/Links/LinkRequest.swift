package import ClipModel
import HTTPTypes

/// The body of `POST /api/clips/{id}/link`, read strictly.
package struct LinkRequest: Sendable, Hashable {
    package enum File: String, Sendable, Hashable, CaseIterable { case video, subtitles, thumbnail }

    package static let secondsDefault = 3600

    package let file: File
    /// Of subtitles.
    package let captions: DownloadTarget.Captions
    package let seconds: Int

    package init(json: [UInt8]) throws(Problem) {
        self = try Self.read(json, like: "{\"file\": \"video\"}")
    }

    package func target(in clip: ClipID) -> DownloadTarget {
        switch file {
        case .video: .video(clip)
        case .subtitles: .subtitles(clip, captions)
        case .thumbnail: .thumbnail(clip)
        }
    }
}

extension LinkRequest: Decodable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: AnyKey.self)
        try refuseUnknown(
            container, known: ["expiresInSeconds", "file", "format"], prefix: "", code: "unknown_field")
        guard let file: File = try Self.choice("file", container) else {
            throw Self.wrong("file", File.allCases.map(\.rawValue))
        }
        self.file = file
        captions = try Self.choice("format", container) ?? .srt
        let key = AnyKey("expiresInSeconds")
        guard container.contains(key) else {
            seconds = Self.secondsDefault
            return
        }
        guard let given = try? container.decode(Int.self, forKey: key), LinkSignature.secondsRange.contains(given)
        else {
            let (low, high) = (LinkSignature.secondsRange.lowerBound, LinkSignature.secondsRange.upperBound)
            throw Problem(
                .unprocessableContent, code: "invalid_expiry",
                detail: "expiresInSeconds must be an integer from \(low) to \(high).",
                hint: "Leave it out for a link that is good for an hour.", field: key.stringValue)
        }
        seconds = given
    }

    private static func choice<Value: CaseIterable & RawRepresentable<String>>(
        _ field: String, _ container: KeyedDecodingContainer<AnyKey>
    ) throws -> Value? {
        guard container.contains(AnyKey(field)) else { return nil }
        guard let text = try? container.decode(String.self, forKey: AnyKey(field)), let value = Value(rawValue: text)
        else { throw wrong(field, Value.allCases.map(\.rawValue)) }
        return value
    }

    private static func wrong(_ field: String, _ allowed: [String]) -> Problem {
        Problem(
            .unprocessableContent, code: "invalid_\(field)",
            detail: "\(field) must be one of \(allowed.joined(separator: ", ")).", hint: "Name one of them.",
            field: field, allowed: allowed)
    }
}
