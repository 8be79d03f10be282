import Testing
import WireProtocol

/// Two handshakes and what they said to each other.
private struct Meeting {
    var dialler: Handshake
    var accepter: Handshake
    var diallerProgress: Handshake.Progress?
    var accepterProgress: Handshake.Progress?
    /// Hellos that each side was asked to admit.
    var admitted: [String] = []

    init(
        _ one: LocalIdentity = Samples.identity("node-a"), _ other: LocalIdentity = Samples.identity("node-b"),
        lane: LaneNumber = LaneNumber(.call), expecting: String? = nil, certifiedNames: [String]? = nil
    ) {
        dialler = Handshake(
            .dialler(lane, expecting: expecting), local: one, certifiedNames: certifiedNames ?? [other.life.name],
            now: .zero)
        accepter = Handshake(.accepter, local: other, certifiedNames: certifiedNames ?? [one.life.name], now: .zero)
    }

    /// Lets both talk, byte by byte where `pieceBytes` is 1, until nobody has anything to say.
    mutating func run(pieceBytes: Int = .max, refusing: [String: HandshakeRejection] = [:]) {
        var toAccepter = dialler.opening()
        var toDialler: [UInt8] = accepter.opening()
        while !(toAccepter.isEmpty && toDialler.isEmpty) {
            if !toAccepter.isEmpty, accepterProgress == nil {
                let piece = Array(toAccepter.prefix(pieceBytes))
                toAccepter.removeFirst(piece.count)
                let progress = accepter.received(piece, replyingInto: &toDialler) { hello in
                    admitted.append(hello.life.name)
                    return refusing[hello.life.name]
                }
                if case .waiting = progress { continue }
                accepterProgress = progress
            } else if !toDialler.isEmpty, diallerProgress == nil {
                let piece = Array(toDialler.prefix(pieceBytes))
                toDialler.removeFirst(piece.count)
                let progress = dialler.received(piece, replyingInto: &toAccepter) { hello in
                    admitted.append(hello.life.name)
                    return refusing[hello.life.name]
                }
                if case .waiting = progress { continue }
                diallerProgress = progress
            } else {
                return
            }
        }
    }

    var sessions: (dialler: PeerSession, accepter: PeerSession)? {
        guard case .established(let one) = diallerProgress, case .established(let other) = accepterProgress else {
            return nil
        }
        return (one, other)
    }
}

@Suite struct HandshakeTests {
    @Test(arguments: [Int.max, 1, 2, 3, 7])
    func `two nodes of one release agree`(pieceBytes: Int) throws {
        var meeting = Meeting(lane: LaneNumber(.bulk, number: 2))
        meeting.run(pieceBytes: pieceBytes)
        let sessions = try #require(meeting.sessions)
        #expect(sessions.dialler.peer.name == "node-b")
        #expect(sessions.accepter.peer.name == "node-a")
        #expect(sessions.dialler.isDialler)
        #expect(!sessions.accepter.isDialler)
        #expect(sessions.accepter.lane == LaneNumber(.bulk, number: 2))
        #expect(sessions.dialler.lane == LaneNumber(.bulk, number: 2))
        #expect(sessions.accepter.release == "tijera 0.3")
        #expect(sessions.dialler.calls.isSame)
        #expect(sessions.dialler.writer == FrameWriter(version: 1, frameBytesMax: 1 << 20))
        #expect(sessions.dialler.allowance == PeerAllowance(.standard))
        #expect(meeting.admitted == ["node-a", "node-b"])
    }

