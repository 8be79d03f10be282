import Testing
import WireProtocol

@Suite struct HelloTests {
    private let hello = Hello(Samples.identity(), lane: LaneNumber(.bulk, number: 3))

    private var fields: [(tag: UInt8, value: [UInt8])] {
        let bytes = Samples.payload { hello.append(to: &$0) }
        var fields: [(UInt8, [UInt8])] = []
        var rest = bytes.dropFirst(4)
        while !rest.isEmpty {
            let start = rest.startIndex
            let length = Int(rest[start + 1]) << 8 | Int(rest[start + 2])
            fields.append((rest[start], Array(rest[(start + 3)..<(start + 3 + length)])))
            rest = rest[(start + 3 + length)...]
        }
        return fields
    }

    private func bytes(_ fields: [(tag: UInt8, value: [UInt8])]) -> [UInt8] {
        Hello.magic
            + fields.flatMap {
                [$0.tag, UInt8($0.value.count >> 8), UInt8($0.value.count & 0xFF)] + $0.value
            }
    }

    private func parse(replacing tag: UInt8, with value: [UInt8]) -> WireError? {
        let changed = fields.map { $0.tag == tag ? (tag, value) : $0 }
        return wireError { _ = try Hello(parsing: bytes(changed)[...]) }
    }

    @Test func `a hello comes back as it was written`() throws {
        let bytes = Samples.payload { hello.append(to: &$0) }
        #expect(try Hello(parsing: bytes[...]) == hello)
        #expect(fields.map(\.tag) == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(self.bytes(fields) == bytes)
    }

    @Test func `a hello without a release is a hello`() throws {
        let parsed = try Hello(parsing: bytes(Array(fields.dropLast()))[...])
        #expect(parsed.release.isEmpty)
    }

    @Test(arguments: UInt8(1)...8)
    func `a hello without one of its fields is refused`(tag: UInt8) {
        let error = wireError { _ = try Hello(parsing: bytes(fields.filter { $0.tag != tag })[...]) }
        #expect(error?.code == .malformed)
    }

    @Test func `a hello that is cut anywhere is refused`() {
        let whole = Samples.payload { hello.append(to: &$0) }
        let complete = whole.count - 3 - fields.last!.value.count
        for end in 0..<whole.count where end != complete {
            #expect(wireError { _ = try Hello(parsing: whole[..<end]) } != nil, "cut at \(end)")
        }
    }

    @Test func `fields of a newer release are skipped, or refused where they must be understood`() throws {
        #expect(try Hello(parsing: bytes(fields + [(10, [1, 2]), (127, [])])[...]) == hello)
        let error = wireError { _ = try Hello(parsing: bytes(fields + [(128, [])])[...]) }
        #expect(error == WireError(.unknownKind, "field 128, which must be understood"))
    }

    @Test func `fields that come twice or out of order are refused`() {
        #expect(wireError { _ = try Hello(parsing: bytes(fields + [fields[8]])[...]) }?.code == .malformed)
        var swapped = fields
        swapped.swapAt(2, 3)
        #expect(wireError { _ = try Hello(parsing: bytes(swapped)[...]) }?.code == .malformed)
    }

    @Test func `another magic is refused`() {
        #expect(wireError { _ = try Hello(parsing: Array("TJRB".utf8)[...]) }?.code == .malformed)
        #expect(wireError { _ = try Hello(parsing: []) }?.code == .malformed)
    }

    @Test func `values outside their ranges are refused`() {
        let allowed: [UInt8] = [0, 0, 0x40, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]
        #expect(parse(replacing: 8, with: allowed) == nil)
        // Frame limit below 16 KiB, or over 2 GiB; no calls; no window, or over 2 GiB.
        for (index, value) in [(2, 0x3F), (0, 0x80), (7, 0), (15, 0), (12, 0x80)] as [(Int, UInt8)] {
            var wrong = allowed
            wrong[index] = value
            #expect(parse(replacing: 8, with: wrong)?.code == .malformed, "byte \(index)")
        }
        for (tag, values) in [
            (1, [[], [1], [0, 1], [2, 1], [1, 1, 1]]),
            (2, [[], [UInt8](repeating: 97, count: 65), [0x20], [0xFF], [0x0A]]),
            (3, [[], [UInt8](repeating: 97, count: 64), Array("Node".utf8), Array("a.b".utf8), [0xC3, 0xB1]]),
            (4, [[0, 1], [UInt8](repeating: 0, count: 9)]), (5, [[1], [0, 0], [4, 0], [1, 0, 0]]),
            (6, [[UInt8](repeating: 0, count: 15)]), (7, [[], [UInt8](repeating: 97, count: 33), [9]]),
            (8, [[UInt8](repeating: 1, count: 15), [UInt8](repeating: 1, count: 65)]),
            (9, [[UInt8](repeating: 97, count: 65), [0x1B], [0xFF]]),
        ] as [(UInt8, [[UInt8]])] {
            for value in values { #expect(parse(replacing: tag, with: value) != nil, "\(tag): \(value)") }
        }
    }

    @Test func `limits that a newer release adds are skipped`() throws {
        let longer = fields.map { $0.tag == 8 ? ($0.tag, $0.value + [1, 2, 3]) : $0 }
        #expect(try Hello(parsing: bytes(longer)[...]) == hello)
    }

    @Test func `a peer that allows more calls than there are numbers is cut down to that`() throws {
        let many = fields.map {
            $0.tag == 8 ? (UInt8(8), [0, 0, 0x40, 0, 0xFF, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]) : $0
        }
        #expect(try Hello(parsing: bytes(many)[...]).allowance.callsInFlightMax == 65_536)
    }
}

@Suite struct GoAwayTests {
    @Test(arguments: GoAway.Code.allCases)
    func `a goaway comes back as it was written`(code: GoAway.Code) throws {
        let goAway = GoAway(code, "why: and what to do")
        #expect(try GoAway(parsing: Samples.payload { goAway.append(to: &$0) }[...]) == goAway)
        #expect(try HandshakeTests.goAway(in: goAway.frame()) == goAway)
    }

