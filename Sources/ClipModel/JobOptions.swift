/// What a client may ask for. Every field has a default, so `{}` is a valid set of options.
package struct JobOptions: Hashable, Sendable {
    package enum DurationPreset: String, Sendable, Codable, CaseIterable {
        case short, normal, long

        /// Shortest and longest clip, in seconds.
        package var seconds: TimeRange {
            switch self {
            case .short: TimeRange(start: 12, end: 22)
            case .normal: TimeRange(start: 18, end: 32)
            case .long: TimeRange(start: 30, end: 45)
            }
        }
    }

    package enum Aspect: String, Sendable, Codable, CaseIterable {
        case portrait = "9:16", square = "1:1", feed = "4:5", landscape = "16:9"

        /// Size of the rendered picture in pixels.
        package var pixels: PixelSize {
            switch self {
            case .portrait: PixelSize(width: 1080, height: 1920)
            case .square: PixelSize(width: 1080, height: 1080)
            case .feed: PixelSize(width: 1080, height: 1350)
            case .landscape: PixelSize(width: 1920, height: 1080)
            }
        }
    }

    package enum Subtitles: String, Sendable, Codable, CaseIterable {
        /// No captions at all.
        case off
        /// SRT and VTT files beside the clip.
        case srt
        /// The files, and the words burned into the picture.
        case burned
    }

    package enum CaptionStyle: String, Sendable, Codable, CaseIterable {
        /// White words with a dark outline, the word being spoken in sun yellow.
        case classic
        /// The same without the moving highlight.
        case plain
        /// Words on a dark box.
        case boxed
        /// Heavy white words, a violet patch below the one being spoken; what matters in yellow.
        case pop
        /// Narrow capitals as on a poster, the word being spoken in yellow.
        case headline
        /// Thin letters in a blue glow, the word being spoken in a pink one.
        case neon
    }

    /// `auto`, or an ISO 639-1 code.
    package var language = "auto"
    package var clipCount = 5
    package var durationPreset = DurationPreset.normal
    /// Shortest and longest clip in seconds; either overrides the preset.
    package var minSeconds: Double?
    package var maxSeconds: Double?
    package var aspect = Aspect.portrait
    package var subtitles = Subtitles.srt
    package var captionStyle = CaptionStyle.classic
    /// Whether captions tell apart who speaks, as far as the picture shows it.
    package var speakerColors = false
    package var smartCrop = true
    /// Whether long still shots of one speaker come closer for a sentence now and then.
    package var punchIns = false
    /// Whether steady noise below the voice is taken out of the sound.
    package var denoise = false
    /// Whether long pauses and fillers ("um", "este...") are cut out of the finished clip.
    package var tighten = false
    package var keywords: [String] = []
    /// Text drawn small in a corner of every clip.
    package var watermark: String?

    package init() {}

    /// Length of a clip in seconds: the preset, with `minSeconds` and `maxSeconds` laid over it.
    package var clipSeconds: TimeRange {
        let preset = durationPreset.seconds
        let low = minSeconds ?? min(preset.start, maxSeconds ?? preset.start)
        return TimeRange(start: low, end: max(low, maxSeconds ?? max(preset.end, low)))
    }

    /// Whether who speaks is wanted and looked for: without faces nobody knows, and without captions nobody asks.
    package var tellsSpeakers: Bool { speakerColors && smartCrop && subtitles != .off }

    /// Whether punch-ins are wanted and looked for: they stand on faces.
    package var comesCloser: Bool { punchIns && smartCrop }

    /// The first thing wrong with these options, or nil.
    package var problem: OptionProblem? {
        if !(1...10).contains(clipCount) {
            return OptionProblem(option: "clipCount", detail: "must be between 1 and 10, is \(clipCount)")
        }
        if language != "auto", !isLanguageCode(language) {
            return OptionProblem(
                option: "language", detail: "must be \"auto\" or a two- or three-letter code like \"es\"")
        }
        let low = minSeconds ?? 3, high = maxSeconds ?? 180
        if !(3...180).contains(low) { return OptionProblem(option: "minSeconds", detail: "must be between 3 and 180") }
        if !(3...180).contains(high) { return OptionProblem(option: "maxSeconds", detail: "must be between 3 and 180") }
        if minSeconds != nil, maxSeconds != nil, low > high {
            return OptionProblem(option: "maxSeconds", detail: "must not be less than minSeconds")
        }
        if keywords.count > 20 { return OptionProblem(option: "keywords", detail: "must be at most 20") }
        if let long = keywords.first(where: { $0.isEmpty || $0.count > 80 }) {
            return OptionProblem(option: "keywords", detail: "must each have 1 to 80 characters; one has \(long.count)")
        }
        if let watermark, watermark.isEmpty || watermark.count > 60 {
            return OptionProblem(option: "watermark", detail: "must have 1 to 60 characters")
        }
        return nil
    }
}

/// An option whose value cannot be used, and why.
package struct OptionProblem: Error, Hashable, Sendable {
    package let option: String
    package let detail: String

    package init(option: String, detail: String) {
        self.option = option
        self.detail = detail
    }
}

extension JobOptions: Codable {
    package enum CodingKeys: String, CodingKey, CaseIterable {
        case language, clipCount, durationPreset, minSeconds, maxSeconds, aspect, subtitles, captionStyle, smartCrop
        case speakerColors, punchIns, denoise, tighten, keywords, watermark
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, _ fallback: Value) throws -> Value {
            try container.decodeIfPresent(Value.self, forKey: key) ?? fallback
        }
        language = try read(.language, language)
        clipCount = try read(.clipCount, clipCount)
        durationPreset = try read(.durationPreset, durationPreset)
        minSeconds = try container.decodeIfPresent(Double.self, forKey: .minSeconds)
        maxSeconds = try container.decodeIfPresent(Double.self, forKey: .maxSeconds)
        aspect = try read(.aspect, aspect)
        subtitles = try read(.subtitles, subtitles)
        captionStyle = try read(.captionStyle, captionStyle)
        speakerColors = try read(.speakerColors, speakerColors)
        smartCrop = try read(.smartCrop, smartCrop)
        punchIns = try read(.punchIns, punchIns)
        denoise = try read(.denoise, denoise)
        tighten = try read(.tighten, tighten)
        keywords = try read(.keywords, keywords)
        watermark = try container.decodeIfPresent(String.self, forKey: .watermark)
    }
}

/// Width and height in pixels.
package struct PixelSize: Hashable, Sendable, Codable {
    package let width: Int
    package let height: Int

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    package var aspectRatio: Double { Double(width) / Double(height) }
}

private func isLanguageCode(_ text: String) -> Bool {
    (2...3).contains(text.utf8.count) && text.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
}
