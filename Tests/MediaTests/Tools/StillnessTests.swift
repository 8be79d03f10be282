import Media
import Testing

@Suite struct StillnessTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// What is seen at the start, and then at every look.
        let looks: [ToolSigns]
        /// At which look it has been still for too long, counted from the start; nil: at none of these.
        let endsAt: Int?

        init(_ description: String, _ looks: [ToolSigns], endsAt: Int?) {
            testDescription = description
            self.looks = looks
            self.endsAt = endsAt
        }
    }

    private static let still = ToolSigns(chunksRead: 3, cpuSeconds: 1, bytesRead: 100)
    private static let spoke = ToolSigns(chunksRead: 4, cpuSeconds: 1, bytesRead: 100)
    private static let busy = ToolSigns(chunksRead: 3, isReaderBusy: true, cpuSeconds: 1, bytesRead: 100)
    private static let gone = ToolSigns(chunksRead: 3)
    private static let uncounted = ToolSigns(chunksRead: 3, cpuSeconds: 1)

    private static func repeated(_ count: Int, _ signs: ToolSigns) -> [ToolSigns] {
        Array(repeating: signs, count: count)
    }

    /// Nine looks, each with a little more of something than the one before.
    private static func moving(_ change: (inout ToolSigns, Int) -> Void) -> [ToolSigns] {
        (0..<9).map { number in
            var signs = still
            change(&signs, number)
            return signs
        }
    }

    static let rows: [Row] = [
        Row("nothing moves", repeated(5, still), endsAt: 4),
        Row("nothing moves, for less than the limit", repeated(4, still), endsAt: nil),
        Row("nothing moves that the kernel counts", repeated(5, uncounted), endsAt: 4),
        Row("it computes", moving { $0.cpuSeconds = 1 + Double($1) / 1_000_000 }, endsAt: nil),
        Row("it reads", moving { $0.bytesRead = Int64($1) }, endsAt: nil),
        Row("it speaks", moving { $0.chunksRead = $1 }, endsAt: nil),
        Row("its reader works", repeated(9, busy), endsAt: nil),
        Row("its reader worked, and is done", repeated(2, busy) + repeated(5, still), endsAt: 6),
        Row("it spoke just in time, and never again", repeated(4, still) + repeated(5, spoke), endsAt: 8),
        Row("it cannot be looked at", repeated(9, gone), endsAt: nil),
        Row("it could not be looked at for a moment", repeated(4, still) + [gone] + repeated(5, still), endsAt: 9),
    ]

    @Test(arguments: rows) func `it is still for too long when nothing moved for the limit`(row: Row) throws {
        var stillness = Stillness(limitSeconds: 120, first: try #require(row.looks.first))
        var endsAt: Int?
        for (number, signs) in row.looks.enumerated().dropFirst() where endsAt == nil {
            if stillness.saw(signs, afterSeconds: stillness.secondsBetweenLooks) { endsAt = number }
        }
        #expect(endsAt == row.endsAt)
    }

    @Test func `time between looks is what counts`() {
        var stillness = Stillness(limitSeconds: 10, first: Self.still)
        #expect(stillness.secondsBetweenLooks == 2.5)
        let answers = [9.0, 1.0].map { stillness.saw(Self.still, afterSeconds: $0) }
        #expect(answers == [false, true])
    }
}
