/// From the first byte to an agreed connection, as a value: bytes in, bytes and a verdict out.
///
/// ```
/// dialler                              accepter
///   hello  ----------------------------->  checks it, claims the lane
///   checks it, claims the lane  <-------  hello
///   callList  --------------------------> \  only when the digests of their
///              <-------------------------  callList  /  call lists differ
/// ```
/// Whoever finds something wrong sends `goAway` with the reason and closes. The accepter says nothing of itself before
/// it has seen a hello that it likes.
package struct Handshake: Sendable {
    package enum Role: Hashable, Sendable {
        /// We opened the connection, for this lane; to a node of that name, or to whoever is at the address of a seed.
        case dialler(LaneNumber, expecting: String?)
        case accepter
    }

    package enum Progress: Sendable {
        /// More bytes are needed, before `deadline`.
        case waiting
        /// Both sides agree. The session's decoder holds the bytes that came after the handshake.
        case established(PeerSession)
        /// We say no: `goAway` is among the bytes to send; then close.
        case rejected(HandshakeRejection)
        /// The peer said no; close.
        case turnedAway(GoAway)
    }

    /// Awaits the peer's hello. Exits: `list` (digests differ), `over`.
    /// List: awaits the peer's call list. Exit: `over`.
    /// Over: nothing more is read here.
    private enum Stage: Sendable {
        case hello
        case list(Hello, version: UInt8)
        case over
    }

    /// When `expired` has to be called if the handshake is not over.
    package let deadline: Duration

    private let role: Role
    private let local: LocalIdentity
    private let certifiedNames: [String]
    private var decoder: FrameDecoder
    private var stage = Stage.hello

    /// `certifiedNames` are those of `PeerConnection`.
    package init(_ role: Role, local: LocalIdentity, certifiedNames: [String], now: Duration) {
        self.role = role
        self.local = local
        self.certifiedNames = certifiedNames
        deadline = now + local.limits.handshakeTimeLimit
        decoder = FrameDecoder(frameBytesMax: local.limits.helloBytesMax)
    }

    /// What to send at once: a dialler's hello, nothing from an accepter.
    package func opening() -> [UInt8] {
        guard case .dialler(let lane, _) = role else { return [] }
        var bytes: [UInt8] = []
        appendHello(lane, to: &bytes)
        return bytes
    }

    /// Bytes arrived. What is to be sent in answer is appended to `outbound`, also when the verdict is `rejected`.
    ///
    /// `admit` is asked once, when the peer's hello holds against everything that this value knows; there the caller
    /// claims the lane (`ConnectionClaims`), looks at its deny list, counts its connections. Whoever admitted has to
    /// release the claim when the verdict is not `established` in the end.
    package mutating func received(
        _ bytes: [UInt8], replyingInto outbound: inout [UInt8], admit: (Hello) -> HandshakeRejection?
    ) -> Progress {
        if case .over = stage { return .waiting }
        decoder.feed(bytes)
        do throws(HandshakeRejection) {
            while let frame = try nextFrame() {
                guard let verdict = try take(frame, replyingInto: &outbound, admit: admit) else { continue }
                stage = .over
                return verdict
            }
            return .waiting
        } catch {
            return reject(error, into: &outbound)
        }
    }

    /// The time is over: says so to the peer. Nil when there is some left, or the handshake is over.
    package mutating func expired(at now: Duration, replyingInto outbound: inout [UInt8]) -> HandshakeRejection? {
        if case .over = stage { return nil }
        guard now >= deadline else { return nil }
        let rejection = HandshakeRejection.tookTooLong(limit: local.limits.handshakeTimeLimit)
        _ = reject(rejection, into: &outbound)
        return rejection
    }
}

// MARK: - Frames

extension Handshake {
    private mutating func nextFrame() throws(HandshakeRejection) -> Frame? {
        do {
            return try decoder.next()
        } catch {
            throw .malformed(error)
        }
    }

