import ClipModel
import Testing

@Suite struct ClientKeyTests {
    @Test(arguments: ["a", "acme", "acme.staging_2-eu", "0", String(repeating: "a", count: 64)])
    func `a client's name is its tenant with a prefix`(name: String) {
        #expect(ClientName(name)?.tenant == "key:" + name)
    }

    @Test(arguments: ["", "Acme", "a b", "a/b", "a:b", "ñ", "a\n", "a\0", String(repeating: "a", count: 65)])
    func `what could be taken for something else is no client's name`(name: String) { #expect(ClientName(name) == nil) }

    @Test func `names of keys are read back, differ, and look like nothing else`() {
        var random = IdentifierTests.Generator(state: 3)
        let ids = (0..<500).map { _ in KeyID(using: &random) }
        #expect(Set(ids).count == ids.count)
        for id in ids { #expect(KeyID(id.rawValue) == id) }
        let others = [
            "", "k_", "k_00000000000", "k_0000000000000", "k_00000000000-", "K_000000000000", "k_0000000000é",
        ]
        for text in others { #expect(KeyID(text) == nil, "\(text)") }
    }

    @Test func `numbers in base 62 have as many digits as asked for, and the largest fits into six`() {
        #expect(Base62.digits(of: 0, count: 6) == "000000")
        #expect(Base62.digits(of: 61, count: 6) == "00000z")
        #expect(Base62.digits(of: 62, count: 6) == "000010")
        #expect(Base62.digits(of: .max, count: 6) == "4gfFC3")
    }
}
