import Logging
package import Membership
import Synchronization
package import WireProtocol

/// One connection, for operators.
package struct LinkStatus: Hashable, Sendable {
    package let peer: MemberLife
    package let lane: LaneNumber
    package let remoteAddress: String
    package let release: String
    /// Of the protocol, as both sides agreed.
    package let version: UInt8
    /// End of the certificate that the peer showed on this connection, in seconds since 1970.
    package let certificateEnd: Int?
    /// Smoothed; nil before the first answer to a ping.
    package let roundTrip: Duration?
    /// Calls under way from us to the peer, and from it to us.
    package let callsOut: Int
    package let callsIn: Int
}

extension ClusterActorSystem {
    /// All connections that stand, in the order of peers and lanes. Asks nobody: it answers at once whatever the
    /// network does.
    package var linkStatus: [LinkStatus] {
        links.withLock { $0.standing }.map { standing in
            let connection = standing.connection
            let calls = if case .call(let lane) = standing { lane.inFlight } else { (ours: 0, theirs: 0) }
            return LinkStatus(
                peer: connection.peer, lane: connection.lane,
                remoteAddress: connection.outbox.connection.remoteAddress, release: connection.session.release,
                version: connection.session.writer.version,
                certificateEnd: connection.outbox.connection.certificateEnd,
                roundTrip: connection.roundTrip, callsOut: calls.ours, callsIn: calls.theirs)
        }
    }

    private var freshRedial: Redial { Redial(configuration.redialPause, stableAfter: configuration.stableAfter) }

    // MARK: Lanes on demand

    /// A lane for a call. The common way is one look into the book.
    func callLane(to life: MemberLife, before deadline: Duration) async throws -> CallLane {
        if let lane = links.withLock({ $0.callLane(to: life) }) {
            if configuration.callLanes > 1 { dialFurtherCallLanes(to: life) }
            return lane
        }
        guard case .call(let lane) = try await lane(LaneNumber(.call), to: life, before: deadline) else {
            preconditionFailure("a lane for calls is of another kind")
        }
        return lane
    }

    func bulkLane(to life: MemberLife, before deadline: Duration) async throws -> BulkLane {
        guard case .bulk(let lane) = try await lane(LaneNumber(.bulk), to: life, before: deadline) else {
            preconditionFailure("a lane for streams is of another kind")
        }
        return lane
    }

    private func lane(
        _ number: LaneNumber, to life: MemberLife, before deadline: Duration
    ) async throws -> StandingLane {
        let promise: Promise<StandingLane>
        switch wish(number, to: life) {
        case .standing(let lane): return lane
        case .wait(let dialling): promise = dialling
        case .resting(let pause):
            throw ClusterCallError(.unreachable, "\(life.id) could not be reached a moment ago", retryAfter: pause)
        case .replaced(let newer): throw ClusterCallError(.noSuchActor, "\(life) is over: \(newer) lives")
        case .dial(let dialling):
            guard let address = address(of: life) else {
                let error = ClusterCallError(.unreachable, "\(life) is not a member of this cluster")
                dialFailed(number, to: life, dialling, error)
                throw error
            }
            startDial(number, to: life, at: address, dialling)
            promise = dialling
        }
        guard let lane = try await timeline.before(deadline, { try await promise.wait() }) else {
            throw ClusterCallError(.unreachable, "\(life.id) was not connected in time")
        }
        return lane
    }

    private func wish(_ number: LaneNumber, to life: MemberLife) -> LinkBook.Wish {
        let (now, fresh) = (timeline.now, freshRedial)
        return links.withLock { $0.wish(number, to: life, at: now, fresh) }
    }

    private func address(of life: MemberLife) -> PeerAddress? {
        guard let member = membership.member(life.id), member.life == life else { return nil }
        return member.metadata.peerAddress
    }

    private func dialFurtherCallLanes(to life: MemberLife) {
        guard links.withLock({ $0.callLanes(to: life) }) < configuration.callLanes,
            let address = address(of: life)
        else { return }
        for number in 1..<UInt8(configuration.callLanes) {
            let lane = LaneNumber(.call, number: number)
            if case .dial(let promise) = wish(lane, to: life) { startDial(lane, to: life, at: address, promise) }
        }
    }

