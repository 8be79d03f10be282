import Blobs
import ClipModel
import HTTPGateway
import Store
import TestSupport
import Testing

/// Lists of ranges: what is read, what is joined, and what is not worth an answer in parts.
struct MultiRangeTests {
    @Test(
        arguments: [
            ("bytes=0-99,200-299", .parts([0..<100, 200..<300])),
            ("bytes=200-299,0-99", .parts([200..<300, 0..<100])),
            (" bytes = 0-99 , 200-299 ", .parts([0..<100, 200..<300])),
            ("bytes=,0-99,,200-299,", .parts([0..<100, 200..<300])),
            ("bytes=0-99,-100", .parts([0..<100, 900..<1000])),
            ("bytes=0-99,900-", .parts([0..<100, 900..<1000])),
            // Joined: what overlaps, touches, repeats, or lies less apart than the head of a part is long.
            ("bytes=0-99,50-149", .part(0..<150)), ("bytes=0-99,100-199", .part(0..<200)),
            ("bytes=0-99,0-99", .part(0..<100)), ("bytes=0-99,179-199", .part(0..<200)),
            ("bytes=0-99,180-199", .parts([0..<100, 180..<200])),
            ("bytes=500-599,0-9,550-699", .parts([500..<700, 0..<10])),
            ("bytes=900-999,0-9,950-,500-599,5-19", .parts([900..<1000, 0..<20, 500..<600])),
            // The one in the middle joins the other two.
            ("bytes=0-99,200-299,100-199", .part(0..<300)),
            // What is not there is left out.
            ("bytes=0-99,1000-", .part(0..<100)), ("bytes=5000-6000,200-299,-0", .part(200..<300)),
            ("bytes=0-99,1000-,200-299", .parts([0..<100, 200..<300])),
            ("bytes=1000-,2000-3000", .unsatisfiable), ("bytes=-0,1000-", .unsatisfiable),
            // One that cannot be read makes the whole header void.
            ("bytes=0-99,5-4", .whole), ("bytes=0-99,x", .whole), ("bytes=0-99;200-299", .whole), ("bytes=,", .whole),
            ("bytes=0-99,bytes=200-299", .whole), ("bytes=0-99,1-2-3", .whole), ("bytes=1000-,-", .whole),
        ] as [(String, ByteRange)])
    func `a list of ranges of a thousand bytes resolves`(header: String, range: ByteRange) {
        #expect(ByteRange(header: header, size: 1000) == range)
    }

    private static func apart(_ count: Int) -> String {
        "bytes=" + (0..<count).map { "\($0 * 1000)-\($0 * 1000)" }.joined(separator: ",")
    }

    @Test func `sixteen parts are answered, one more gets the whole`() {
        let sixteen: [Range<Int64>] = (0..<16).map { ($0 * 1000)..<($0 * 1000 + 1) }
        #expect(ByteRange(header: Self.apart(16), size: 1 << 20) == .parts(sixteen))
        #expect(ByteRange(header: Self.apart(17), size: 1 << 20) == .whole)
        // Counted after joining, and without what is not there.
        #expect(ByteRange(header: Self.apart(17) + ",0-1000", size: 1 << 20) != .whole)
        #expect(ByteRange(header: Self.apart(17), size: 1001) == .parts([0..<1, 1000..<1001]))
        #expect(ByteRange(header: Self.apart(900).replacing("=0-0", with: "=1000-"), size: 500) == .unsatisfiable)
    }

    @Test func `a list that nobody means is not looked at`() {
        let many = { (count: Int) in "bytes=" + Array(repeating: "0-0", count: count).joined(separator: ",") }
        #expect(ByteRange(header: many(ByteRange.askedMax), size: 10) == .part(0..<1))
        #expect(ByteRange(header: many(ByteRange.askedMax + 1), size: 10) == .whole)
    }

