import ClipModel
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"), (1_795_000_000_123, "2026-11-18T11:06:40.123Z"),
    ])
    func `known moments are written in RFC 3339 and read back`(milliseconds: Int64, text: String) {
        let moment = Timestamp(millisecondsSinceEpoch: milliseconds)
        #expect(moment.rawValue == text)
        #expect(Timestamp(text) == moment)
    }

    @Test func `every day of four centuries is read back as it was written`() {
        for day in stride(from: Int64(-60_000), through: 90_000, by: 1) {
            let moment = Timestamp(millisecondsSinceEpoch: day * 86_400_000 + 43_200_001)
            #expect(Timestamp(moment.rawValue) == moment)
        }
    }

    @Test(arguments: [
        "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "2026-01-01 00:00:00Z", "x",
        "2026-01-01T24:00:00Z",
    ])
    func `other text is refused`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `fractions may have any number of digits`() {
        #expect(Timestamp("2026-01-01T00:00:00.5Z")?.rawValue == "2026-01-01T00:00:00.500Z")
        #expect(Timestamp("2026-01-01T00:00:00.123456Z")?.rawValue == "2026-01-01T00:00:00.123Z")
    }
}
