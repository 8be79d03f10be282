import ClipModel
import Foundation
import Media
import Testing

/// Words with even times, and what came of them read back.
enum CaptionSamples {
    /// One word after the other; a full stop is followed by 0.6 s of silence, a comma by 0.2 s.
    static func words(_ text: String, from start: Double = 0.3) -> [Word] {
        var time = start
        return text.split(separator: " ").map { (piece: Substring) -> Word in
            let length: Double = 0.12 + 0.045 * Double(piece.count)
            let word = Word(text: String(piece), start: time, end: time + length, probability: 1)
            time += length + (piece.last == "." ? 0.6 : piece.last == "," ? 0.2 : 0.02)
            return word
        }
    }

    static func track(_ text: String) -> CaptionTrack {
        let words = words(text)
        return CaptionTrack(words: words, clip: TimeRange(start: 0, end: words[words.count - 1].end + 0.5))
    }

    static let spanish =
        "¿Sabías que el 50 % de los niños, según la investigación más reciente, nunca aprendió a nadar? "
        + "Imagínate: un otorrinolaringólogo explica por qué. Y no es 3.5 veces más, es mucho peor."
    static let marks = "It's \"great\" & <fun> {really} C:\\Nfoo 1 --> 2 \\h done."
    static let arabic = "مرحبا بكم في هذا الدرس الجديد عن الذكاء الاصطناعي، هل أنتم مستعدون؟"
    static let chinese = "大家好 ， 今天 我们 来 聊一聊 人工智能 的 未来 发展 。"
}

/// A file under `Golden`, compared byte by byte; `GOLDEN=rewrite` in the environment writes it anew.
func expectGolden(_ text: String, _ name: String, source: String = #filePath) throws {
    let file = URL(fileURLWithPath: source).deletingLastPathComponent().appendingPathComponent("Golden/\(name)")
    if ProcessInfo.processInfo.environment["GOLDEN"] == "rewrite" {
        try Data(text.utf8).write(to: file)
        return
    }
    let golden = try String(contentsOf: file, encoding: .utf8)
    #expect(text == golden, "\(name) changed; run with GOLDEN=rewrite and explain the difference")
}

/// What a player would see of a script or a subtitle file.
struct ShownCaption: Hashable {
    var start: Double
    var end: Double
    var lines: [String]
    var size: Double?

    /// The caption events of an ASS script, without override blocks.
    static func inScript(_ script: String, style: String = "Caption") -> [ShownCaption] {
        script.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("Dialogue: ") else { return nil }
            let fields = line.split(separator: ",", maxSplits: 9, omittingEmptySubsequences: false)
            guard fields[3] == style else { return nil }
            var text = String(fields[9])
            let size = text.firstMatch(of: /\\fs([0-9.]+)/).flatMap { Double($0.output.1) }
            text.replace(/\{\\[^}]*\}/, with: "")
            let lines = text.components(separatedBy: "\\N").map { $0.replacing("\u{2060}", with: "") }
            return ShownCaption(start: clock(fields[1]), end: clock(fields[2]), lines: lines, size: size)
        }
    }

    /// The cues of an SRT or WebVTT file.
    static func inFile(_ file: String) -> [ShownCaption] {
        file.components(separatedBy: "\n\n").compactMap { block in
            let lines = block.split(separator: "\n").map(String.init)
            guard let times = lines.firstIndex(where: { $0.contains(" --> ") }) else { return nil }
            let parts = lines[times].components(separatedBy: " --> ")
            return ShownCaption(
                start: clock(parts[0][...]), end: clock(parts[1][...]), lines: Array(lines[(times + 1)...]))
        }
    }

    private static func clock(_ text: Substring) -> Double {
        text.replacing(",", with: ".").split(separator: ":").reduce(0) { $0 * 60 + (Double($1) ?? .nan) }
    }
}