    @Test(arguments: 0..<400 as Range<UInt64>)
    func `whatever is asked for is answered, in order, and hardly more`(seed: UInt64) throws {
        var chance = Draws(seed)
        let size = Int64.random(in: 1...4000, using: &chance)
        var texts: [String] = []
        var wanted: [Range<Int64>] = []
        for _ in 0..<Int.random(in: 1...24, using: &chance) {
            let start = Int64.random(in: 0...(size * 5 / 4), using: &chance)
            let count = Int64.random(in: 1...max(1, size / 8), using: &chance)
            switch Int.random(in: 0..<8, using: &chance) {
            case 0:
                texts.append("-\(count)")
                wanted.append(max(0, size - count)..<size)
            case 1:
                texts.append("\(start)-")
                wanted.append(min(start, size)..<size)
            default:
                texts.append("\(start)-\(start + count - 1)")
                wanted.append(min(start, size)..<min(start + count, size))
            }
        }
        wanted.removeAll(where: \.isEmpty)
        let answer = ByteRange(header: "bytes=" + texts.joined(separator: ","), size: size)
        var asked = Set<Int64>()
        for range in wanted { asked.formUnion(range) }
        let parts: [Range<Int64>]
        switch answer {
        case .unsatisfiable:
            #expect(wanted.isEmpty)
            return
        case .whole:
            // Only ever because of their number: islands of what was asked for, with wide water between.
            let islands = asked.sorted().reduce(into: (count: 0, last: -1000 as Int64)) { state, byte in
                if byte - state.last > ByteRange.gapBytesMin { state.count += 1 }
                state.last = byte
            }
            #expect(islands.count > ByteRange.partsMax)
            return
        case .part(let range): parts = [range]
        case .parts(let ranges): parts = ranges
        }
        #expect(answer == .part(parts[0]) || (2...ByteRange.partsMax).contains(parts.count))
        var given = Set<Int64>()
        for part in parts {
            #expect(!part.isEmpty && part.lowerBound >= 0 && part.upperBound <= size)
            #expect(given.isDisjoint(with: part))
            given.formUnion(part)
            // A part begins and ends with what somebody asked for.
            #expect(asked.contains(part.lowerBound) && asked.contains(part.upperBound - 1))
        }
        #expect(asked.isSubset(of: given))
        let ascending = parts.sorted { $0.lowerBound < $1.lowerBound }
        for (one, next) in zip(ascending, ascending.dropFirst()) {
            #expect(next.lowerBound - one.upperBound >= ByteRange.gapBytesMin)
        }
        // Each part stands where the first range that it answers stood.
        let places = try parts.map { part in try #require(wanted.firstIndex { part.contains($0.lowerBound) }) }
        #expect(places == places.sorted())
        // What nobody asked for is never more than a gap at a time.
        for byte in given.subtracting(asked) {
            let reach = (byte - ByteRange.gapBytesMin + 1)...byte
            #expect(!asked.isDisjoint(with: reach))
        }
    }

    @Test func `a boundary is drawn anew and may stand in a header`() {
        var chance = Draws(7)
        let drawn = (0..<100).map { _ in ByteRangeParts.boundary(using: &chance) }
        #expect(Set(drawn).count == 100)
        for boundary in drawn {
            #expect(
                boundary.count == 37 && boundary.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
        }
    }

    @Test func `the head of a part is never shorter than the gap that it would save`() {
        let parts = ByteRangeParts(
            [0..<1, 5..<6], of: 9, type: "video/mp4", boundary: String(repeating: "b", count: 37))
        #expect(Int64(parts.head(of: 1).utf8.count) >= ByteRange.gapBytesMin)
    }
}

/// Answers in parts, as they come over the wire.
@Suite(.timeLimit(.minutes(5))) struct MultiRangeRouteTests {
    private static let bytes = 3_000_000
    /// Long enough for many blocks, and no byte tells its place by itself.
    private let video = (0..<bytes).map { UInt8(truncatingIfNeeded: ($0 &* 31) ^ ($0 >> 9)) }

    private func open(_ body: @Sendable (Door, _ path: String) async throws -> Void) async throws {
        try await Door.open { door in
            let id = try await door.finishedJob(videos: [video])
            try await body(door, "/api/clips/\(ClipID(job: id, ordinal: 0))")
        }
    }

    private struct Part {
        let fields: [String: String]
        let body: [UInt8]
    }

    /// Takes an answer apart as a client does: by its boundary.
    private static func parts(of reply: RawClient.Reply) throws -> [Part] {
        let type = try #require(reply.headers["content-type"])
        let prefix = "multipart/byteranges; boundary="
        try #require(type.hasPrefix(prefix))
        let line = Array("\r\n--\(type.dropFirst(prefix.count))".utf8)
        let body = [13, 10] + reply.body
        var starts: [Int] = []
        var index = 0
        while index + line.count <= body.count {
            if body[index] == line[0], body[index..<index + line.count].elementsEqual(line) {
                starts.append(index)
                index += line.count
            } else {
                index += 1
            }
        }
        let end = try #require(starts.last)
        #expect(body[(end + line.count)...].elementsEqual(Array("--\r\n".utf8)))
        return try zip(starts, starts.dropFirst()).map { start, next in
            let part = Array(body[(start + line.count + 2)..<next])
            let blank = Array("\r\n\r\n".utf8)
            let gap = try #require(part.indices.first { part[$0...].starts(with: blank) })
            var fields: [String: String] = [:]
            for field in String(decoding: part[..<gap], as: UTF8.self).split(separator: "\r\n") {
                let halves = field.split(separator: ": ", maxSplits: 1)
                fields[halves[0].lowercased()] = String(halves[1])
            }
            return Part(fields: fields, body: Array(part[(gap + 4)...]))
        }
    }

    @Test func `several ranges come in one answer, each with its own bytes`() async throws {
        let video = video
        try await open { door, path in
            let last = Self.bytes - 1
            let reply = try await door.client.send(
                "GET", path + "/download", headers: [("Range", "bytes=1000000-2499999,0-99,-1, 200-299")])
            #expect(reply.status == 206)
            #expect(reply.headers["content-length"] == "\(reply.body.count)")
            #expect(reply.headers["transfer-encoding"] == nil && reply.headers["content-range"] == nil)
            #expect(reply.headers["etag"] != nil && reply.headers["accept-ranges"] == "bytes")
            let parts = try Self.parts(of: reply)
            #expect(
                parts.map { $0.fields["content-range"] } == [
                    "bytes 1000000-2499999/\(Self.bytes)", "bytes 0-99/\(Self.bytes)",
                    "bytes \(last)-\(last)/\(Self.bytes)", "bytes 200-299/\(Self.bytes)",
                ])
            #expect(parts.allSatisfy { $0.fields["content-type"] == "video/mp4" && $0.fields.count == 2 })
            let expected = [video[1_000_000..<2_500_000], video[0..<100], video[last...], video[200..<300]]
            #expect(parts.map(\.body) == expected.map { Array($0) })
            let again = try await door.client.send("GET", path + "/download", headers: [("Range", "bytes=0-1,500-501")])
            #expect(again.headers["content-type"] != reply.headers["content-type"])
        }
    }

