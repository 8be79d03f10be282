import ClipModel
import HTTPGateway
import Testing

struct ServerSentEventTests {
    @Test func `an event carries its id, its name and each line of its data`() {
        let event = ServerSentEvent(name: "stage.done", id: 42, data: "one\ntwo")
        #expect(event.text == "id: 42\nevent: stage.done\ndata: one\ndata: two\n\n")
    }

    @Test func `an event without an id leaves the last one standing`() {
        #expect(ServerSentEvent(name: "progress", data: "{}").text == "event: progress\ndata: {}\n\n")
    }

    @Test func `no line break in data can end an event early`() {
        for lineBreak in ["\n", "\r\n", "\r"] {
            let text = ServerSentEvent(name: "x", data: "a\(lineBreak)\(lineBreak)b").text
            #expect(text == "event: x\ndata: a\ndata: \ndata: b\n\n")
        }
    }

    @Test func `a heartbeat is a comment`() {
        #expect(ServerSentEvent.heartbeat.text.hasPrefix(":"))
        #expect(ServerSentEvent.heartbeat.text.hasSuffix("\n\n"))
    }
}

struct EventFeedTests {
    private let pace = EventFeed.Pace(progressSeconds: 1, pollSeconds: 5, heartbeatSeconds: 15)
    private let job = JobID("job_" + String(repeating: "0", count: 26))!

    private func event(_ id: Int64) -> Event {
        Event(id: id, job: job, at: Timestamp(millisecondsSinceEpoch: 0), kind: .stageDone)
    }

    /// A feed that has read everything at second 0.
    private func settled(after last: Int64 = 0) -> EventFeed {
        var feed = EventFeed(after: last, pace: pace, now: 0)
        feed.sent([], isPageFull: false, now: 0)
        feed.read(.processing, isChanged: true, now: 0)
        return feed
    }

    @Test func `a new stream reads events at once`() {
        #expect(EventFeed(after: 7, pace: pace, now: 0).due(now: 0) == .events)
    }

    @Test func `nothing is due until the clock says so`() {
        let feed = settled()
        #expect(feed.due(now: 0.9) == [])
        #expect(feed.due(now: 1) == .progress)
        #expect(feed.due(now: 5) == [.events, .progress])
        #expect(feed.due(now: 15) == [.events, .progress, .heartbeat])
    }

    @Test func `a signal makes events due at once`() {
        var feed = settled()
        feed.signalled()
        #expect(feed.due(now: 0.1) == .events)
        feed.sent([event(3)], isPageFull: false, now: 0.1)
        #expect(feed.due(now: 0.1) == [])
        #expect(feed.lastEventID == 3)
    }

    @Test func `a full page is followed by the next`() {
        var feed = settled()
        feed.signalled()
        feed.sent([event(1), event(2)], isPageFull: true, now: 0)
        #expect(feed.due(now: 0) == .events)
    }

    @Test func `whatever is written puts the heartbeat off`() {
        var feed = settled()
        feed.sent([event(1)], isPageFull: false, now: 14)
        #expect(!feed.due(now: 28).contains(.heartbeat))
        #expect(feed.due(now: 29).contains(.heartbeat))
        feed.wroteHeartbeat(now: 29)
        #expect(!feed.due(now: 30).contains(.heartbeat))
    }

    @Test func `reading without a change puts nothing off`() {
        var feed = settled()
        feed.read(.processing, isChanged: false, now: 10)
        #expect(feed.due(now: 15).contains(.heartbeat))
    }

    @Test(arguments: [Job.Status.ready, .error, .cancelled])
    func `the last events are read before the end`(status: Job.Status) {
        var feed = settled()
        feed.read(status, isChanged: true, now: 1)
        #expect(!feed.isOver)
        #expect(feed.due(now: 1) == .events)
        feed.sent([event(9)], isPageFull: false, now: 1)
        #expect(feed.isOver)
        feed.read(status, isChanged: false, now: 1)
        #expect(feed.isOver)
    }

    @Test func `a job that is retried while watched goes on`() {
        var feed = settled()
        feed.read(.error, isChanged: true, now: 1)
        feed.sent([], isPageFull: false, now: 1)
        feed.read(.processing, isChanged: true, now: 1)
        #expect(!feed.isOver)
    }

    @Test func `a store that does not answer is asked again by the clock`() {
        var feed = settled()
        feed.signalled()
        feed.postpone(now: 3)
        #expect(feed.due(now: 3.5) == [])
        #expect(feed.due(now: 4) == [.events, .progress])
    }

    @Test func `a stream does not end over a store that failed at its last events`() {
        var feed = settled()
        feed.read(.ready, isChanged: true, now: 1)
        feed.postpone(now: 1)
        #expect(!feed.isOver)
        feed.sent([event(9)], isPageFull: false, now: 2)
        #expect(feed.isOver)
    }
}
