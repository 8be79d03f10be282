import Limits
import Membership
import Testing
import WireProtocol

@Suite struct LimitWireTests {
    private let reply = CheckReply(answers: [
        .decided(ItemDecision(admitted: 3, remaining: 2, retryAfter: 0, resetAfter: 5)),
        .elsewhere(owner: member("there")), .elsewhere(owner: nil), .unknownPolicy, .invalid,
        .decided(ItemDecision(admitted: 0, remaining: 0, retryAfter: nil, resetAfter: .max)),
        .decided(
            ItemDecision(
                admitted: 9, remaining: 1, retryAfter: 7, resetAfter: 8,
                slice: LentSlice(number: .max, units: 40, lease: 500 * millisecond))),
    ])

    @Test func `a batch and its reply arrive as they left`() throws {
        let batch = CheckBatch(
            sender: member("here"), policies: ["api", "mail"],
            items: [
                CheckBatch.Item(policy: 0, subject: "a", quantity: 1, count: 500, wish: 2000),
                CheckBatch.Item(policy: 1, subject: "é", quantity: .max, count: 0, wish: 0),
            ], returns: [CheckBatch.Return(policy: 1, subject: "b", number: .max, unspent: 3)])
        #expect(try WireDecoder().decode(CheckBatch.self, from: WireEncoder().encode(batch)[...]) == batch)
        #expect(try WireDecoder().decode(CheckReply.self, from: WireEncoder().encode(reply)[...]) == reply)
        let empty = CheckBatch(sender: member("here"), policies: [], items: [], returns: [])
        #expect(try WireDecoder().decode(CheckBatch.self, from: WireEncoder().encode(empty)[...]) == empty)
    }

    @Test func `the largest batch is far below a frame`() throws {
        let subject = String(repeating: "x", count: LimitKey.subjectBytesMax)
        let items = (0..<LimiterConfiguration().itemsPerCallMax).map { _ in
            CheckBatch.Item(policy: 0, subject: subject, quantity: 1, count: 1, wish: 0)
        }
        let batch = CheckBatch(sender: member("here"), policies: ["api"], items: items, returns: [])
        #expect(try WireEncoder().encode(batch).count < WireLimits().frameBytesMax / 4)
        let buckets = (0..<LimiterConfiguration().handoverKeysMax).map { _ in
            Handover.Bucket(policy: String(repeating: "p", count: 63), subject: subject, debt: .max, lentUnits: 1)
        }
        let handover = Handover(sender: member("here"), placementDigest: 1, buckets: buckets, isComplete: false)
        #expect(try WireEncoder().encode(handover).count < WireLimits().frameBytesMax / 2)
    }

    @Test func `columns of different lengths are refused`() throws {
        struct Crooked: Codable {
            var sender = "here"
            var policies = ["api"]
            var policy = [0, 0], subject = ["a"], quantity = [1, 1], count = [1, 1], wish = [0, 0]
            var backPolicy: [Int] = [], backSubject: [String] = [], backNumber: [UInt64] = [], backUnspent: [Int] = []
        }
        let bytes = try WireEncoder().encode(Crooked())
        #expect(throws: (any Error).self) { try WireDecoder().decode(CheckBatch.self, from: bytes[...]) }
        var straight = Crooked()
        straight.subject = ["a", "b"]
        #expect(try WireDecoder().decode(CheckBatch.self, from: WireEncoder().encode(straight)[...]).items.count == 2)
    }

    @Test func `a kind of answer that a later release adds is read as one that fails its check`() throws {
        struct Later: Codable {
            var kind = [99, 0], admitted = [1, 1], remaining = [0, 0]
            var retryAfter: [Int64] = [0, 0], resetAfter: [Int64] = [0, 0]
            var slicePlace = [0, 7], sliceNumber: [UInt64] = [1, 1], sliceUnits = [1, 1], sliceLease: [Int64] = [1, 1]
            var ownerPlace = [-1], owner = ["there"]
        }
        let read = try WireDecoder().decode(CheckReply.self, from: WireEncoder().encode(Later())[...])
        let decided = ItemDecision(admitted: 1, remaining: 0, retryAfter: 0, resetAfter: 0)
        #expect(read.answers == [.invalid, .decided(decided)])
    }
}