    // MARK: What membership asks for

    func send(_ message: MembershipMessage, to life: MemberLife, at address: PeerAddress?) {
        guard let payload = try? WireEncoder().encode(message) else {
            counters.gossipDropped.count()
            return
        }
        switch links.withLock({ $0.gossip(payload, to: life, mayDial: address != nil) }) {
        case .lane(let lane): count(lane.send(payload))
        case .dropped: counters.gossipDropped.count()
        case .dial:
            if let address { dialControl(to: life, at: address) }
        }
    }

    func connect(_ address: PeerAddress, expecting life: MemberLife?) {
        if let life {
            if links.withLock({ $0.isConnected(to: life) }) {
                membership.tell(.connected(life))
            } else {
                dialControl(to: life, at: address)
            }
            return
        }
        guard links.withLock({ $0.dialsSeed(address) }) else { return }
        let isTaken = nursery.start { await self.dialSeed(address) }
        if !isTaken { links.withLock { $0.seedDialled(address) } }
    }

    /// Membership decides when to try again, so a pause is waited for and not refused: it needs an answer either way.
    private func dialControl(to life: MemberLife, at address: PeerAddress) {
        let lane = LaneNumber(.control)
        switch wish(lane, to: life) {
        case .standing, .wait: break
        case .replaced(let newer):
            membership.tell(.couldNotConnect(life, .rejected(reason: "\(newer) lives")))
        case .dial(let promise): startDial(lane, to: life, at: address, promise)
        case .resting(let pause):
            _ = nursery.start {
                guard (try? await self.timeline.sleep(for: pause)) != nil else { return }
                if case .dial(let promise) = self.wish(lane, to: life) {
                    await self.dial(lane, to: life, at: address, promise)
                }
            }
        }
    }

    private func count(_ isSent: Bool) {
        if isSent { counters.gossipSent.count() } else { counters.gossipDropped.count() }
    }

    /// A life is over: nothing of it is remembered.
    func forgetLinks(to life: MemberLife) { links.withLock { $0.forget(life) } }

    // MARK: Dialling

    private func startDial(
        _ number: LaneNumber, to life: MemberLife, at address: PeerAddress, _ promise: Promise<StandingLane>
    ) {
        let isTaken = nursery.start { await self.dial(number, to: life, at: address, promise) }
        if !isTaken { dialFailed(number, to: life, promise, ClusterCallError(.stopping, "this node does not run")) }
    }

    /// Dials and, when it comes to that, runs the connection to its end.
    private func dial(
        _ number: LaneNumber, to life: MemberLife, at address: PeerAddress, _ promise: Promise<StandingLane>
    ) async {
        let failure: ConnectionFailure
        do {
            guard let (session, receipt, connection) = try await openOrGiveWay(number, to: life, at: address) else {
                return
            }
            if MemberLife(session.peer) != life {
                // Its name, another life: the one we wanted will never answer.
                let error = ClusterCallError(.noSuchActor, "\(life) is over: \(session.peer) lives")
                dialFailed(number, to: life, promise, error)
            }
            await stand(session, receipt, connection)
            return
        } catch {
            failure = ClusterActorSystem.evidence(error)
        }
        dialFailed(
            number, to: life, promise, ClusterCallError(.unreachable, "\(life.id) at \(address): \(failure)"))
        membership.tell(.couldNotConnect(life, failure))
    }

    /// Nil when the peer has dialled at the same moment and its connection stands by now. Between the moment one of two
    /// is turned away and the moment the other stands there is a little time, in which whoever waits must not be told
    /// that the peer cannot be reached.
    private func openOrGiveWay(
        _ number: LaneNumber, to life: MemberLife, at address: PeerAddress
    ) async throws -> (PeerSession, Receipt, any PeerConnection)? {
        for _ in 0..<Self.duplicateDialsMax {
            do {
                return try await open(number, expecting: life, at: address)
            } catch is DuplicateDial {
                try await timeline.sleep(for: configuration.redialPause.lowerBound)
                if links.withLock({ $0.stands(number, to: life) }) { return nil }
            }
        }
        throw DuplicateDial()
    }