    @Test(arguments: [Int.max, 1, 5])
    func `two releases translate each other's call targets`(pieceBytes: Int) throws {
        let older = CallList(["$sA", "$sB", "$sD"])
        let newer = CallList(["$sA", "$sC", "$sD", "$sE"])
        var meeting = Meeting(
            Samples.identity("node-a", calls: older), Samples.identity("node-b", calls: newer))
        meeting.run(pieceBytes: pieceBytes)
        let sessions = try #require(meeting.sessions)
        #expect(!sessions.dialler.calls.isSame)
        // Old to new: A is 0 at both, B is gone, D went from 2 to 2.
        #expect([UInt32(0), 1, 2, 3].map { sessions.dialler.calls.target($0) } == [.number(0), nil, .number(2), nil])
        #expect(
            [UInt32(0), 1, 2, 3].map { sessions.accepter.calls.target($0) } == [.number(0), nil, .number(2), nil])
        for (local, name) in older.names.enumerated() {
            guard let target = sessions.dialler.calls.target(UInt32(local)) else { continue }
            #expect(sessions.accepter.calls.name(target) == name)
        }
        for (local, name) in newer.names.enumerated() {
            guard let target = sessions.accepter.calls.target(UInt32(local)) else { continue }
            #expect(sessions.dialler.calls.name(target) == name)
        }
    }

    @Test func `the highest version that both speak is taken`() throws {
        var meeting = Meeting(
            Samples.identity("node-a", versions: VersionRange(2, 5)),
            Samples.identity("node-b", versions: VersionRange(3, 9)))
        meeting.run()
        let sessions = try #require(meeting.sessions)
        #expect(sessions.dialler.writer.version == 5)
        #expect(sessions.accepter.writer.version == 5)
        #expect(sessions.accepter.decoder.version == 5)
    }

    @Test func `each side writes no larger frames than the other takes`() throws {
        var small = WireLimits()
        small.frameBytesMax = 20_000
        small.callsInFlightMax = 7
        var meeting = Meeting(Samples.identity("node-a", limits: small), Samples.identity("node-b"))
        meeting.run()
        let sessions = try #require(meeting.sessions)
        #expect(sessions.accepter.writer.frameBytesMax == 20_000)
        #expect(sessions.accepter.allowance.callsInFlightMax == 7)
        #expect(sessions.dialler.writer.frameBytesMax == 1 << 20)
        #expect(sessions.dialler.decoder.frameBytesMax == 20_000)
        #expect(sessions.accepter.decoder.frameBytesMax == 1 << 20)
    }

    @Test func `frames that come together with the hello are in the session's decoder`() throws {
        let one = Samples.identity("node-a")
        let other = Samples.identity("node-b")
        var accepter = Handshake(.accepter, local: other, certifiedNames: ["node-a"], now: .zero)
        let opening = Handshake(
            .dialler(LaneNumber(.control), expecting: nil), local: one, certifiedNames: ["node-b"], now: .zero
        ).opening()
        let ping = Frame(.ping, payload: [0, 0, 0, 0, 0, 0, 0, 1])
        var outbound: [UInt8] = []
        let bytes = try opening + Samples.bytes(of: [ping])
        let progress = accepter.received(bytes, replyingInto: &outbound) { _ in nil }
        guard case .established(var session) = progress else {
            Issue.record("\(progress)")
            return
        }
        #expect(try session.decoder.next() == ping)
        #expect(try session.decoder.next() == nil)
        #expect(session.decoder.lane == .control)
    }

    @Test func `a peer with names beside its own in the certificate is taken`() throws {
        var meeting = Meeting(certifiedNames: ["other", "node-a", "node-b"])
        meeting.run()
        #expect(meeting.sessions != nil)
    }

    @Test func `the one that was expected is taken`() throws {
        var meeting = Meeting(expecting: "node-b")
        meeting.run()
        #expect(meeting.sessions != nil)
    }

    @Test func `time is over at the limit and not before`() throws {
        var handshake = Handshake(
            .accepter, local: Samples.identity(), certifiedNames: ["node-b"], now: .seconds(100))
        var outbound: [UInt8] = []
        #expect(handshake.deadline == .seconds(105))
        #expect(handshake.expired(at: .milliseconds(104_999), replyingInto: &outbound) == nil)
        #expect(outbound.isEmpty)
        #expect(
            handshake.expired(at: .seconds(105), replyingInto: &outbound) == .tookTooLong(limit: .seconds(5)))
        #expect(try Self.goAway(in: outbound).code == .tookTooLong)
        // Once.
        #expect(handshake.expired(at: .seconds(106), replyingInto: &outbound) == nil)
    }

    @Test func `an established handshake does not expire`() {
        var meeting = Meeting()
        meeting.run()
        var outbound: [UInt8] = []
        #expect(meeting.dialler.expired(at: .seconds(1000), replyingInto: &outbound) == nil)
        #expect(outbound.isEmpty)
    }

    /// The goaway that ends `bytes`.
    static func goAway(in bytes: [UInt8]) throws -> GoAway {
        var decoder = FrameDecoder(frameBytesMax: 1 << 20, version: 1)
        let last = try #require(try decoder.take(bytes).last)
        #expect(last.kind == .goAway)
        return try GoAway(parsing: last.payload)
    }
}

