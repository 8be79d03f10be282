import Membership
import Testing

@Suite struct FormulaTests {
    private let lan = MembershipConfiguration.lan

    @Test(arguments: [(1, 0), (2, 0), (3, 1), (4, 2), (5, 3), (6, 3), (1000, 3)])
    func `small clusters ask fewer relays, because there are no more`(members: Int, relays: Int) {
        #expect(lan.indirectProbes(members: members) == relays)
    }

    @Test(arguments: [(1, 4), (9, 4), (10, 8), (99, 8), (100, 12), (999, 12), (1000, 16)])
    func `a rumour is sent lambda times the logarithm of the members`(members: Int, times: Int) {
        #expect(lan.transmissionsMax(members: members) == times)
    }

    @Test(arguments: [(1, 1), (32, 1), (33, 2), (64, 2), (65, 3), (1000, 6)])
    func `what every node does on its own becomes rarer`(members: Int, scale: Int) {
        #expect(lan.scale(members: members) == scale)
    }

    @Test(arguments: [
        // members, confirmations, milliseconds
        (2, 0, 2000), (3, 0, 4000), (3, 1, 2000), (10, 0, 4000), (10, 1, 2738), (10, 2, 2000), (10, 9, 2000),
        (100, 0, 8000), (100, 2, 4000), (1000, 2, 6000),
    ])
    func `a suspicion lasts as Lifeguard says`(members: Int, confirmations: Int, milliseconds: Int) {
        let length = lan.suspicion(members: members).length(confirmations: confirmations)
        #expect(abs((length - .milliseconds(milliseconds)) / .milliseconds(1)) <= 1, "\(length)")
    }

    @Test(arguments: [
        MembershipConfiguration.local, .lan, .wan, .test,
    ])
    func `the presets keep their own rules`(preset: MembershipConfiguration) {
        let probe = preset.probeTimeout * 2
        #expect(preset.pauseNoticedAfter >= probe)
        #expect(preset.pauseNoticedAfter < preset.suspicion(members: 2).shortest)
        #expect(preset.refusedAgainAfter * (preset.refusalsBeforeDeath - 1) < preset.silenceBeforeDeath)
        #expect(preset.settlingMax >= preset.settling)
        #expect(preset.leaveLinger == preset.gossipInterval * 5)
        #expect(preset.silenceBeforeDeath > preset.suspicion(members: 1000).longest)
    }

    @Test func `pauses of eight seconds are forgiven three times over`() {
        for preset in [MembershipConfiguration.local, .lan, .wan] {
            #expect(preset.silenceBeforeDeath >= .seconds(3 * 8))
        }
    }
}

@Suite struct AwakeClockTests {
    @Test func `being on time or a little late changes nothing`() {
        var clock = AwakeClock(pauseNoticedAfter: .seconds(1))
        #expect(clock.read(.seconds(5), expected: nil).now == .seconds(5))
        let reading = clock.read(.seconds(7), expected: .seconds(6))
        #expect(reading.now == .seconds(7) && reading.lateness == .seconds(1) && !reading.wasPaused)
        #expect(clock.outer(.seconds(9)) == .seconds(9))
    }

    @Test func `a pause is cut out, and deadlines move by its length`() {
        var clock = AwakeClock(pauseNoticedAfter: .seconds(1))
        _ = clock.read(.seconds(5), expected: nil)
        let woken = clock.read(.seconds(14), expected: .seconds(6))
        #expect(woken.wasPaused && woken.now == .seconds(6) && woken.lateness == .seconds(8))
        #expect(clock.paused == .seconds(8))
        // What was due two seconds after the pause began is due two seconds after it ended.
        #expect(clock.outer(.seconds(8)) == .seconds(16))
        #expect(clock.read(.seconds(15), expected: .seconds(8)).now == .seconds(7))
    }

    @Test func `a clock that is set back stands still`() {
        var clock = AwakeClock(pauseNoticedAfter: .seconds(1))
        _ = clock.read(.seconds(5), expected: nil)
        #expect(clock.read(.seconds(3), expected: .seconds(6)).now == .seconds(5))
        #expect(clock.read(.seconds(5.5), expected: .seconds(6)).now == .seconds(5.5))
    }
}

@Suite struct RumourQueueTests {
    private func names(_ rumours: [Rumour]) -> [String] { rumours.map(\.member.id.rawValue) }

    private func filled(_ names: [String], max: Int = 100) -> RumourQueue {
        var queue = RumourQueue()
        for name in names { _ = queue.insert(rumour(name), max: max) }
        return queue
    }

    @Test func `what was sent least often goes first, the newest first`() {
        var queue = filled(["a", "b"])
        #expect(names(queue.take(bytes: 10_000, transmissionsMax: 4) { _ in true }) == ["b", "a"])
        _ = queue.insert(rumour("c"), max: 100)
        let one = rumour("c").bytes
        #expect(names(queue.take(bytes: one, transmissionsMax: 4) { _ in true }) == ["c"])
        #expect(queue.count == 3)
    }

    @Test func `a rumour ends after its number of transmissions`() {
        var queue = filled(["a"])
        for _ in 0..<3 { #expect(queue.take(bytes: 10_000, transmissionsMax: 3) { _ in true }.count == 1) }
        #expect(queue.isEmpty)
        #expect(queue.take(bytes: 10_000, transmissionsMax: 3) { _ in true }.isEmpty)
    }

    @Test func `a message stays within its budget of bytes`() {
        var queue = filled((0..<50).map { "n\($0)" })
        var seen: Set<String> = []
        while !queue.isEmpty {
            let rumours = queue.take(bytes: 1000, transmissionsMax: 4) { _ in true }
            #expect(rumours.reduce(0) { $0 + $1.bytes } <= 1000)
            // Else the loop would never end.
            guard !rumours.isEmpty else {
                Issue.record("\(queue.count) rumours wait for ever")
                return
            }
            seen.formUnion(names(rumours))
        }
        #expect(seen.count == 50)
    }

    @Test func `what is no longer true is not told`() {
        var queue = filled(["a", "b", "c"])
        #expect(names(queue.take(bytes: 10_000, transmissionsMax: 4) { $0.member.id != memberID("b") }) == ["c", "a"])
        #expect(queue.count == 2)
    }

    @Test func `a full queue drops what was sent most often`() {
        var queue = filled(["a", "b"], max: 3)
        _ = queue.take(bytes: 10_000, transmissionsMax: 4) { _ in true }
        #expect(queue.insert(rumour("c"), max: 3) == 0)
        #expect(queue.insert(rumour("d"), max: 3) == 1)
        #expect(queue.count == 3)
        let left = names(queue.take(bytes: 10_000, transmissionsMax: 4) { _ in true })
        #expect(left.contains("c") && left.contains("d") && left.count == 3)
    }
}
