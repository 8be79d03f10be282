import Membership
import Synchronization
import WireProtocol

/// Streams of bytes between us and one peer, on one connection of their own.
final class BulkLane: LaneTraffic {
    typealias Waiter = CheckedContinuation<Void, Never>

    let connection: LaneConnection
    private let system: ClusterActorSystem
    private let streams: Mutex<StreamTable<Waiter>>
    /// Rings when there may be frames to send.
    private let bell = Bell()

    /// Bytes that are put together for one write; 256 KiB. A few chunks at a time, so that credit and closes pass soon.
    private static let writeBytesMax = 256 << 10

    init(_ connection: LaneConnection, _ system: ClusterActorSystem) {
        self.connection = connection
        self.system = system
        let session = connection.session
        streams = Mutex(
            StreamTable(
                isDialler: session.isDialler, limits: system.identity.limits, allowance: session.allowance))
    }

    var isIdle: Bool { streams.withLock { $0.count == 0 && !$0.hasFrames } }

    // MARK: The local end

    func open(_ purpose: StreamPurpose) throws -> ClusterStream {
        guard let id = streams.withLock({ $0.open(purpose: purpose.bytes[...]) }) else {
            system.counters.streamsRefused.count()
            throw ClusterCallError(
                .busy, "\(connection.peer.id) takes \(connection.session.allowance.streamsMax) streams at a time",
                retryAfter: system.configuration.busyRetryAfter)
        }
        bell.ring()
        system.counters.streamsOpened.count()
        return ClusterStream(id, self)
    }

    func write(_ bytes: ArraySlice<UInt8>, to id: UInt32) async throws {
        var rest = bytes
        while !rest.isEmpty {
            try Task.checkCancellation()
            switch streams.withLock({ $0.write(rest, to: id) }) {
            case .took(let count):
                rest = rest.dropFirst(count)
                if count > 0 { bell.ring() }
                if !rest.isEmpty { await wait(id) { $0.awaitWritable(id, $1) } }
            case .broken(let reset): throw reset
            }
        }
    }

    func read(_ id: UInt32) async throws -> ArraySlice<UInt8>? {
        while true {
            try Task.checkCancellation()
            let (answer, hasFrames) = streams.withLock { ($0.read(id), $0.hasFrames) }
            if hasFrames { bell.ring() }
            switch answer {
            case .bytes(let bytes): return bytes
            case .end: return nil
            case .broken(let reset): throw reset
            case .nothingYet: await wait(id) { $0.awaitReadable(id, $1) }
            }
        }
    }

    func finish(_ id: UInt32) {
        streams.withLock { $0.finish(id) }
        bell.ring()
    }

    func reset(_ id: UInt32, _ reset: StreamReset) {
        wake(streams.withLock { $0.reset(id, reset) })
        bell.ring()
    }

    func release(_ id: UInt32) {
        wake(streams.withLock { $0.release(id) })
        bell.ring()
    }

    /// Waits to be woken; also when the task is cancelled, for the caller looks.
    private func wait(_ id: UInt32, _ begin: (inout StreamTable<Waiter>, Waiter) -> Waiter?) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = streams.withLock { table -> Waiter? in
                    Task.isCancelled ? continuation : begin(&table, continuation)
                }
                isReady?.resume()
            }
        } onCancel: {
            wake(streams.withLock { $0.stopWaiting(id) })
        }
    }

    private func wake(_ waiters: (reader: Waiter?, writer: Waiter?)) {
        waiters.reader?.resume()
        waiters.writer?.resume()
    }

    // MARK: Frames

    func start(in group: inout DiscardingTaskGroup) { group.addTask { await self.pump() } }

    func received(_ frame: Frame, at now: Duration, in group: inout DiscardingTaskGroup) throws(WireError) {
        let (received, hasFrames) = try streams.withLock { table throws(WireError) in
            let received = try table.received(frame)
            return (received, table.hasFrames)
        }
        wake((received.reader, received.writer))
        if hasFrames { bell.ring() }
        if let opened = received.opened {
            let (id, purpose) = (opened.id, Array(opened.purpose))
            group.addTask { await self.serve(id, purpose) }
        }
    }

    func lost() { for waiter in streams.withLock({ $0.connectionLost() }) { waiter.resume() } }

    private func serve(_ id: UInt32, _ purpose: [UInt8]) async {
        let stream = ClusterStream(id, self)
        await system.serve(stream, StreamPurpose(parsing: purpose[...]), from: connection.peer)
        release(id)
    }

    /// Sends what the table has, as fast as the connection takes it and no faster: what is not sent yet waits in the
    /// streams, whose writers wait in turn.
    private func pump() async {
        while !Task.isCancelled {
            await bell.wait()
            do {
                while let bytes = try next() {
                    while !connection.outbox.connection.send(bytes) { try await connection.outbox.connection.drained() }
                }
            } catch {
                // Closed or cancelled, which the reader sees too; or a frame that does not fit, which is a defect of
                // ours and ends the connection like one of the peer's.
                if let error = error as? WireError { connection.finish(.protocolError(error)) }
                return
            }
        }
    }

    private func next() throws -> [UInt8]? {
        var bytes: [UInt8] = []
        var writers: [Waiter] = []
        try streams.withLock { table in
            while bytes.count < Self.writeBytesMax {
                let (isAppended, wakes) = try table.nextFrame(connection.session.writer, into: &bytes)
                if let wakes { writers.append(wakes) }
                if !isAppended { break }
            }
        }
        for writer in writers { writer.resume() }
        return bytes.isEmpty ? nil : bytes
    }
}
