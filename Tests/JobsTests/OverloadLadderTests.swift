import ClipModel
import Jobs
import Store
import Testing

@Suite struct OverloadLadderTests {
    private typealias Reading = OverloadLadder.Reading

    /// Seconds of queue, one reading every five seconds; the level after each.
    private func levels(_ queue: [Double?], from start: OverloadLadder = OverloadLadder()) -> [OverloadLevel] {
        var ladder = start
        return queue.enumerated().map { index, seconds in
            _ = ladder.received(Reading(queueSeconds: seconds), at: .seconds(5 * index))
            return ladder.level
        }
    }

    @Test(arguments: [
        (0.0, OverloadLevel.normal), (119, .normal), (120, .delayBatch), (299, .delayBatch), (300, .sendAway),
        (1799, .sendAway), (1800, .deferNew), (7199, .deferNew), (7200, .refuse), (1e9, .refuse),
    ])
    func `the level is the highest that the queue reaches, at once`(seconds: Double, level: OverloadLevel) {
        #expect(levels([seconds]) == [level])
    }

    @Test func `it comes down one rung for each dwell, and not before`() {
        var ladder = OverloadLadder()
        _ = ladder.received(Reading(queueSeconds: 8000), at: .zero)
        var changes: [Int: OverloadLevel] = [:]
        for second in stride(from: 1, through: 200, by: 1) {
            if let change = ladder.received(Reading(queueSeconds: 0), at: .seconds(second)) {
                changes[second] = change.to
            }
        }
        #expect(changes == [30: .deferNew, 60: .sendAway, 90: .delayBatch, 120: .normal])
        #expect(ladder.cause == nil)
    }

    @Test(arguments: [
        (OverloadLevel.delayBatch, 120.0, 60.0), (.sendAway, 300, 150), (.deferNew, 1800, 900), (.refuse, 7200, 3600),
    ])
    func `a level stays at half of what raised it and is left below`(
        level: OverloadLevel, up: Double, half: Double
    ) {
        #expect(levels([up] + Array(repeating: half, count: 60)).allSatisfy { $0 == level })
        #expect(levels([up] + Array(repeating: half - 0.1, count: 8)).last == level.below)
    }

    @Test func `readings that swing around a threshold change nothing`() {
        let swinging = (0..<200).map { $0.isMultiple(of: 2) ? 310.0 : 151 }
        #expect(levels(swinging).allSatisfy { $0 == .sendAway })
        // Below for less than a dwell, then up again: still the same.
        let dips = (0..<200).map { $0.isMultiple(of: 6) ? 310.0 : 10 }
        #expect(levels(dips).allSatisfy { $0 == .sendAway })
    }

    @Test func `what cannot be read counts as it was read last`() {
        #expect(levels([400, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil]).allSatisfy { $0 == .sendAway })
        #expect(levels([nil, nil, nil]).allSatisfy { $0 == .normal })
        var ladder = OverloadLadder()
        _ = ladder.received(Reading(diskFreeBytes: 1), at: .zero)
        for second in 1...100 { _ = ladder.received(Reading(queueSeconds: 0), at: .seconds(second)) }
        #expect(ladder.level == .refuse && ladder.cause == .disk)
    }

    @Test func `a full disk refuses whatever the queue, until a quarter more is free`() {
        var ladder = OverloadLadder(OverloadLadder.Thresholds(diskFreeBytesMin: 1000))
        #expect(ladder.received(Reading(queueSeconds: 0, diskFreeBytes: 1000), at: .zero) == nil)
        let change = ladder.received(Reading(queueSeconds: 0, diskFreeBytes: 999), at: .seconds(5))
        #expect(change == OverloadLadder.Change(from: .normal, to: .refuse, cause: .disk))
        #expect(ladder.retryAfterSeconds == OverloadLadder.retryAfterSecondsDefault)
        _ = ladder.received(Reading(queueSeconds: 0, diskFreeBytes: 1249), at: .seconds(500))
        #expect(ladder.level == .refuse)
        _ = ladder.received(Reading(queueSeconds: 0, diskFreeBytes: 1250), at: .seconds(530))
        #expect(ladder.level == .deferNew)
    }