    @Test func `a file is put together from a hundred answers in parts`() async throws {
        let video = video
        try await open { door, path in
            var chance = Draws(11)
            var given = [UInt8](repeating: 0, count: video.count)
            let cuts = ([0, video.count] + (0..<400).map { _ in Int.random(in: 1..<video.count, using: &chance) })
                .sorted()
            let pieces = zip(cuts, cuts.dropFirst()).filter { $0 < $1 }.map { $0..<$1 }.shuffled(using: &chance)
            for first in stride(from: 0, to: pieces.count, by: 4) {
                let asked = pieces[first..<min(first + 4, pieces.count)]
                let header = "bytes=" + asked.map { "\($0.lowerBound)-\($0.upperBound - 1)" }.joined(separator: ",")
                let reply = try await door.client.send("GET", path + "/download", headers: [("Range", header)])
                #expect(reply.status == 206 && reply.headers["content-length"] == "\(reply.body.count)")
                let isPlain = reply.headers["content-range"] != nil
                for part in isPlain ? [Part(fields: reply.headers, body: reply.body)] : try Self.parts(of: reply) {
                    let text = try #require(part.fields["content-range"]?.split { " -/".contains($0) })
                    let start = try #require(Int(text[1])), end = try #require(Int(text[2]))
                    #expect(text[0] == "bytes" && part.body.count == end + 1 - start)
                    given.replaceSubrange(start...end, with: part.body)
                }
            }
            #expect(given == video)
        }
    }