    @Test func `a code of a newer release is unknown, and what follows the text is skipped`() throws {
        let goAway = try GoAway(parsing: [0x30, 0x39, 0, 2, 0x68, 0x69, 1, 2, 3])
        #expect(goAway == GoAway(.unknown, "hi"))
        #expect(goAway.mayBeTemporary)
    }

    @Test func `text of a stranger is made fit for a log line`() throws {
        let goAway = try GoAway(parsing: [0, 1, 0, 5, 0x41, 0x0A, 0x1B, 0xFF, 0x42])
        #expect(goAway.text.first == "A")
        #expect(goAway.text.last == "B")
        #expect(goAway.text.utf8.allSatisfy { (0x20...0x7E).contains($0) })
    }

    @Test func `text is cut when written and refused when too long`() {
        let long = String(repeating: "x", count: 600)
        #expect(GoAway(.denied, long).text.utf8.count == 512)
        #expect(
            wireError { _ = try GoAway(parsing: [0, 1, 2, 1] + [UInt8](repeating: 97, count: 513)) }?.code == .malformed
        )
        #expect(wireError { _ = try GoAway(parsing: [0, 1, 0, 3, 97]) }?.code == .malformed)
        #expect(wireError { _ = try GoAway(parsing: [0]) }?.code == .malformed)
    }
}

@Suite struct CallListTests {
    @Test func `order and repetitions do not matter`() {
        let list = CallList(["b", "a", "b", "c"])
        #expect(list.names == ["a", "b", "c"])
        #expect(list == CallList(["c", "b", "a"]))
        #expect(list.digest != CallList(["a", "b"]).digest)
        #expect(CallList(["ab", "c"]).digest != CallList(["a", "bc"]).digest)
    }

    @Test func `a list comes back as it was written`() throws {
        for list in [Samples.calls, CallList([]), CallList((0..<500).map { "$s\($0)" })] {
            #expect(try CallList(parsing: Samples.payload { list.append(to: &$0) }[...]) == list)
        }
    }

    @Test func `the digest is FNV-1a of 128 bits, over the list as it is written`() {
        // Computed by another program from http://www.isthe.com/chongo/tech/comp/fnv/
        #expect(CallList([]).digest == 0xd228_cb69_101a_8caf_7891_2b70_4e4a_147f)
        #expect(CallList(["a"]).digest == 0xa68b_af0a_968b_5822_836d_bc78_c566_5be2)
    }

    @Test func `lists that are not as they should be are refused`() {
        let wrong: [[UInt8]] = [
            [], [1], [2, 1, 98, 1, 97], [2, 1, 97, 1, 97], [1, 0], [1, 1, 0x20], [1, 1, 0xFF], [1, 2, 97],
            [1, 1, 97, 0],
            [0xFF, 0xFF, 0x03, 1, 97], [3, 1, 97],
        ]
        for bytes in wrong {
            #expect(wireError { _ = try CallList(parsing: bytes[...]) }?.code == .malformed, "\(bytes)")
        }
    }

    @Test func `more names than allowed are refused before room is made for them`() {
        let bytes = [0x81, 0x20] + [UInt8](repeating: 0, count: 10_000)
        #expect(
            wireError { _ = try CallList(parsing: bytes[...]) }
                == WireError(.malformed, "a list of 4097 call targets in 10002 bytes"))
    }

    @Test func `a name in full is allowed when it is on the list`() {
        let calls = NegotiatedCalls(same: Samples.calls)
        for (number, name) in Samples.calls.names.enumerated() {
            #expect(calls.name(.name(name)) == name)
            #expect(calls.name(.number(UInt32(number))) == name)
        }
        #expect(calls.name(.name("$s4main5GammaC")) == nil)
        #expect(calls.name(.name("")) == nil)
        #expect(calls.name(.number(3)) == nil)
        #expect(calls.name(.number(.max)) == nil)
        #expect(calls.target(3) == nil)
    }
}
