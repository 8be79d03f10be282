import ClipModel
import Media
import Testing

@Suite struct SpeechScheduleTests {
    private let request = TranscriptionRequest(pcmPath: "/x.wav", chunk: TimeRange(start: 0, end: 60))
    private let chunk = TranscribedChunk(words: [], language: "es", languageProbability: 1, retriedWindows: 0)

    private func limits(children: Int = 2) -> SpeechConfiguration {
        SpeechConfiguration(executablePath: "/bin/worker", modelPath: "/model", childrenMax: children)
    }

    private func open(children: Int = 2) -> SpeechSchedule {
        var schedule = SpeechSchedule(limits(children: children))
        #expect(schedule.opened(at: 0) == [])
        return schedule
    }

    private func order(_ id: Int) -> SpeechOrder { .transcribe(id: id, request: request, threads: 1) }

    /// One warm child that works on request 1.
    private func busy(children: Int = 1) -> SpeechSchedule {
        var schedule = open(children: children)
        #expect(schedule.submitted(1, request, threads: 1, at: 0) == [.start(child: 0)])
        #expect(schedule.reported(.ready, by: 0, at: 1) == [.send(order(1), child: 0)])
        return schedule
    }

    @Test func `a child is started by the first request and kept warm for the next`() {
        var schedule = busy()
        #expect(schedule.reported(.transcribed(id: 1, chunk: chunk), by: 0, at: 5) == [.answer(request: 1, chunk)])
        #expect(schedule.submitted(2, request, threads: 1, at: 6) == [.send(order(2), child: 0)])
    }