    @Test func `one range that is left is a plain answer, and none is 416`() async throws {
        let video = video
        try await open { door, path in
            let one = try await door.client.send(
                "GET", path + "/download", headers: [("Range", "bytes=10-19,15-29,\(Self.bytes)-")])
            #expect(one.status == 206 && one.body == Array(video[10..<30]))
            #expect(one.headers["content-range"] == "bytes 10-29/\(Self.bytes)")
            #expect(one.headers["content-type"] == "video/mp4")
            let none = try await door.client.send(
                "GET", path + "/download", headers: [("Range", "bytes=\(Self.bytes)-,-0")])
            #expect(none.status == 416 && none.headers["content-range"] == "bytes */\(Self.bytes)")
        }
    }

    @Test func `too many parts, a stale tag and HEAD get the whole`() async throws {
        let video = video
        try await open { door, path in
            let list = (0..<17).map { "\($0 * 1000)-\($0 * 1000)" }.joined(separator: ",")
            let many = try await door.client.send("GET", path + "/download", headers: [("Range", "bytes=" + list)])
            #expect(many.status == 200 && many.body == video)
            let two = ("Range", "bytes=0-9,500-509")
            let stale = try await door.client.send("GET", path + "/download", headers: [two, ("If-Range", "\"old\"")])
            #expect(stale.status == 200 && stale.body == video)
            let tag = try #require(stale.headers["etag"])
            let fresh = try await door.client.send("GET", path + "/download", headers: [two, ("If-Range", tag)])
            #expect(try fresh.status == 206 && Self.parts(of: fresh).count == 2)
            // A Range means nothing to HEAD (RFC 9110 section 14.2).
            let head = try await door.client.send("HEAD", path + "/download", headers: [two])
            #expect(head.status == 200 && head.headers["content-length"] == "\(video.count)")
            #expect(head.headers["content-type"] == "video/mp4" && head.headers["etag"] == tag)
        }
    }

    @Test func `small files have ranges too`() async throws {
        try await open { door, path in
            let part = try await door.client.send(
                "GET", path + "/subtitles?format=vtt", headers: [("Range", "bytes=0-2")])
            #expect(part.status == 206 && part.text == "WEB")
            // Of seven bytes all ranges lie near each other.
            let near = try await door.client.send(
                "GET", path + "/subtitles?format=vtt", headers: [("Range", "bytes=0-1,-2")])
            #expect(near.status == 206 && near.headers["content-range"] == "bytes 0-6/7" && near.text == "WEBVTT\n")
        }
    }

    @Test func `a service that knows no lists of ranges is not asked for one`() async throws {
        let video = video
        try await Door.open(blobs: { BucketLike(base: $0) }) { door in
            let path = "/api/clips/\(ClipID(job: try await door.finishedJob(videos: [video]), ordinal: 0))"
            let two = try await door.client.send("GET", path + "/download", headers: [("Range", "bytes=0-9,500-509")])
            #expect(
                try two.status == 206
                    && Self.parts(of: two).map(\.body) == [Array(video[..<10]), Array(video[500..<510])])
            let one = try await door.client.send("GET", path + "/download", headers: [("Range", "bytes=0-9,5-19")])
            #expect(one.status == 206 && one.body == Array(video[..<20]))
        }
    }

    @Test func `a blob that is gone is a problem for answers in parts too`() async throws {
        try await open { door, path in
            let id = try #require(ClipID(String(path.dropFirst("/api/clips/".count))))
            let files = try #require(try await door.store.clip(id)?.files)
            try await door.blobs.remove([files.video])
            let reply = try await door.client.send("GET", path + "/download", headers: [("Range", "bytes=0-9,500-509")])
            #expect(try reply.status == 404 && reply.string("code") == "blob_missing")
        }
    }
}

/// SplitMix64: chance that a failing test can repeat.
private struct Draws: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
