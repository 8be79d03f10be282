import ClipModel
import Hummingbird
import Jobs
import NIOCore
import ServiceLifecycle
import Store
import Synchronization

/// Sends one job's events to one client until the job or the client is gone. `EventFeed` decides; this only does it.
struct EventStream: Sendable {
    /// Rows of events held at one time.
    static let pageSize = 100
    static let reconnectMilliseconds = 2000

    let jobs: JobService
    let downloads: DownloadGate
    let id: JobID
    let after: Int64
    let pace: EventFeed.Pace
    let clock: any Clock<Duration>

    /// `@concurrent`, here and below, because the writer is: it may not cross from one isolation to another.
    /// Returns when the stream is over: after `end`, or when the node is shutting down.
    @concurrent func run(_ writer: inout any ResponseBodyWriter) async throws {
        let (rings, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let bell = Bell(continuation)
        let signals = jobs.store.signals()
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                for await signal in signals where concerns(signal) { bell.ring(dirty: true) }
            }
            group.addTask {
                while true {
                    try await clock.sleep(for: .seconds(min(pace.progressSeconds, 1)))
                    bell.ring(dirty: false)
                }
            }
            group.addTask {
                try await gracefulShutdown()
                // The client connects again, and its balancer finds another node.
                bell.stop()
            }
            try await send(&writer, rings: rings, bell: bell)
        }
    }

    @concurrent private func send(_ writer: inout any ResponseBodyWriter, rings: AsyncStream<Void>, bell: Bell)
        async throws
    {
        let now = stopwatch(clock)
        var feed = EventFeed(after: after, pace: pace, now: now())
        var last = try await jobs.view(id)
        try await write(.reconnect(afterMilliseconds: Self.reconnectMilliseconds), &writer)
        if let last {
            try await write(ServerSentEvent(name: "snapshot", data: try await text(last)), &writer)
            feed.read(last.status, isChanged: true, now: now())
        }
        var ring = rings.makeAsyncIterator()
        while let known = last, !feed.isOver {
            if bell.takeDirty() { feed.signalled() }
            let due = feed.due(now: now())
            do {
                if due.contains(.events) { try await sendEvents(&feed, now, &writer) }
                // Events first: what they announce is then in the view that follows.
                if due.contains(.progress) || due.contains(.events) {
                    last = try await sendView(known, &feed, now, &writer)
                }
            } catch let error as StoreError {
                // The database is away: keep the client, whose page says nothing new for as long.
                guard error.code != .corrupt, error.code != .refused else { throw error }
                feed.postpone(now: now())
            }
            if feed.due(now: now()).contains(.heartbeat) {
                try await write(.heartbeat, &writer)
                feed.wroteHeartbeat(now: now())
            }
            guard feed.due(now: now()).isEmpty, !feed.isOver else { continue }
            guard await ring.next() != nil else { return }
        }
        let end = End(status: last?.status.rawValue ?? "deleted")
        try await write(ServerSentEvent(name: "end", data: JSONAnswer.text(end)), &writer)
    }

    private struct End: Encodable { let status: String }

    @concurrent private func sendEvents(
        _ feed: inout EventFeed, _ now: () -> Double, _ writer: inout any ResponseBodyWriter
    ) async throws {
        let events = try await jobs.store.events(of: id, after: feed.lastEventID, limit: Self.pageSize)
        for event in events {
            try await write(
                ServerSentEvent(name: event.kind.rawValue, id: event.id, data: JSONAnswer.text(EventBody(event))),
                &writer)
        }
        feed.sent(events, isPageFull: events.count == Self.pageSize, now: now())
    }

    /// Nil: the job was deleted meanwhile.
    @concurrent private func sendView(
        _ last: JobView, _ feed: inout EventFeed, _ now: () -> Double, _ writer: inout any ResponseBodyWriter
    ) async throws -> JobView? {
        guard let view = try await jobs.view(id) else { return nil }
        if view != last {
            try await write(ServerSentEvent(name: "progress", data: try await text(view)), &writer)
        }
        feed.read(view.status, isChanged: view != last, now: now())
        return view
    }

    @concurrent private func text(_ view: JobView) async throws -> String {
        JSONAnswer.text(JobBody(view, try await downloads.addresses()))
    }

    @concurrent private func write(_ event: ServerSentEvent, _ writer: inout any ResponseBodyWriter) async throws {
        try await writer.write(ByteBuffer(string: event.text))
    }

    private func concerns(_ signal: StoreSignal) -> Bool {
        switch signal {
        case .job(let job), .stop(let job): job == id
        case .resynchronise: true
        case .work, .upload: false
        }
    }
}

/// Wakes the sender. Rings while it is busy become one; whether one of them said "something changed" is kept.
private final class Bell: Sendable {
    private let dirty = Mutex(false)
    private let continuation: AsyncStream<Void>.Continuation

    init(_ continuation: AsyncStream<Void>.Continuation) { self.continuation = continuation }

    func ring(dirty isDirty: Bool) {
        if isDirty { dirty.withLock { $0 = true } }
        continuation.yield()
    }

    func takeDirty() -> Bool {
        dirty.withLock { dirty in
            defer { dirty = false }
            return dirty
        }
    }

    func stop() { continuation.finish() }
}

/// A durable event as clients read it.
struct EventBody: Encodable, Sendable {
    let id: Int64
    let at: Timestamp
    let kind: Event.Kind
    let stage: String?
    let node: NodeID?
    let clip: ClipID?
    let error: JobView.ErrorView?

    init(_ event: Event) {
        id = event.id
        at = event.at
        kind = event.kind
        stage = event.stage?.description
        node = event.node
        clip = event.clip
        error = event.failure.map { JobView.ErrorView($0, stage: event.stage) }
    }
}
