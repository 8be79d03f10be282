import Synchronization
import WireProtocol

/// What leaves on one connection.
///
/// A connection takes bytes until `outboundBytesMax` wait in it. What it does not take is held here and follows when it
/// has drained, in order: a cancel never overtakes its call. While something is held the outbox is congested: new calls
/// are not taken on (they are answered `busy`), so what has to be held stays bounded by what was running before.
final class Outbox: Sendable {
    private struct State {
        var corks = 0
        /// Frames since the outermost `cork`; they leave together.
        var batch: [UInt8] = []
        /// What the connection did not take.
        var held: [UInt8] = []
        var isClosed = false
        var room: Promise<Void>?
    }

    let connection: any PeerConnection
    /// Above this, whoever can wait waits; at twice as much the peer is taken for one that does not read.
    private let heldBytesMax: Int
    private let state = Mutex(State())
    private let bell = Bell()

    init(_ connection: any PeerConnection, heldBytesMax: Int) {
        self.connection = connection
        self.heldBytesMax = heldBytesMax
    }

    /// Whether the peer reads more slowly than we write.
    var isCongested: Bool { state.withLock { !$0.held.isEmpty } }

    /// Sends, or holds, without waiting. False when the connection is closed, or the peer does not read at all.
    func post(_ frames: [UInt8]) -> Bool {
        let (isTaken, hasToWait) = state.withLock { state -> (Bool, Bool) in
            if state.isClosed { return (false, false) }
            if state.corks > 0 {
                // The first frame of a batch is moved, not copied: most batches have one.
                if state.batch.isEmpty { state.batch = frames } else { state.batch += frames }
                return (true, false)
            }
            return pass(frames, &state)
        }
        if hasToWait { bell.ring() }
        return isTaken
    }

    /// As `post`, but waits while much is held. Throws when the connection is closed or the task is cancelled.
    func send(_ frames: [UInt8]) async throws {
        while let room = roomToWaitFor() { try await room.wait() }
        guard post(frames) else { throw ClosedError() }
    }

    struct ClosedError: Error {}

    /// From here to `uncork` frames are collected, to leave in one write: the answers to what arrived in one read.
    func cork() { state.withLock { $0.corks += 1 } }

    func uncork() {
        let hasToWait = state.withLock { state -> Bool in
            state.corks -= 1
            guard state.corks == 0, !state.batch.isEmpty else { return false }
            let batch = state.batch
            state.batch = []
            return state.isClosed ? false : pass(batch, &state).hasToWait
        }
        if hasToWait { bell.ring() }
    }

    /// Moves what is held as the connection drains, until it is closed or the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            await bell.wait()
            do {
                while try await flush() {}
            } catch {
                // Closed or cancelled: whoever reads the connection sees the same and says so.
                break
            }
        }
        close()
    }

    /// Nothing is sent any more; whoever waits for room is told.
    func close() {
        let room = state.withLock { state -> Promise<Void>? in
            state.isClosed = true
            (state.held, state.batch) = ([], [])
            defer { state.room = nil }
            return state.room
        }
        room?.settle(.failure(ClosedError()))
    }

    // MARK: Inside

    private func pass(_ frames: [UInt8], _ state: inout State) -> (isTaken: Bool, hasToWait: Bool) {
        if state.held.isEmpty, connection.send(frames) { return (true, false) }
        guard state.held.count <= 2 * heldBytesMax else { return (false, false) }
        state.held += frames
        return (true, true)
    }

    private func roomToWaitFor() -> Promise<Void>? {
        state.withLock { state in
            guard state.held.count > heldBytesMax, !state.isClosed else { return nil }
            let room = state.room ?? Promise()
            state.room = room
            return room
        }
    }

    /// Whether there may be more to move.
    private func flush() async throws -> Bool {
        if state.withLock({ $0.held.isEmpty }) { return false }
        try await connection.drained()
        let (isMoved, room) = state.withLock { state -> (Bool, Promise<Void>?) in
            guard connection.send(state.held) else { return (false, nil) }
            state.held = []
            defer { state.room = nil }
            return (true, state.room)
        }
        room?.settle(.success(()))
        return !isMoved
    }
}
