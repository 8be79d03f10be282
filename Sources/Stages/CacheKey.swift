package import ClipModel
import Crypto
package import Media

/// Everything that decides what a stage makes, by name. Two runs with equal ingredients may share one result, so a
/// stage lists the options that matter to it and no others: other subtitles must not mean another transcription.
package struct CacheIngredients: Sendable, Hashable {
    private var fields: [String: String] = [:]

    package init() {}

    package subscript(_ name: String) -> String? {
        get { fields[name] }
        set { fields[name] = newValue }
    }

    /// Each is written with its length, so that no two lists look alike.
    package mutating func add(keywords: [String]) {
        fields["keywords"] = keywords.map { "\($0.utf8.count):\($0)" }.joined()
    }

    /// SHA-256 in lower-case hexadecimal. Every field is written with its length, so no two sets of fields look alike.
    package func key(of stage: StageName, version: Int) -> String {
        var hash = SHA256()
        func add(_ text: String) {
            hash.update(data: Array("\(text.utf8.count):".utf8))
            hash.update(data: Array(text.utf8))
        }
        add(stage.rawValue)
        add(String(version))
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            add(name)
            add(value)
        }
        return hexadecimal(hash.finalize())
    }
}

/// What the tools of this node are, as far as it changes what they make.
package struct ToolVersions: Sendable, Hashable, Codable {
    /// Whether a language model orders moments.
    package var reranks = false
    /// First line of `ffmpeg -version`.
    package var ffmpeg: String
    /// SHA-256 of the speech model.
    package var speechModel: String
    /// SHA-256 of the face model.
    package var faceModel: String
    /// Whether uploads are scanned for malware.
    package var scansUploads: Bool
    /// What captions can be drawn with.
    package var captionFonts: CaptionFonts

    package init(
        ffmpeg: String, speechModel: String, faceModel: String, scansUploads: Bool = false,
        captionFonts: CaptionFonts = .all
    ) {
        self.ffmpeg = ffmpeg
        self.speechModel = speechModel
        self.faceModel = faceModel
        self.scansUploads = scansUploads
        self.captionFonts = captionFonts
    }
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