    @Test func `no more children than there is work for, nor than allowed`() {
        var schedule = open()
        #expect(schedule.submitted(1, request, threads: 1, at: 0) == [.start(child: 0)])
        #expect(schedule.submitted(2, request, threads: 1, at: 0) == [.start(child: 1)])
        #expect(schedule.submitted(3, request, threads: 1, at: 0) == [])
        #expect(schedule.reported(.ready, by: 1, at: 1) == [.send(order(1), child: 1)])
        #expect(schedule.reported(.ready, by: 0, at: 1) == [.send(order(2), child: 0)])
        #expect(
            schedule.reported(.transcribed(id: 1, chunk: chunk), by: 1, at: 2)
                == [.answer(request: 1, chunk), .send(order(3), child: 1)])
    }

    @Test func `requests wait until the pool runs and are refused when it ends`() {
        var schedule = SpeechSchedule(limits())
        #expect(schedule.submitted(1, request, threads: 1, at: 0) == [])
        #expect(schedule.opened(at: 1) == [.start(child: 0)])
        #expect(schedule.closed() == [.refuse(request: 1, MediaError(.cancelled, "the node is stopping"))])
        #expect(schedule.reported(.ready, by: 0, at: 2) == [])
    }

    @Test func `a request whose child is lost is tried once more, then refused as transient`() {
        var schedule = busy()
        #expect(schedule.ended(.signalled(11), child: 0, at: 2) == [])
        #expect(schedule.ticked(at: 2.4) == [])
        #expect(schedule.ticked(at: 2.6) == [.start(child: 0)])
        #expect(schedule.reported(.ready, by: 0, at: 3) == [.send(order(1), child: 0)])
        let actions = schedule.ended(.signalled(9), child: 0, at: 4)
        #expect(actions.count == 1)
        guard case .refuse(request: 1, let error) = actions.first else {
            Issue.record("not refused: \(actions)")
            return
        }
        #expect(error.code == .speechWorkerLost && error.failure.class == .transient)
    }

    @Test func `progress never falls for the caller, though a second try begins anew`() {
        var schedule = busy()
        #expect(schedule.reported(.progress(id: 1, fraction: 0.6), by: 0, at: 1) == [.tell(request: 1, fraction: 0.6)])
        _ = schedule.ended(.signalled(11), child: 0, at: 2)
        _ = schedule.ticked(at: 9)
        _ = schedule.reported(.ready, by: 0, at: 10)
        #expect(schedule.reported(.progress(id: 1, fraction: 0.3), by: 0, at: 11) == [])
        #expect(schedule.reported(.progress(id: 1, fraction: 0.7), by: 0, at: 12) == [.tell(request: 1, fraction: 0.7)])
    }

    @Test func `a child that is silent for too long is killed, and only once`() {
        var schedule = busy()
        #expect(schedule.ticked(at: 100) == [])
        _ = schedule.reported(.progress(id: 1, fraction: 0.1), by: 0, at: 100)
        #expect(schedule.ticked(at: 219) == [])
        #expect(schedule.ticked(at: 221) == [.kill(child: 0)])
        #expect(schedule.ticked(at: 222) == [])
        #expect(schedule.ended(.signalled(9), child: 0, at: 222) == [])
        #expect(schedule.ticked(at: 230) == [.start(child: 0)])
    }

    @Test func `a cancelled request is told to the child, which is killed when it does not listen`() {
        var schedule = busy()
        #expect(schedule.cancelled(1, at: 2) == [.send(.cancel(id: 1), child: 0)])
        #expect(schedule.cancelled(1, at: 2) == [])
        #expect(schedule.ticked(at: 2.5) == [])
        #expect(schedule.ticked(at: 2.7) == [.kill(child: 0)])
        #expect(schedule.ended(.signalled(9), child: 0, at: 2.8) == [])
        // Killing it was our wish: the next request need not wait.
        #expect(schedule.submitted(2, request, threads: 1, at: 2.8) == [.start(child: 0)])
    }

    @Test func `a child that stops when told stays warm`() {
        var schedule = busy()
        _ = schedule.cancelled(1, at: 2)
        #expect(schedule.reported(.failed(id: 1, code: "cancelled", detail: ""), by: 0, at: 2.3) == [])
        #expect(schedule.submitted(2, request, threads: 1, at: 3) == [.send(order(2), child: 0)])
    }

    @Test func `a waiting request that is cancelled is never sent`() {
        var schedule = busy()
        #expect(schedule.submitted(2, request, threads: 1, at: 1) == [])
        #expect(schedule.cancelled(2, at: 1) == [])
        #expect(schedule.reported(.transcribed(id: 1, chunk: chunk), by: 0, at: 5) == [.answer(request: 1, chunk)])
    }

    @Test func `an idle child gives its memory back, and is killed when it does not go`() {
        var schedule = busy()
        _ = schedule.reported(.transcribed(id: 1, chunk: chunk), by: 0, at: 5)
        #expect(schedule.ticked(at: 124) == [])
        #expect(schedule.ticked(at: 126) == [.close(child: 0)])
        #expect(schedule.ticked(at: 130) == [.kill(child: 0)])
        #expect(schedule.ended(.signalled(9), child: 0, at: 131) == [])
        #expect(schedule.submitted(2, request, threads: 1, at: 131) == [.start(child: 0)])
    }

    @Test func `a child is replaced after its share of requests`() {
        var limits = limits(children: 1)
        limits.requestsPerChildMax = 1
        var schedule = SpeechSchedule(limits)
        _ = schedule.opened(at: 0)
        _ = schedule.submitted(1, request, threads: 1, at: 0)
        _ = schedule.reported(.ready, by: 0, at: 1)
        #expect(
            schedule.reported(.transcribed(id: 1, chunk: chunk), by: 0, at: 2)
                == [.answer(request: 1, chunk), .close(child: 0)])
        #expect(schedule.submitted(2, request, threads: 1, at: 2) == [])
        #expect(schedule.ended(.exited(0), child: 0, at: 3) == [.start(child: 0)])
    }

    @Test(arguments: [
        (SpeechWorker.Ending.modelMissing, "speech_model_missing"), (.modelBroken, "speech_model_broken"),
    ])
    func `a missing or broken model is said at once, to all who wait`(ending: SpeechWorker.Ending, code: String) {
        var schedule = open(children: 1)
        _ = schedule.submitted(1, request, threads: 1, at: 0)
        _ = schedule.submitted(2, request, threads: 1, at: 0)
        let actions = schedule.ended(.exited(ending.rawValue), child: 0, at: 1)
        let codes = actions.map { action in
            if case .refuse(_, let error) = action { error.code.rawValue } else { "\(action)" }
        }
        #expect(codes == [code, code])
    }

    @Test func `a child that cannot start is tried again ever more slowly, then given up`() {
        var schedule = open(children: 1)
        _ = schedule.submitted(1, request, threads: 1, at: 0)
        #expect(schedule.ended(.exited(1), child: 0, at: 0) == [])
        #expect(schedule.ticked(at: 0.6) == [.start(child: 0)])
        #expect(schedule.ended(.exited(1), child: 0, at: 1) == [])
        #expect(schedule.ticked(at: 1.9) == [])
        #expect(schedule.ticked(at: 2.1) == [.start(child: 0)])
        let actions = schedule.ended(.exited(1), child: 0, at: 3)
        #expect(actions.count == 1)
        if case .refuse(request: 1, let error) = actions.first { #expect(error.code == .speechWorkerLost) }
        // Who comes later waits for the end of the pause, and is served when things are better.
        #expect(schedule.submitted(2, request, threads: 1, at: 3) == [])
        #expect(schedule.ticked(at: 5.1) == [.start(child: 0)])
        #expect(schedule.reported(.ready, by: 0, at: 6) == [.send(order(2), child: 0)])
    }

    @Test func `the queue has an end`() {
        var limits = limits(children: 1)
        limits.queueMax = 1
        var schedule = SpeechSchedule(limits)
        _ = schedule.submitted(1, request, threads: 1, at: 0)
        guard case .refuse(request: 2, let error)? = schedule.submitted(2, request, threads: 1, at: 0).first else {
            Issue.record("a full queue took a request")
            return
        }
        #expect(error.failure.class == .transient)
    }

    @Test func `a failure of one request is its own, and the child goes on`() {
        var schedule = busy()
        let report = SpeechReport.failed(id: 1, code: "file_unreadable", detail: "gone")
        #expect(
            schedule.reported(report, by: 0, at: 2) == [.refuse(request: 1, MediaError(.fileUnreadable, "gone"))])
        #expect(schedule.submitted(2, request, threads: 1, at: 3) == [.send(order(2), child: 0)])
    }

    @Test func `reports about requests of another life are ignored`() {
        var schedule = busy()
        #expect(schedule.reported(.transcribed(id: 99, chunk: chunk), by: 0, at: 2) == [])
        #expect(schedule.reported(.progress(id: 99, fraction: 1), by: 0, at: 2) == [])
        #expect(schedule.reported(.ready, by: 0, at: 2) == [])
        #expect(schedule.reported(.transcribed(id: 1, chunk: chunk), by: 0, at: 3) == [.answer(request: 1, chunk)])
    }
}
