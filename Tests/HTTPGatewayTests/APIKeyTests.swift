import HTTPGateway
import Testing

@Suite struct APIKeyTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            // Knuth's MMIX; the high half is the better one.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 32 | state << 32
        }
    }

    @Test func `a key is read back as it was made, and none is made twice`() {
        var random = Generator(state: 1)
        let keys = (0..<500).map { _ in APIKey.make(using: &random) }
        #expect(Set(keys.map(\.text)).count == keys.count && Set(keys.map(\.sha256)).count == keys.count)
        for key in keys {
            #expect(key.text.utf8.count == APIKey.charactersMax)
            #expect(APIKey(key.text) == key)
        }
    }

    /// Made by zlib's crc32: what is handed out today must be a key with every later release.
    @Test(arguments: [
        "tj_00000000000000000000000000000000000000000004IcX4o", "tj_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg11iMBx",
    ])
    func `the checksum is CRC-32 in base 62`(text: String) { #expect(APIKey(text) != nil) }

    @Test func `the digest is SHA-256 of the whole text`() throws {
        let key = try #require(APIKey("tj_00000000000000000000000000000000000000000004IcX4o"))
        #expect(key.sha256 == "4249b7f618ea4fe341ed5c34c5a8a20ebc7e1ab1626c6f91cb60648925212871")
    }

    @Test func `a key with any one character changed is none`() {
        var random = Generator(state: 2)
        let text = Array(APIKey.make(using: &random).text)
        for place in text.indices {
            for other in "09AZaz_- " where other != text[place] {
                var changed = text
                changed[place] = other
                #expect(APIKey(String(changed)) == nil, "\(place) \(other)")
            }
        }
        for place in text.indices.dropLast() where text[place] != text[place + 1] {
            var swapped = text
            swapped.swapAt(place, place + 1)
            #expect(APIKey(String(swapped)) == nil, "\(place) and the next")
        }
    }

    @Test func `what is too short, too long or of another alphabet is none`() {
        var random = Generator(state: 3)
        let text = APIKey.make(using: &random).text
        let others = [
            "", "tj_", "secret", String(text.dropLast()), text + "0", " " + text, text + "\n", text.lowercased(),
            String(text.dropLast(2)) + "é", text + ", " + text, String(repeating: "é", count: 26),
            String(repeating: "a", count: 1 << 20),
        ]
        for other in others where other != text { #expect(APIKey(other) == nil, "\(other.prefix(60))") }
    }

    @Test func `a key that ends in a message says nothing`() {
        var random = Generator(state: 4)
        let key = APIKey.make(using: &random)
        #expect("\(key)" == "tj_...")
    }
}