    @Test func `memory pressure lets batch jobs wait and no more`() {
        var ladder = OverloadLadder()
        _ = ladder.received(Reading(queueSeconds: 0, memoryPressurePercent: 100), at: .zero)
        #expect(ladder.level == .delayBatch && ladder.cause == .memory)
        _ = ladder.received(Reading(queueSeconds: 0, memoryPressurePercent: 4), at: .seconds(30))
        #expect(ladder.level == .normal)
    }

    @Test(arguments: [(7200.0, 3600), (3700, 100), (3600, 10), (7300, 3600), (1e12, 3600)])
    func `whoever is refused is told when the queue will have fallen far enough`(seconds: Double, wait: Int) {
        var ladder = OverloadLadder()
        _ = ladder.received(Reading(queueSeconds: 8000), at: .zero)
        _ = ladder.received(Reading(queueSeconds: seconds), at: .seconds(1))
        #expect(ladder.level == .refuse && ladder.retryAfterSeconds == wait)
    }

    @Test func `whatever the readings, a level never falls by more than a rung nor sooner than its dwell`() {
        var random = SplitMix64(state: 7)
        for _ in 0..<300 {
            var ladder = OverloadLadder()
            var (now, lastFall) = (0, -1000)
            for _ in 0..<100 {
                now += Int.random(in: 0...20, using: &random)
                let reading = Reading(
                    queueSeconds: Bool.random(using: &random) ? Double.random(in: 0...9000, using: &random) : nil,
                    diskFreeBytes: Int64.random(in: 0...100, using: &random) == 0 ? 0 : 1 << 40,
                    memoryPressurePercent: Double.random(in: 0...12, using: &random))
                guard let change = ladder.received(reading, at: .seconds(now)), change.to < change.from else {
                    continue
                }
                #expect(change.to == change.from.below)
                #expect(now - lastFall >= 30)
                lastFall = now
            }
        }
    }

    // MARK: Where a job goes

    private func state(_ level: OverloadLevel, _ regions: [(String, Double, Int)]) -> OverloadState {
        let queues = QueueReading(
            regions: regions.map { .init(region: Region($0.0)!, openSeconds: $0.1, threads: $0.2) })
        return OverloadState(
            level: level, since: Timestamp(millisecondsSinceEpoch: 0),
            queueSeconds: queues.expectedSeconds(in: Region("eu")!), queues: queues)
    }

    private func berth(_ level: OverloadLevel, _ regions: [(String, Double, Int)]) -> OverloadState.Berth {
        state(level, regions).berth(at: Region("eu")!, OverloadLadder.Thresholds(), deferSecondsMax: 3600)
    }

    @Test func `a job goes to the region with the shortest queue, and only from the level that sends away`() {
        let regions = [("ap", 100.0, 1), ("eu", 800, 2), ("us", 40, 1)]
        #expect(berth(.delayBatch, regions).region == Region("eu"))
        #expect(berth(.sendAway, regions) == .init(region: Region("us")!, opensAfterSeconds: 0))
        #expect(berth(.refuse, regions).region == Region("us"))
    }

    @Test
    func `it stays where no other region has nodes, or enough room, and is begun later from the level that defers`() {
        #expect(berth(.sendAway, [("eu", 800, 2), ("us", 0, 0)]).region == Region("eu"))
        // Two regions that are both loaded send each other nothing.
        #expect(berth(.sendAway, [("eu", 800, 2), ("us", 160, 1)]).region == Region("eu"))
        #expect(berth(.deferNew, [("eu", 8000, 2)]) == .init(region: Region("eu")!, opensAfterSeconds: 3600))
        #expect(berth(.sendAway, [("eu", 8000, 2)]).opensAfterSeconds == 0)
    }

    @Test func `a region without threads waits for those of the others, and nobody can say where there are none`() {
        let queues = QueueReading(regions: [
            .init(region: Region("eu")!, openSeconds: 100, deferredSeconds: 50),
            .init(region: Region("us")!, openSeconds: 50, threads: 4),
        ])
        #expect(queues.expectedSeconds(in: Region("eu")!) == 50)
        #expect(queues.expectedSeconds(in: Region("us")!) == 12.5)
        #expect(queues.expectedSeconds(in: Region("ap")!) == 0)
        #expect(QueueReading(regions: []).expectedSeconds(in: Region("eu")!) == nil)
    }
}