@Suite struct HandshakeRejectionTests {
    /// Who says no to what, and that the other hears it.
    private func expect(
        _ rejection: HandshakeRejection, by accepter: Bool, _ meeting: Meeting,
        refusing: [String: HandshakeRejection] = [:]
    ) {
        var meeting = meeting
        meeting.run(refusing: refusing)
        let (mine, theirs) =
            accepter
            ? (meeting.accepterProgress, meeting.diallerProgress) : (meeting.diallerProgress, meeting.accepterProgress)
        guard case .rejected(rejection) = mine else {
            Issue.record("\(String(describing: mine)) instead of \(rejection)")
            return
        }
        // An accepter that was content before has its session, and hears of it there.
        if case .established(var session) = theirs, !accepter {
            session.decoder.feed(rejection.goAway.frame())
            #expect(throws: Never.self) {
                let frame = try #require(try session.decoder.next())
                #expect(try GoAway(parsing: frame.payload) == rejection.goAway)
            }
            return
        }
        guard case .turnedAway(let goAway) = theirs else {
            Issue.record("\(String(describing: theirs)) instead of being turned away")
            return
        }
        #expect(goAway == rejection.goAway)
        #expect(!goAway.text.isEmpty)
    }

    @Test func `versions that do not meet`() {
        expect(
            .noCommonVersion(ours: VersionRange(1, 2), theirs: VersionRange(3, 4)), by: true,
            Meeting(
                Samples.identity("node-a", versions: VersionRange(3, 4)),
                Samples.identity("node-b", versions: VersionRange(1, 2))))
    }

    @Test func `another cluster`() {
        expect(
            .otherCluster(ours: "charla", theirs: "prueba"), by: true,
            Meeting(Samples.identity("node-a", cluster: "prueba"), Samples.identity("node-b")))
    }

    @Test func `a name that is not in the certificate`() {
        expect(
            .notCertified(name: "node-a", certified: ["node-c", "node-aa"]), by: true,
            Meeting(certifiedNames: ["node-c", "node-aa"]))
    }

    @Test func `a certificate without names`() {
        expect(.notCertified(name: "node-a", certified: []), by: true, Meeting(certifiedNames: []))
    }

    @Test func `ourselves`() {
        expect(
            .ownName("node-a", sameEpoch: true), by: true, Meeting(Samples.identity(), Samples.identity()))
    }

    @Test func `another node of our name`() {
        expect(
            .ownName("node-a", sameEpoch: false), by: true,
            Meeting(Samples.identity(epoch: 1), Samples.identity(epoch: 2)))
    }

    @Test func `another node than the one that was dialled`() {
        expect(
            .unexpectedPeer(expected: "node-c", found: "node-b"), by: false, Meeting(expecting: "node-c"))
    }

    @Test func `another placement algorithm`() {
        expect(
            .otherPlacement(ours: "wrh-2", theirs: "wrh-1"), by: true,
            Meeting(Samples.identity("node-a"), Samples.identity("node-b", placement: "wrh-2")))
    }

    @Test(arguments: [true, false])
    func `whatever the node says when it is asked to admit`(accepter: Bool) {
        let refused = accepter ? "node-a" : "node-b"
        for rejection in [
            HandshakeRejection.olderEpoch(PeerLife(name: refused, epoch: 3), known: 4),
            .duplicateConnection(PeerLife(name: refused, epoch: 3), LaneNumber(.call)),
            .tooManyConnections(limit: 256), .denied("revoked"), .stopping,
        ] {
            expect(rejection, by: accepter, Meeting(), refusing: [refused: rejection])
        }
    }

    @Test func `an answer for another lane`() throws {
        var dialler = Handshake(
            .dialler(LaneNumber(.call), expecting: nil), local: Samples.identity("node-a"),
            certifiedNames: ["node-b"], now: .zero)
        var outbound: [UInt8] = []
        let hello = Hello(Samples.identity("node-b"), lane: LaneNumber(.bulk))
        let bytes = try Samples.bytes(of: [
            Frame(.hello, payload: Samples.payload { hello.append(to: &$0) }[...])
        ])
        let progress = dialler.received(bytes, replyingInto: &outbound) { _ in nil }
        guard case .rejected(.otherLane(LaneNumber(.call), found: LaneNumber(.bulk))) = progress else {
            Issue.record("\(progress)")
            return
        }
    }

    @Test func `a list of call targets that is not the announced one`() throws {
        var accepter = Handshake(
            .accepter, local: Samples.identity("node-b"), certifiedNames: ["node-a"], now: .zero)
        let announced = Samples.identity("node-a", calls: CallList(["$sA"]))
        let hello = Samples.payload { Hello(announced, lane: LaneNumber(.call)).append(to: &$0) }
        let list = Samples.payload { CallList(["$sB"]).append(to: &$0) }
        let bytes = try Samples.bytes(of: [Frame(.hello, payload: hello[...]), Frame(.callList, payload: list[...])])
        var outbound: [UInt8] = []
        let progress = accepter.received(bytes, replyingInto: &outbound) { _ in nil }
        guard case .rejected(.callListMismatch) = progress else {
            Issue.record("\(progress)")
            return
        }
        #expect(try HandshakeTests.goAway(in: outbound).code == .callListMismatch)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}\u{0}\u{5}",
        "\u{0}\u{0}\u{0}\u{8}\u{0}\u{1}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}",
    ])
    func `garbage`(text: String) throws {
        var accepter = Handshake(
            .accepter, local: Samples.identity("node-b"), certifiedNames: ["node-a"], now: .zero)
        var outbound: [UInt8] = []
        let progress = accepter.received(Array(text.utf8), replyingInto: &outbound) { _ in nil }
        guard case .rejected(.malformed) = progress else {
            // A length that may still come is waited for, within the time limit.
            guard case .waiting = progress, outbound.isEmpty else {
                Issue.record("\(progress)")
                return
            }
            return
        }
        #expect(try HandshakeTests.goAway(in: outbound).code == .malformedHello)
    }

    @Test func `a hello over its limit`() throws {
        var accepter = Handshake(
            .accepter, local: Samples.identity("node-b"), certifiedNames: ["node-a"], now: .zero)
        var outbound: [UInt8] = []
        let progress = accepter.received([0, 0, 0x40, 0x01], replyingInto: &outbound) { _ in nil }
        guard case .rejected(.malformed(let error)) = progress else {
            Issue.record("\(progress)")
            return
        }
        #expect(error.code == .frameTooLarge)
    }

    @Test func `a call list over its limit`() throws {
        var accepter = Handshake(
            .accepter, local: Samples.identity("node-b"), certifiedNames: ["node-a"], now: .zero)
        let hello = Hello(Samples.identity("node-a", calls: CallList(["$sZ"])), lane: LaneNumber(.call))
        let frame = Frame(.hello, payload: Samples.payload { hello.append(to: &$0) }[...])
        var outbound: [UInt8] = []
        _ = accepter.received(try Samples.bytes(of: [frame]), replyingInto: &outbound) { _ in nil }
        let progress = accepter.received([0, 4, 0, 1], replyingInto: &outbound) { _ in nil }
        guard case .rejected(.malformed(let error)) = progress else {
            Issue.record("\(progress)")
            return
        }
        #expect(error.code == .frameTooLarge)
    }

    @Test func `a second hello`() throws {
        var accepter = Handshake(
            .accepter, local: Samples.identity("node-b"), certifiedNames: ["node-a"], now: .zero)
        let hello = Hello(Samples.identity("node-a", calls: CallList(["$sZ"])), lane: LaneNumber(.call))
        let frame = Frame(.hello, payload: Samples.payload { hello.append(to: &$0) }[...])
        var outbound: [UInt8] = []
        let progress = accepter.received(
            try Samples.bytes(of: [frame, frame]), replyingInto: &outbound
        ) { _ in nil }
        guard case .rejected(.malformed(let error)) = progress else {
            Issue.record("\(progress)")
            return
        }
        #expect(error.code == .unexpectedFrame)
    }

    @Test func `bytes after the verdict are not looked at`() {
        var meeting = Meeting(Samples.identity("node-a", cluster: "prueba"), Samples.identity("node-b"))
        meeting.run()
        var outbound: [UInt8] = []
        let progress = meeting.accepter.received([1, 2, 3], replyingInto: &outbound) { _ in
            Issue.record("asked again")
            return nil
        }
        guard case .waiting = progress else {
            Issue.record("\(progress)")
            return
        }
        #expect(outbound.isEmpty)
    }

    @Test func `every reason has a text and a code of its own`() {
        let life = PeerLife(name: "node-b", epoch: 1)
        let lane = LaneNumber(.call)
        let all: [HandshakeRejection] = [
            .malformed(WireError(.truncated, "")), .noCommonVersion(ours: .spoken, theirs: VersionRange(4, 5)),
            .otherCluster(ours: "a", theirs: "b"), .notCertified(name: "a", certified: ["b"]),
            .ownName("a", sameEpoch: true), .unexpectedPeer(expected: "a", found: "b"),
            .otherLane(expected: lane, found: lane), .olderEpoch(life, known: 2),
            .otherPlacement(ours: "a", theirs: "b"), .callListMismatch, .duplicateConnection(life, lane),
            .tookTooLong(limit: .seconds(5)), .tooManyConnections(limit: 1), .denied("x"), .stopping,
        ]
        #expect(Set(all.map(\.code)).count == all.count)
        #expect(all.allSatisfy { !$0.text.isEmpty && $0.text.utf8.count <= GoAway.textBytesMax })
        let turningDown = GoAway.Code.allCases.filter { (1..<100).contains($0.rawValue) }
        #expect(Set(turningDown).isSubset(of: all.map(\.code)))
    }
}
