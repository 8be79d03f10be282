import ClipModel
import PostgresStore
import Store
import Testing

@Suite struct PoolScheduleTests {
    @Test func `lanes are given out, then callers wait in order, then they are refused`() {
        var schedule = PoolSchedule(lanes: 2, waitersMax: 2)
        #expect(schedule.asked(by: 1) == .take(lane: 0))
        #expect(schedule.asked(by: 2) == .take(lane: 1))
        #expect(schedule.asked(by: 3) == .wait)
        #expect(schedule.asked(by: 4) == .wait)
        #expect(schedule.asked(by: 5) == .refuse)
        #expect(schedule.returned(lane: 1) == 3)
        #expect(schedule.returned(lane: 0) == 4)
        #expect(schedule.returned(lane: 0) == nil)
    }

    @Test func `the lane that was used last is given first`() {
        var schedule = PoolSchedule(lanes: 3, waitersMax: 0)
        for waiter in 0..<3 { _ = schedule.asked(by: waiter) }
        for lane in [2, 0, 1] { #expect(schedule.returned(lane: lane) == nil) }
        #expect(schedule.asked(by: 9) == .take(lane: 1))
        #expect(schedule.asked(by: 9) == .take(lane: 0))
    }

    @Test func `a waiter gives up once, and not when it was served`() {
        var schedule = PoolSchedule(lanes: 1, waitersMax: 2)
        _ = schedule.asked(by: 1)
        _ = schedule.asked(by: 2)
        _ = schedule.asked(by: 3)
        let answers = [schedule.gaveUp(2), schedule.gaveUp(2)]
        #expect(answers == [true, false])
        #expect(schedule.returned(lane: 0) == 3)
        let late = schedule.gaveUp(3)
        #expect(!late)
    }

    /// Every history of two lanes and three callers, seven steps long.
    @Test func `no lane is ever held twice or lost`() {
        struct History {
            var schedule = PoolSchedule(lanes: 2, waitersMax: 2)
            var held: [Int: Int] = [:]
            var waiting: Set<Int> = []
        }
        func follow(_ history: History, _ steps: Int) -> Int {
            guard steps > 0 else { return 1 }
            var count = 0
            for caller in 0..<3 {
                var next = history
                if let lane = next.held.removeValue(forKey: caller) {
                    if let served = next.schedule.returned(lane: lane) {
                        #expect(next.waiting.remove(served) != nil)
                        next.held[served] = lane
                    }
                } else if next.waiting.contains(caller) {
                    let left = next.schedule.gaveUp(caller)
                    #expect(left)
                    next.waiting.remove(caller)
                } else {
                    switch next.schedule.asked(by: caller) {
                    case .take(let lane): next.held[caller] = lane
                    case .wait: next.waiting.insert(caller)
                    case .refuse: Issue.record("three callers cannot fill two lanes and two places")
                    }
                }
                #expect(Set(next.held.values).count == next.held.count)
                #expect(next.waiting.isEmpty || next.held.count == 2, "a caller waits although a lane is free")
                count += follow(next, steps - 1)
            }
            return count
        }
        #expect(follow(History(), 7) == 2187)
    }
}

@Suite struct BackOffTests {
    @Test func `waits grow, keep to their bounds and start over`() {
        var random = Counter(state: 7)
        var backOff = BackOff(firstSeconds: 0.05, secondsMax: 2)
        var waits: [Double] = []
        for _ in 0..<200 { waits.append(backOff.next(using: &random)) }
        #expect(waits.allSatisfy { (0.05...2).contains($0) })
        #expect(waits[0] <= 0.15 && waits.max() == 2)
        #expect(Set(waits).count > 50, "chance spreads them")
        backOff.reset()
        #expect(backOff.next(using: &random) <= 0.15)
    }

    /// SplitMix64.
    private struct Counter: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}

@Suite struct AnnouncementTests {
    @Test func `signals survive the way through a payload`() {
        let jobs: [JobID] = (0..<3).map { _ in Numbers().identifier() }
        let signals: Set<StoreSignal> = [.work, .job(jobs[0]), .stop(jobs[1]), .job(jobs[2]), .resynchronise]
        let payloads = Announcement.payloads(of: signals)
        #expect(payloads.count == 1)
        #expect(Set(payloads.flatMap(Announcement.signals(in:))) == signals)
    }

    @Test func `many signals are cut into payloads that the server takes`() {
        let numbers = Numbers()
        let signals: Set<StoreSignal> = Set((0..<1000).map { _ in .job(numbers.identifier()) })
        let payloads = Announcement.payloads(of: signals)
        #expect(payloads.count > 1 && payloads.allSatisfy { $0.utf8.count <= Announcement.payloadBytesMax })
        #expect(Set(payloads.flatMap(Announcement.signals(in:))) == signals)
    }

    @Test func `words of a newer release are skipped`() {
        #expect(Announcement.signals(in: "w x:new j:nonsense") == [.work])
        #expect(Announcement.signals(in: "").isEmpty)
        #expect(Announcement.payloads(of: [StoreSignal]()).isEmpty)
    }
}
