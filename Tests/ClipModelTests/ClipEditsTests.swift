import ClipModel
import Testing

@Suite struct ClipEditsTests {
    private static func captions(_ count: Int) -> [ClipEdits.Caption] {
        (0..<count).map { .init(start: Double($0), end: Double($0) + 1, text: "a") }
    }

    private static func scenes(_ count: Int) -> [ClipEdits.Scene] {
        (0..<count).map { .init(start: Double($0), end: Double($0) + 1, layout: .fit) }
    }

    private static let wrong: [(String, ClipEdits)] = [
        (
            "edits.captions",
            ClipEdits(captions: captions(ClipEdits.captionsMax + 1))
        ),
        ("edits.captions[0].text", ClipEdits(captions: [.init(start: 0, end: 1, text: "")])),
        ("edits.captions[0].text", ClipEdits(captions: [.init(start: 0, end: 1, text: " \n ")])),
        ("edits.captions[0].text", ClipEdits(captions: [.init(start: 0, end: 1, text: "a\u{0}b")])),
        (
            "edits.captions[0].text",
            ClipEdits(captions: [.init(start: 0, end: 1, text: String(repeating: "a", count: 201))])
        ),
        ("edits.captions[0].start", ClipEdits(captions: [.init(start: -1, end: 1, text: "a")])),
        ("edits.captions[0].start", ClipEdits(captions: [.init(start: .nan, end: 1, text: "a")])),
        ("edits.captions[0].end", ClipEdits(captions: [.init(start: 2, end: 2, text: "a")])),
        (
            "edits.captions[1].start",
            ClipEdits(captions: [.init(start: 0, end: 2, text: "a"), .init(start: 1, end: 3, text: "b")])
        ),
        ("edits.scenes", ClipEdits(scenes: scenes(ClipEdits.scenesMax + 1))),
        ("edits.scenes[0].x", ClipEdits(scenes: [.init(start: 0, end: 1, layout: .crop, x: 1.5)])),
        ("edits.scenes[0].x", ClipEdits(scenes: [.init(start: 0, end: 1, layout: .fit, x: 0.5)])),
        ("edits.scenes[0].end", ClipEdits(scenes: [.init(start: 1, end: 0, layout: .fit)])),
    ]

    @Test(arguments: wrong.indices) func `an edit that cannot be made is named`(index: Int) {
        #expect(Self.wrong[index].1.problem?.field == Self.wrong[index].0)
    }

    @Test func `edits that can be made are taken`() {
        let edits = ClipEdits(
            captions: [.init(start: 0, end: 1.5, text: "¡Sí!"), .init(start: 1.5, end: 2, text: "Two\nlines")],
            scenes: [.init(start: 0, end: 1, layout: .crop, x: 0), .init(start: 1, end: 2, layout: .fit)])
        #expect(edits.problem == nil && ClipEdits().problem == nil && ClipEdits(captions: []).problem == nil)
    }

    @Test func `as many and as long as may be are taken`() {
        var captions = Self.captions(ClipEdits.captionsMax)
        captions[0].text = String(repeating: "a", count: ClipEdits.captionCharactersMax)
        #expect(ClipEdits(captions: captions, scenes: Self.scenes(ClipEdits.scenesMax)).problem == nil)
    }

    @Test func `what concerns the look of a clip is an option of a job`() {
        #expect(Set(JobOptions.looks).isSubset(of: JobOptions.CodingKeys.allCases))
        #expect(!JobOptions.looks.contains(.clipCount) && !JobOptions.looks.contains(.keywords))
    }
}