    /// The verdict, or nil when more frames are needed.
    private mutating func take(
        _ frame: Frame, replyingInto outbound: inout [UInt8], admit: (Hello) -> HandshakeRejection?
    ) throws(HandshakeRejection) -> Progress? {
        switch (frame.kind, stage) {
        case (.goAway, _):
            do { return .turnedAway(try GoAway(parsing: frame.payload)) } catch { throw .malformed(error) }
        case (.hello, .hello):
            let hello: Hello
            do { hello = try Hello(parsing: frame.payload) } catch { throw .malformed(error) }
            return try take(hello, replyingInto: &outbound, admit: admit)
        case (.callList, .list(let hello, let version)):
            let list: CallList
            do { list = try CallList(parsing: frame.payload) } catch { throw .malformed(error) }
            guard list.digest == hello.callListDigest else { throw .callListMismatch }
            return established(hello, version: version, calls: NegotiatedCalls(local: local.calls, peer: list))
        default:
            throw .malformed(WireError(.unexpectedFrame, "a \(frame.kind) in the handshake"))
        }
    }

    private mutating func take(
        _ hello: Hello, replyingInto outbound: inout [UInt8], admit: (Hello) -> HandshakeRejection?
    ) throws(HandshakeRejection) -> Progress? {
        let version = try check(hello)
        if let rejection = admit(hello) { throw rejection }
        if role == .accepter { appendHello(hello.lane, to: &outbound) }
        decoder.version = version
        if hello.callListDigest == local.calls.digest {
            return established(hello, version: version, calls: NegotiatedCalls(same: local.calls))
        }
        do {
            var list: [UInt8] = []
            local.calls.append(to: &list)
            try FrameWriter(version: version, frameBytesMax: .max)
                .append(Frame(.callList, payload: list[...]), to: &outbound)
        } catch {
            throw .malformed(error)
        }
        decoder.frameBytesMax = local.limits.callListBytesMax
        stage = .list(hello, version: version)
        return nil
    }

    /// Everything that can be said without knowing other connections; the version both speak.
    private func check(_ hello: Hello) throws(HandshakeRejection) -> UInt8 {
        guard let version = local.versions.common(with: hello.versions) else {
            throw .noCommonVersion(ours: local.versions, theirs: hello.versions)
        }
        guard hello.cluster == local.cluster else {
            throw .otherCluster(ours: local.cluster, theirs: hello.cluster)
        }
        guard certifiedNames.contains(hello.life.name) else {
            throw .notCertified(name: hello.life.name, certified: certifiedNames)
        }
        guard hello.life.name != local.life.name else {
            throw .ownName(hello.life.name, sameEpoch: hello.life.epoch == local.life.epoch)
        }
        if case .dialler(let lane, let expected) = role {
            if let expected, expected != hello.life.name {
                throw .unexpectedPeer(expected: expected, found: hello.life.name)
            }
            guard hello.lane == lane else { throw .otherLane(expected: lane, found: hello.lane) }
        }
        guard hello.placementAlgorithm == local.placementAlgorithm else {
            throw .otherPlacement(ours: local.placementAlgorithm, theirs: hello.placementAlgorithm)
        }
        return version
    }

    private func appendHello(_ lane: LaneNumber, to bytes: inout [UInt8]) {
        var payload: [UInt8] = []
        Hello(local, lane: lane).append(to: &payload)
        bytes.append(bigEndian: UInt32(Frame.countedHeaderBytes + payload.count))
        bytes += [0, FrameKind.hello.rawValue]
        bytes.append(bigEndian: FrameFlags.mustUnderstand.rawValue)
        bytes.append(bigEndian: UInt32(0))
        bytes += payload
    }

    private mutating func established(_ hello: Hello, version: UInt8, calls: NegotiatedCalls) -> Progress {
        decoder.frameBytesMax = local.limits.frameBytesMax
        decoder.lane = hello.lane.lane
        let isDialler = role != .accepter
        return .established(
            PeerSession(
                peer: hello.life, lane: hello.lane, isDialler: isDialler, release: hello.release, calls: calls,
                allowance: hello.allowance,
                writer: FrameWriter(version: version, frameBytesMax: hello.allowance.frameBytesMax), decoder: decoder))
    }

    private mutating func reject(_ rejection: HandshakeRejection, into outbound: inout [UInt8]) -> Progress {
        stage = .over
        outbound += rejection.goAway.frame()
        return .rejected(rejection)
    }
}
