import Membership
import Synchronization
import WireProtocol

/// What one lane does with its frames. Three kinds: control, call, bulk.
protocol LaneTraffic: Sendable {
    /// Loops that live as long as the connection.
    func start(in group: inout DiscardingTaskGroup)
    /// A frame that belongs on this lane arrived. Throws what ends the connection.
    func received(_ frame: Frame, at now: Duration, in group: inout DiscardingTaskGroup) throws(WireError)
    /// The connection is gone; called once.
    func lost()
}

/// One established connection: reads its frames, answers pings, notices silence, and ends with a reason.
final class LaneConnection: Sendable {
    /// Why a connection has ended.
    enum Ending: Sendable {
        case closedByPeer
        /// The transport says what happened.
        case failed(any Error)
        /// The peer wrote what the protocol does not allow.
        case protocolError(WireError)
        /// The peer said that it will close.
        case goAway(GoAway)
        case silent(Duration)
        /// The peer does not read.
        case congested
        /// This side stops, or has a better connection.
        case closedHere
    }

    let peer: MemberLife
    let session: PeerSession
    let outbox: Outbox
    private let timeline: Timeline
    private let counters: ClusterCounters.Cells
    private let keepalive: Mutex<Keepalive>
    /// The first reason counts: a close that follows from it must not hide it.
    private let ending = Mutex<Ending?>(nil)
    private let goAway = Mutex<GoAway?>(nil)
    private let isAnnounced = Mutex(false)

    init(
        _ session: PeerSession, peer: MemberLife, _ connection: any PeerConnection,
        _ configuration: ClusterConfiguration,
        _ timeline: Timeline, _ counters: ClusterCounters.Cells
    ) {
        self.peer = peer
        self.session = session
        self.timeline = timeline
        self.counters = counters
        outbox = Outbox(connection, heldBytesMax: configuration.heldBytesMax)
        keepalive = Mutex(Keepalive(configuration.keepalive, now: timeline.now))
    }

    var lane: LaneNumber { session.lane }
    var roundTrip: Duration? { keepalive.withLock { $0.roundTrip } }
    /// The peer has said that it begins nothing new here, and why.
    var farewell: GoAway? { goAway.withLock { $0 } }
    var isDraining: Bool { farewell != nil }
    var hasEnded: Bool { ending.withLock { $0 != nil } }

    /// Runs the connection to its end.
    ///
    /// - Parameters:
    /// - confirmed: called when both sides are known to have agreed. The dialler knows it when the handshake is
    /// through;
    /// the accepter knows when the first frame arrives, which the dialler's ping makes soon: until then the dialler may
    ///     still turn the connection away, and what was sent on it would be lost.
    ///   - ended: called as soon as it is lost; calls that run for the peer and do not stop when they are cancelled may
    ///     keep this waiting longer.
    func run(_ traffic: some LaneTraffic, confirmed: () -> Void, ended: (Ending) -> Void) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.outbox.run() }
            group.addTask { await self.keepAlive() }
            traffic.start(in: &group)
            if session.isDialler { confirmed() }
            let last = await read(traffic, in: &group, confirmed)
            finish(last)
            outbox.close()
            let ending = ending.withLock { $0 ?? last }
            // First out of sight, then broken: who is woken by the break must not find it again.
            ended(ending)
            traffic.lost()
            group.cancelAll()
        }
    }

    /// Ends the connection; the peer is told why first, where there is something to say.
    func finish(_ reason: Ending, telling goAway: GoAway? = nil) {
        ending.withLock { $0 = $0 ?? reason }
        let farewell: GoAway? =
            if case .protocolError(let error) = reason { GoAway(.protocolError, error.description) } else { goAway }
        if let farewell { _ = outbox.connection.send(farewell.frame()) }
        outbox.connection.close(flush: farewell != nil)
    }

    /// Tells the peer to begin nothing new here; answers still pass.
    func announceEnd(_ goAway: GoAway) {
        isAnnounced.withLock { $0 = true }
        _ = outbox.post(goAway.frame())
    }

    /// We have said that we begin nothing new here.
    var isRetired: Bool { isAnnounced.withLock { $0 } }

    /// The peer does not read what we send: there is no better way to tell it than to close.
    func post(_ frames: [UInt8]) {
        if !outbox.post(frames) { finish(.congested) }
    }

    // MARK: Inside

    private func read(
        _ traffic: some LaneTraffic, in group: inout DiscardingTaskGroup, _ confirmed: () -> Void
    ) async -> Ending {
        var decoder = session.decoder
        var isConfirmed = session.isDialler
        do {
            // Frames that came together with the end of the handshake.
            try take(&decoder, traffic, in: &group, &isConfirmed, confirmed)
            while let bytes = try await outbox.connection.receive() {
                decoder.feed(bytes)
                try take(&decoder, traffic, in: &group, &isConfirmed, confirmed)
            }
            return goAway.withLock { $0 }.map { .goAway($0) } ?? .closedByPeer
        } catch let error as WireError {
            counters.protocolErrors.count()
            return .protocolError(error)
        } catch is CancellationError {
            return .closedHere
        } catch {
            return .failed(error)
        }
    }

    /// Everything that is whole in what arrived. What is answered meanwhile leaves in one write.
    private func take(
        _ decoder: inout FrameDecoder, _ traffic: some LaneTraffic, in group: inout DiscardingTaskGroup,
        _ isConfirmed: inout Bool, _ confirmed: () -> Void
    ) throws(WireError) {
        let now = timeline.now
        keepalive.withLock { $0.heard(at: now) }
        outbox.cork()
        defer { outbox.uncork() }
        while let frame = try decoder.next() {
            if !isConfirmed, frame.kind != .goAway {
                isConfirmed = true
                confirmed()
            }
            switch frame.kind {
            case .ping: answer(frame)
            case .ack:
                let number = try Keepalive.number(in: frame.payload)
                _ = keepalive.withLock { $0.acknowledged(number, at: now) }
            case .goAway:
                let told = try GoAway(parsing: frame.payload)
                goAway.withLock { $0 = told }
            default: try traffic.received(frame, at: now, in: &group)
            }
        }
    }

    private func answer(_ ping: Frame) {
        var bytes: [UInt8] = []
        guard (try? session.writer.append(Frame(.ack, payload: ping.payload), to: &bytes)) != nil else { return }
        post(bytes)
    }

    private func keepAlive() async {
        let interval = keepalive.withLock { $0.settings.pingInterval }
        while !Task.isCancelled {
            let now = timeline.now
            switch keepalive.withLock({ $0.tick(at: now) }) {
            case .ping(let number):
                var bytes: [UInt8] = []
                let start = session.writer.begin(.ping, in: &bytes)
                Keepalive.append(number, to: &bytes)
                guard (try? session.writer.end(start, in: &bytes)) != nil else { return }
                post(bytes)
            case .giveUp(let silent):
                counters.silentConnections.count()
                finish(.silent(silent), telling: GoAway(.silent, "nothing was heard for \(silent)"))
                return
            case .wait(let moment):
                // While a ping is under way `moment` is when its time is over; it is answered long before, as a rule,
                // and then the next one is due an interval after it. Cancelled with the connection.
                let next = min(moment, now + interval)
                guard (try? await timeline.sleep(until: next)) != nil else { return }
            }
        }
    }
}