    /// A peer that says so often that a connection stands, and has none, is mistaken.
    private static let duplicateDialsMax = 5

    private func dialSeed(_ address: PeerAddress) async {
        do {
            let (session, receipt, connection) = try await open(LaneNumber(.control), expecting: nil, at: address)
            links.withLock { $0.seedDialled(address) }
            await stand(session, receipt, connection)
        } catch {
            links.withLock { $0.seedDialled(address) }
            membership.tell(.couldNotReach(address, ClusterActorSystem.evidence(error)))
        }
    }

    struct DuplicateDial: Error {}

    private func open(
        _ number: LaneNumber, expecting life: MemberLife?, at address: PeerAddress
    ) async throws -> (PeerSession, Receipt, any PeerConnection) {
        counters.dials.count()
        let connection: any PeerConnection
        do {
            connection = try await transport.connect(host: address.host, port: address.port)
        } catch let error as PeerConnectError {
            counters.dialsFailed.count(error.name)
            log.debug("dial failed", metadata: ["address": "\(address)", "reason": "\(error)"])
            throw error
        }
        do {
            let (session, receipt) = try await shakeHands(
                connection, .dialler(number, expecting: life?.id.rawValue))
            return (session, receipt, connection)
        } catch {
            refused(error, connection)
            if error.isDuplicate { throw DuplicateDial() }
            throw error
        }
    }

    private static func evidence(_ error: any Error) -> ConnectionFailure {
        switch error {
        case let error as PeerConnectError: ConnectionFailure(error)
        case let error as HandshakeFailure: error.evidence
        case is DuplicateDial: .rejected(reason: "a connection stands already")
        default: .silent
        }
    }

    private func dialFailed(
        _ number: LaneNumber, to life: MemberLife, _ promise: Promise<StandingLane>, _ error: ClusterCallError
    ) {
        let (now, fraction) = (timeline.now, chance.fraction())
        let dropped = links.withLock { $0.dialFailed(number, to: life, at: now, fraction: fraction) }
        for _ in 0..<dropped { counters.gossipDropped.count() }
        promise.settle(.failure(error))
    }

    // MARK: Accepting and standing

    /// A peer has connected: the whole life of the connection.
    func accept(_ connection: any PeerConnection) async {
        do {
            let (session, receipt) = try await shakeHands(connection, .accepter)
            await stand(session, receipt, connection)
        } catch {
            refused(error, connection)
        }
    }

    /// Says why a connection did not come to be: in a counter, and in the log.
    private func refused(_ failure: HandshakeFailure, _ connection: any PeerConnection) {
        let (code, reason): (String, String)
        switch failure {
        case .rejected(let rejection):
            (code, reason) = ("\(rejection.code)", rejection.text)
            counters.handshakesRefused.count(code)
        case .turnedAway(let goAway):
            (code, reason) = ("\(goAway.code)", goAway.text)
            counters.handshakesTurnedAway.count(code)
            if goAway.code == .olderEpoch { membership.disown() }
        case .closed:
            (code, reason) = ("closed", "the peer closed the connection")
            counters.handshakesTurnedAway.count(code)
        case .failed(let error):
            (code, reason) = ("failed", "\(error)")
            counters.handshakesTurnedAway.count(code)
        }
        log.log(
            level: failure.isOrdinary ? .debug : .warning, "connection refused",
            metadata: [
                "code": "\(code)", "reason": "\(reason)", "address": "\(connection.remoteAddress)",
                "certified": "\(connection.certifiedNames.prefix(4).joined(separator: ","))",
            ])
    }

