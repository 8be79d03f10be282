/// What the fonts of this machine can draw. Asked of libass itself, in the sandbox that clips are rendered in, because
/// nobody else knows which file it will take for a name.
package struct CaptionFonts: Hashable, Sendable, Codable, CustomStringConvertible {
    /// Of the fonts that styles ask for, those that are there, by family.
    package var families: Set<String>
    /// Writing that no font here has.
    package var missing: Set<Writing>

    /// Scripts that some machine's fonts lack, each with a letter that is asked for.
    package enum Writing: String, Hashable, Sendable, Codable, CaseIterable {
        case arabic, hebrew, devanagari, bengali, tamil, thai, georgian, armenian, han, kana, hangul

        var sample: Unicode.Scalar {
            switch self {
            case .arabic: "\u{639}"
            case .hebrew: "\u{5D0}"
            case .devanagari: "\u{905}"
            case .bengali: "\u{985}"
            case .tamil: "\u{B85}"
            case .thai: "\u{E01}"
            case .georgian: "\u{10D0}"
            case .armenian: "\u{561}"
            case .han: "\u{6F22}"
            case .kana: "\u{3042}"
            case .hangul: "\u{D55C}"
            }
        }

        /// The one that `scalar` belongs to.
        init?(_ scalar: Unicode.Scalar) {
            switch scalar.value {
            case 0x530...0x58F: self = .armenian
            case 0x590...0x5FF, 0xFB1D...0xFB4F: self = .hebrew
            case 0x600...0x77F, 0x8A0...0x8FF, 0xFB50...0xFDFF, 0xFE70...0xFEFC: self = .arabic
            case 0x900...0x97F: self = .devanagari
            case 0x980...0x9FF: self = .bengali
            case 0xB80...0xBFF: self = .tamil
            case 0xE00...0xE7F: self = .thai
            case 0x10A0...0x10FF: self = .georgian
            case 0x3041...0x30FF, 0x31F0...0x31FF: self = .kana
            case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3FFFF: self = .han
            case 0x1100...0x11FF, 0x3130...0x318F, 0xAC00...0xD7A3: self = .hangul
            default: return nil
            }
        }
    }

    /// A machine with all of them.
    package static let all = CaptionFonts(families: Set(Typeface.all.map(\.family)), missing: [])

    /// Draws one letter of everything into a tiny picture and reads what libass says about it.
    /// - Parameter script: a file that holds `question`, alone in its folder.
    package static func find(_ toolbox: Toolbox, asking script: String) async throws(MediaError) -> CaptionFonts {
        let fonts = toolbox.configuration.fontsDirectory.map { ":fontsdir=" + FilterText.escaped($0) } ?? ""
        var limits = toolbox.configuration.probeLimits
        // Some lines for every font of a machine that looks through all of them.
        limits.errorBytesMax = 256 << 10
        let command = ToolCommand(
            .ffmpeg,
            ["-nostdin", "-hide_banner", "-nostats", "-loglevel", "info", "-f", "lavfi", "-i"]
                + ["color=size=64x64:duration=0.04", "-vf", "ass=filename=\(FilterText.escaped(script))\(fonts)"]
                + ["-f", "null", "-"],
            limits: limits, workingDirectory: Sandbox.folder(of: script))
        return CaptionFonts(said: try await toolbox.run(command).checked().errorTail)
    }

    /// Reads libass's lines: `fontselect: (Lato Black, 400, 0) -> /usr/.../Lato-Black.ttf, 0, Lato-Black` and
    /// `fontselect: failed to find any fallback with glyph 0x6F22 for font: (DejaVu Sans, 700, 0)`.
    package init(said: String) {
        families = []
        missing = []
        for line in said.split(whereSeparator: \.isNewline) {
            for typeface in Typeface.all where line.contains("fontselect: (\(typeface.family), ") {
                // The name of the face that was taken, without blanks, begins with the family's.
                let taken = line.split(separator: " ").last.map { SpokenText.foldedCore(String($0)) } ?? ""
                if taken.hasPrefix(SpokenText.foldedCore(typeface.family)) { families.insert(typeface.family) }
            }
            for writing in Writing.allCases {
                let glyph = String(writing.sample.value, radix: 16, uppercase: true)
                if line.contains("any fallback with glyph 0x\(glyph) ") { missing.insert(writing) }
            }
        }
    }

    init(families: Set<String>, missing: Set<Writing>) {
        self.families = families
        self.missing = missing
    }

    /// The same for the same fonts, in whatever order they were found.
    package var description: String {
        (families.sorted() + missing.map { "no " + $0.rawValue }.sorted()).joined(separator: ", ")
    }

    /// Families that styles ask for and that are not there, in order.
    package var familiesMissing: [String] { Typeface.all.map(\.family).filter { !families.contains($0) } }

    /// Whether a good part of the captions could not be read, because no font has it.
    package func lacks(_ captions: CaptionTrack) -> Bool {
        guard !missing.isEmpty else { return false }
        let letters = captions.words.flatMap(\.text.unicodeScalars).filter(\.properties.isAlphabetic)
        let lost = letters.filter { Writing($0).map(missing.contains) ?? false }
        return lost.count * 10 > letters.count
    }

    /// A script with a letter of every font and every writing.
    package static var question: String {
        let styles = Typeface.all.enumerated().map { index, typeface in
            "Style: S\(index),\(typeface.family),20,&H00FFFFFF,&H00FFFFFF,&H00000000,&H00000000,"
                + "\(typeface.isBold ? -1 : 0),0,0,0,100,100,0,0,1,0,0,2,0,0,0,1"
        }
        let latin = Typeface.all.indices.map { "Dialogue: 0,0:00:00.00,0:00:01.00,S\($0),,0,0,0,,A" }
        let samples = Writing.allCases.map { "Dialogue: 0,0:00:00.00,0:00:01.00,S0,,0,0,0,,\($0.sample)" }
        return """
            [Script Info]
            ScriptType: v4.00+
            PlayResX: 64
            PlayResY: 64

            [V4+ Styles]
            Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, \
            Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, \
            MarginR, MarginV, Encoding
            \(styles.joined(separator: "\n"))

            [Events]
            Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
            \((latin + samples).joined(separator: "\n"))

            """
    }
}
