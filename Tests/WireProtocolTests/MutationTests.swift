import Testing
import WireProtocol

/// Bytes that were right once, with a few of them changed: whatever comes in, nothing crashes, and nothing is held or
/// made that is larger than the limits. The same inputs in every run; `Tests/Fuzz` looks further.
@Suite struct MutationTests {
    /// Changes `bytes` in one to four places: a bit, a byte, a piece gone, doubled, or of another input.
    private func mutate(
        _ bytes: [UInt8], with others: [[UInt8]], _ random: inout SeededGenerator
    ) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            guard !bytes.isEmpty else { return others.randomElement(using: &random)! }
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let end = min(bytes.count, place + Int.random(in: 1...16, using: &random))
            switch Int.random(in: 0..<7, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 2: bytes[place] = [0, 1, 0x1F, 0x20, 0x7F, 0x80, 0xFF].randomElement(using: &random)!
            case 3: bytes.removeSubrange(place..<end)
            case 4: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 5: bytes.removeSubrange(place...)
            default:
                let other = others.randomElement(using: &random)!
                bytes.replaceSubrange(place..., with: other.dropFirst(min(place, other.count)))
            }
        }
        return bytes
    }

    private func forEachMutation(
        of seeds: [[UInt8]], count: Int, _ body: ([UInt8], inout SeededGenerator) throws -> Void
    ) rethrows {
        var random = SeededGenerator(seed: 0x5EED)
        for number in 0..<count {
            let input = mutate(seeds[number % seeds.count], with: seeds, &random)
            try body(input, &random)
        }
    }

    @Test func `frames`() throws {
        let frames = [
            Frame(.ping, payload: [0, 0, 0, 0, 0, 0, 0, 7]),
            Frame(.call, streamID: 9, payload: Samples.number(60)[...]),
            Frame(.streamData, flags: .end, streamID: 3, payload: [9]), Frame(.goAway, payload: [0, 1, 0, 0]),
        ]
        let seeds = try frames.map { try Samples.bytes(of: [$0]) } + [try Samples.bytes(of: frames)]
        var (taken, refused) = (0, 0)
        forEachMutation(of: seeds, count: 20_000) { input, random in
            var decoder = FrameDecoder(frameBytesMax: 4096, version: 1)
            var rest = input[...]
            do {
                while !rest.isEmpty {
                    let piece = Array(rest.prefix(Int.random(in: 1...40, using: &random)))
                    rest = rest.dropFirst(piece.count)
                    taken += try decoder.take(piece).count
                    #expect(decoder.heldBytes <= min(4096 + 4, input.count))
                }
            } catch {
                refused += 1
                #expect(decoder.heldBytes == 0)
            }
        }
        #expect(taken > 5000 && refused > 5000)
    }

    @Test func `handshakes`() throws {
        let local = Samples.identity("node-b")
        let hello = Samples.payload { Hello(Samples.identity("node-a"), lane: LaneNumber(.call)).append(to: &$0) }
        let other = Samples.identity("node-a", calls: CallList(["$sA", "$sB"]))
        let otherHello = Samples.payload { Hello(other, lane: LaneNumber(.bulk)).append(to: &$0) }
        let list = Samples.payload { other.calls.append(to: &$0) }
        let seeds = [
            try Samples.bytes(of: [Frame(.hello, payload: hello[...])]),
            try Samples.bytes(of: [Frame(.hello, payload: otherHello[...]), Frame(.callList, payload: list[...])]),
            GoAway(.otherCluster, "why").frame(),
        ]
        var verdicts: [String: Int] = [:]
        forEachMutation(of: seeds, count: 10_000) { input, _ in
            var handshake = Handshake(.accepter, local: local, certifiedNames: ["node-a"], now: .zero)
            var outbound: [UInt8] = []
            let progress = handshake.received(input, replyingInto: &outbound) { _ in nil }
            switch progress {
            case .waiting: verdicts["waiting", default: 0] += 1
            case .established(let session):
                verdicts["established", default: 0] += 1
                // A changed byte may change what the peer allows; never who it is.
                #expect(session.peer.name == "node-a")
            case .rejected:
                verdicts["rejected", default: 0] += 1
                #expect((try? HandshakeTests.goAway(in: outbound)) != nil)
            case .turnedAway: verdicts["turned away", default: 0] += 1
            }
            #expect(outbound.count < 4096)
        }
        #expect(verdicts.count == 4 && verdicts.values.allSatisfy { $0 > 50 }, "\(verdicts)")
    }

    @Test func `payloads`() throws {
        let header = CallHeader(
            target: .name("$s4main5AlphaC3oneyyFTE"), actor: [1, 2, 3], remainingMilliseconds: 5000, viewDigest: 7,
            trace: Samples.trace)
        var seeds = try [Samples.payload { try header.append(to: &$0) }]
        seeds += ReplyOutcomeTests.outcomes.map { outcome in Samples.payload { outcome.append(to: &$0) } }
        seeds.append(Samples.payload { StreamClose([.sending], StreamReset(.failed, "why")).append(to: &$0) })
        seeds.append(Samples.payload { Samples.calls.append(to: &$0) })
        var understood = 0
        forEachMutation(of: seeds, count: 20_000) { input, _ in
            if let (header, _) = try? CallHeader.parse(input[...]) {
                understood += 1
                #expect(header.actor.count <= CallHeader.actorBytesMax)
            }
            if (try? ReplyOutcome(parsing: input[...])) != nil { understood += 1 }
            if (try? StreamClose(parsing: input[...])) != nil { understood += 1 }
            if (try? CallList(parsing: input[...])) != nil { understood += 1 }
            if (try? GoAway(parsing: input[...])) != nil { understood += 1 }
        }
        #expect(understood > 1000)
    }

    /// What is understood is written back as something that means the same.
    @Test func `values`() throws {
        let seeds = [
            try WireEncoder().encode(Everything()),
            try WireEncoder().encode(Order(id: 1, name: "n", count: -5, isUrgent: true, payload: [1, 2, 3])),
            try WireEncoder().encode(["a": [1, 2, 3], "b": []]), try WireEncoder().encode([1.5, 2.5]),
            try WireEncoder().encode(Tree.node(left: .value(7), right: .leaf)),
            try WireEncoder().encode([Int?.none, 1]),
        ]
        var understood = 0
        func check<Value: Codable & Equatable>(_ type: Value.Type, _ input: [UInt8]) throws {
            guard let value = try? WireDecoder().decode(type, from: input) else { return }
            understood += 1
            let again = try WireDecoder().decode(type, from: WireEncoder().encode(value))
            // NaN is not equal to itself, anywhere in a value.
            #expect(again == value || "\(value)".contains("nan"))
        }
        try forEachMutation(of: seeds, count: 10_000) { input, _ in
            try check(Everything.self, input)
            try check(Order.self, input)
            try check([String: [Int]].self, input)
            try check([Double].self, input)
            try check(Tree.self, input)
            try check([Int?].self, input)
        }
        #expect(understood > 1000)
    }

    @Test func `streams`() throws {
        let frames: [(FrameKind, [UInt8])] = [
            (.streamOpen, [1, 7]), (.streamData, [1, 2, 3]), (.streamData, []), (.streamCredit, [0, 0, 1, 0]),
            (.streamClose, [3, 0, 0, 0, 0, 0]), (.streamClose, [1, 0, 0, 0, 9, 1, 0x41]),
        ]
        var random = SeededGenerator(seed: 7)
        var limits = WireLimits()
        limits.streamsMax = 4
        limits.streamWindowBytes = 64
        var ended = 0
        for _ in 0..<3000 {
            var table = StreamTable<Int>(isDialler: false, limits: limits, allowance: PeerAllowance(limits))
            _ = table.open(purpose: [])
            do {
                for step in 0..<40 {
                    let (kind, payload) = frames.randomElement(using: &random)!
                    let bytes =
                        Int.random(in: 0..<20, using: &random) == 0 ? mutate(payload, with: [[1]], &random) : payload
                    let id = UInt32.random(in: 1...8, using: &random) + (kind == .streamOpen ? UInt32(step) : 0)
                    let flags: FrameFlags = Int.random(in: 0..<8, using: &random) == 0 ? .end : []
                    let frame = Frame(kind, flags: kind == .streamData ? flags : [], streamID: id, payload: bytes[...])
                    if let opened = try table.received(frame).opened?.id, Bool.random(using: &random) {
                        _ = table.write([1, 2, 3], to: opened)
                        if Bool.random(using: &random) { _ = table.release(opened) }
                    }
                    #expect(table.count <= 5 && table.waitingFrames <= table.urgentMax + 6)
                    #expect(table.waitingBytes(id)?.inbound ?? 0 <= 64)
                    if Bool.random(using: &random) {
                        var bytes: [UInt8] = []
                        while try table.nextFrame(Samples.writer, into: &bytes).appended {}
                    }
                }
            } catch {
                ended += 1
            }
        }
        #expect(ended > 500)
    }
}