    private func stand(_ session: PeerSession, _ receipt: Receipt, _ connection: any PeerConnection) async {
        guard let life = MemberLife(session.peer) else { preconditionFailure("\(session.peer) was admitted") }
        let lane = LaneConnection(session, peer: life, connection, configuration, timeline, counters)
        switch session.lane.lane {
        case .control:
            let traffic = ControlLane(lane, self)
            await stand(lane, receipt, .control(traffic), traffic)
        case .call:
            let traffic = CallLane(lane, self)
            await stand(lane, receipt, .call(traffic), traffic)
        case .bulk:
            let traffic = BulkLane(lane, self)
            await stand(lane, receipt, .bulk(traffic), traffic)
        }
    }

    private func stand(
        _ connection: LaneConnection, _ receipt: Receipt, _ standing: StandingLane, _ traffic: some LaneTraffic
    ) async {
        counters.connectionsEstablished.count()
        receipt.claim.stands(standing)
        let metadata: Logger.Metadata = ["peer": "\(connection.peer)", "lane": "\(connection.lane)"]
        await connection.run(traffic) {
            confirmed(standing, replacing: receipt.replacing)
            log.debug("connection established", metadata: metadata)
        } ended: { ending in
            counters.connectionsEnded.count(ending.name)
            // What the protocol does not allow is a defect of one of the two, or worse: somebody has to look.
            log.log(
                level: ending.isProtocolError ? .warning : .debug, "connection ended",
                metadata: metadata.merging(["ending": "\(ending.name)", "reason": "\(ending)"]) { $1 })
            release(receipt)
            let (now, fraction) = (timeline.now, chance.fraction())
            if links.withLock({ $0.ended(connection, at: now, fraction: fraction) }) {
                membership.tell(.disconnected(connection.peer))
            }
        }
    }

    /// Both sides have agreed on the lane: whoever waits for it may use it.
    private func confirmed(_ standing: StandingLane, replacing replaced: [StandingLane]) {
        let (now, fresh) = (timeline.now, freshRedial)
        guard let (waiting, gossip, isFirst) = links.withLock({ $0.established(standing, at: now, fresh) }) else {
            return
        }
        for lane in replaced { retire(lane) }
        if case .control(let lane) = standing { for payload in gossip { count(lane.send(payload)) } }
        waiting?.settle(.success(standing))
        if isFirst { membership.tell(.connected(standing.connection.peer)) }
    }
}

// MARK: - Retiring

extension ClusterActorSystem {
    /// Another connection has taken the place of a lane that works: both sides say that they begin nothing new on it,
    /// and it ends when nothing is under way any more. Were it closed at once, calls would be lost that nothing was
    /// wrong with.
    func retire(_ lane: StandingLane) {
        let goAway = GoAway(.replaced, "the other connection of this lane is kept")
        lane.connection.announceEnd(goAway)
        let isTaken = nursery.start { [self] in
            let limit = timeline.now + configuration.retiringTimeLimit
            var idleLooks = 0
            // Twice: a call that has ended has not sent its answer yet.
            while idleLooks < 2, !lane.connection.hasEnded, timeline.now < limit {
                guard (try? await timeline.sleep(for: configuration.deadlineResolution)) != nil else { break }
                idleLooks = lane.isIdle && lane.connection.isDraining ? idleLooks + 1 : 0
            }
            lane.connection.finish(.closedHere, telling: goAway)
        }
        if !isTaken { lane.connection.finish(.closedHere) }
    }
}

extension PeerConnectError {
    /// For counters.
    fileprivate var name: String {
        switch self {
        case .refused: "refused"
        case .timedOut: "timedOut"
        case .rejected: "rejected"
        case .unreachable: "unreachable"
        }
    }
}

extension LaneConnection.Ending {
    fileprivate var isProtocolError: Bool { if case .protocolError = self { true } else { false } }

    /// For counters.
    fileprivate var name: String {
        switch self {
        case .closedByPeer: "closedByPeer"
        case .failed: "failed"
        case .protocolError: "protocolError"
        case .goAway(let goAway): "goAway.\(goAway.code)"
        case .silent: "silent"
        case .congested: "congested"
        case .closedHere: "closedHere"
        }
    }
}
