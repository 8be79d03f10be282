import Store
import Synchronization
import Testing

@Suite struct MemoTests {
    /// Counts how often it decodes.
    private final class Decoder: Sendable {
        private let runs = Mutex(0)
        var count: Int { runs.withLock { $0 } }

        func length(_ text: String) -> Int {
            runs.withLock { $0 += 1 }
            return text.count
        }
    }

    @Test func `a text is decoded once, and for each type by itself`() {
        let (memo, decoder) = (Memo(), Decoder())
        for _ in 0..<3 { #expect(memo.value(of: "four") { decoder.length($0) } == 4) }
        #expect(decoder.count == 1)
        #expect(memo.value(of: "four") { Double(decoder.length($0)) / 2 } == 2)
        #expect(memo.value(of: "three") { decoder.length($0) } == 5)
        #expect(decoder.count == 3)
    }

    @Test func `two spellings of one letter are two texts`() {
        let memo = Memo()
        for text in ["\u{E9}", "e\u{301}", "\u{E9}"] {
            #expect(Array(memo.value(of: text) { $0 }.utf8) == Array(text.utf8))
        }
    }

    @Test func `what cannot be decoded is tried again`() throws {
        struct Unreadable: Error {}
        let memo = Memo()
        #expect(throws: Unreadable.self) {
            try memo.value(of: "x") { _ throws(Unreadable) -> Int in throw Unreadable() }
        }
        #expect(memo.value(of: "x") { _ in 7 } == 7)
    }

    @Test func `it holds no more text than it may, and nothing that is long`() {
        let (memo, decoder) = (Memo(bytesMax: 160), Decoder())
        func look(at number: Int) { _ = memo.value(of: "number \(100 + number)") { decoder.length($0) } }
        for number in 0..<16 { look(at: number) }
        for number in 0..<16 { look(at: number) }
        #expect(decoder.count == 16)
        // One more, and it begins anew.
        look(at: 16)
        look(at: 0)
        look(at: 16)
        #expect(decoder.count == 18)
        for _ in 0..<2 { _ = memo.value(of: "longer than a sixteenth") { decoder.length($0) } }
        #expect(decoder.count == 20)
    }
}
