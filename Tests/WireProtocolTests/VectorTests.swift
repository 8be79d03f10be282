import Foundation
import TestSupport
import Testing
import WireProtocol

/// The bytes of docs/protocol.md: kept under Tests/Golden, repeated in the document, and what the code writes today. A
/// change here is a change of the protocol.
@Suite struct VectorTests {
    private struct Vector {
        let name: String
        let bytes: [UInt8]
        var line: String { "\(name): \(bytes.hexadecimal)" }
    }

    private static let identity = LocalIdentity(
        cluster: "charla", life: PeerLife(name: "node-a", epoch: 1_700_000_000_000), calls: CallList(["$sA", "$sB"]),
        placementAlgorithm: "wrh-1", release: "0.3")

    private static func vector(
        _ name: String, _ kind: FrameKind, _ id: UInt32 = 0, flags: FrameFlags = [],
        _ write: (inout [UInt8]) throws -> Void = { _ in }
    ) throws -> Vector {
        let payload = try Samples.payload(write)
        let frame = Frame(kind, flags: flags, streamID: id, payload: payload[...])
        return Vector(name: name, bytes: try Samples.bytes(of: [frame]))
    }

    private static func reply(_ name: String, _ id: UInt32, _ outcome: ReplyOutcome) throws -> Vector {
        try vector("reply " + name, .reply, id) { outcome.append(to: &$0) }
    }

    private static func frames() throws -> [Vector] {
        let hello = Hello(identity, lane: LaneNumber(.call))
        let call = CallHeader(
            target: .number(1), actor: [0xAA, 0xBB], remainingMilliseconds: 5000, viewDigest: 0x0102_0304_0506_0708,
            trace: Samples.trace)
        let named = CallHeader(target: .name("$sA"), actor: [0xAA])
        let broken = StreamClose([.sending, .reading], StreamReset(.failed, "no"))
        return [
            try vector("hello", .hello, flags: .mustUnderstand) { hello.append(to: &$0) },
            try vector("callList", .callList) { identity.calls.append(to: &$0) },
            Vector(name: "goAway", bytes: GoAway(.otherCluster, "no").frame()),
            try vector("ping", .ping) { Keepalive.append(7, to: &$0) },
            try vector("ack", .ack) { Keepalive.append(7, to: &$0) },
            try vector("gossip", .gossip) { $0 += [1, 2, 3] },
            try vector("call", .call, 0x0001_0000) {
                try call.append(to: &$0)
                $0 += [0x01, 0x05]
            },
            try vector("call by name", .call, 0x0001_0001) { try named.append(to: &$0) },
            try reply("returned", 0x0001_0000, .returned([0, 7])),
            try reply("threw", 1, .threw(message: "no")),
            try reply("wrongOwner", 1, .wrongOwner(viewDigest: 9, owner: "node-b")),
            try reply("busy", 1, .busy(retryAfterMilliseconds: 250)),
            try reply("noSuchActor", 1, .noSuchActor),
            try vector("cancel", .cancel, 0x0001_0000),
            try vector("streamOpen", .streamOpen, 1) { StreamPurpose.append([0x62], to: &$0) },
            try vector("streamData with end", .streamData, 1, flags: .end) { $0 += [1, 2, 3] },
            try vector("streamCredit", .streamCredit, 1) { StreamCreditGrant.append(65_536, to: &$0) },
            try vector("streamClose", .streamClose, 1) { broken.append(to: &$0) },
        ]
    }

    private struct Point: Codable {
        var x: Int
        var y: Int
    }

    private struct Shape: Codable {
        var name: String
        var points: [Point]
        var note: String?
    }

    private enum Verdict: Codable {
        case granted(Int, note: String)
        case nothing
    }

    private static func values() throws -> [Vector] {
        func vector(_ name: String, _ value: some Encodable) throws -> Vector {
            Vector(name: name, bytes: try WireEncoder().encode(value))
        }
        return [
            try vector("0", 0), try vector("30", 30), try vector("31", 31), try vector("158", 158),
            try vector("159", 159),
            try vector("-1", -1), try vector("-32", -32), try vector("UInt64.max", UInt64.max),
            try vector("Int64.min", Int64.min), try vector("UInt128 of 2^64", UInt128(1) << 64),
            try vector("nil", Int?.none), try vector("true", true), try vector("Float 1.5", Float(1.5)),
            try vector("Double -2.25", -2.25), try vector("\"ñ\"", "ñ"),
            try vector("bytes 010203", [1, 2, 3] as [UInt8]),
            try vector("[String] a, b", ["a", "b"]), try vector("[Int] 1, 2, 3", [1, 2, 3]),
            try vector("[Int] -1, 300", [-1, 300]), try vector("[Int] none", [Int]()),
            try vector("[Double] 0.5", [0.5]), try vector("Point", Point(x: 1, y: -1)),
            try vector("[Point]", [Point(x: 1, y: 2), Point(x: 3, y: 4)]),
            try vector("Shape", Shape(name: "s", points: [Point(x: 1, y: 2)], note: nil)),
            try vector("Verdict.granted", Verdict.granted(7, note: "n")),
            try vector("Verdict.nothing", Verdict.nothing),
            try vector("34 bytes in a list", [[UInt8](repeating: 7, count: 4), [UInt8](repeating: 8, count: 30)]),
        ]
    }

    private static func text(_ vectors: [Vector]) -> String { vectors.map(\.line).joined(separator: "\n") + "\n" }

    @Test func `frames are the bytes that are kept`() throws {
        let mismatch = try Golden.mismatch(Self.text(Self.frames()), name: "wire-frames")
        #expect(mismatch == nil)
    }

    @Test func `values are the bytes that are kept`() throws {
        let mismatch = try Golden.mismatch(Self.text(Self.values()), name: "wire-values")
        #expect(mismatch == nil)
    }

    @Test func `the document repeats the bytes that are kept`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/protocol.md"), encoding: .utf8)
        let lines = Set(page.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
        for vector in try Self.frames() + Self.values() {
            #expect(lines.contains(vector.line), "docs/protocol.md lacks \(vector.line)")
        }
    }

    @Test func `every kind and every code of the protocol is in the document`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/protocol.md"), encoding: .utf8)
        for kind in FrameKind.allCases { #expect(page.contains("| \(kind.rawValue) | `\(kind)` |"), "\(kind)") }
        for code in GoAway.Code.allCases { #expect(page.contains("| \(code.rawValue) | `\(code)` |"), "\(code)") }
        for code in WireError.Code.allCases { #expect(page.contains("`\(code)`"), "\(code)") }
    }

    @Test func `kept frames are read as what they are`() throws {
        for vector in try Self.frames() {
            var decoder = FrameDecoder(frameBytesMax: 1 << 20, version: 1)
            #expect(try decoder.take(vector.bytes).count == 1, "\(vector.name)")
        }
    }
}
