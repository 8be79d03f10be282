import ClipModel
import Jobs
import Store
import Synchronization
import Testing

@Suite struct ClaimGuardTests {
    private static let limits = ClaimGuard.Limits(
        memoryFreeBytesMin: 500, stageMemoryBytes: 100, memoryPressurePercentMax: 25, diskFreeBytesMin: 1000)

    private func objection(_ reading: MachineReading, young: Int = 0, isIdle: Bool = false) -> ClaimGuard.Objection? {
        ClaimGuard(Self.limits).objection(to: reading, young: young, isIdle: isIdle)
    }

    @Test func `memory must leave its minimum, the stages that have just begun, and one more`() {
        #expect(objection(MachineReading(memoryAvailableBytes: 600)) == nil)
        #expect(objection(MachineReading(memoryAvailableBytes: 599))?.code == .memoryShort)
        #expect(objection(MachineReading(memoryAvailableBytes: 799), young: 2)?.code == .memoryShort)
        #expect(objection(MachineReading(memoryAvailableBytes: 800), young: 2) == nil)
    }

    @Test func `stages that begin together must fit together`() {
        let table: [(free: Int64, wish: Int, isIdle: Bool, room: Int)] = [
            (599, 4, false, 0), (600, 4, false, 1), (800, 4, false, 3), (800, 2, false, 2), (9000, 4, false, 4),
            (499, 4, true, 0), (500, 4, true, 1), (699, 4, true, 1), (700, 4, true, 2),
        ]
        for (free, wish, isIdle, room) in table {
            let reading = MachineReading(memoryAvailableBytes: free)
            let found = ClaimGuard(Self.limits).room(in: reading, forUpTo: wish, young: 0, isIdle: isIdle)
            #expect(found == room, "\(free) bytes for \(wish), idle \(isIdle)")
        }
    }

    @Test func `a machine smaller than one stage's estimate works on one stage at a time`() {
        #expect(objection(MachineReading(memoryAvailableBytes: 500), isIdle: true) == nil)
        #expect(objection(MachineReading(memoryAvailableBytes: 499), isIdle: true)?.code == .memoryShort)
    }

    @Test func `pressure and disk object by their own limits, and what is not read does not`() {
        #expect(objection(MachineReading(memoryPressurePercent: 24.9)) == nil)
        #expect(objection(MachineReading(memoryPressurePercent: 25))?.code == .memoryPressure)
        #expect(objection(MachineReading(diskFreeBytes: 1000)) == nil)
        #expect(objection(MachineReading(diskFreeBytes: 999))?.code == .diskShort)
        #expect(objection(MachineReading()) == nil)
    }

    @Test(arguments: [
        (MachineReading(memoryAvailableBytes: 1 << 20), "memory_short"),
        (MachineReading(memoryPressurePercent: 80), "memory_pressure"),
        (MachineReading(diskFreeBytes: 1 << 20), "disk_short"),
    ])
    func `a node without room claims nothing, says why, and goes on by itself when there is room`(
        reading: MachineReading, code: String
    ) async throws {
        try await inWorld(try World()) { world in
            world.machine.withLock { $0 = reading }
            let job = try await world.submit()
            try world.start("a")
            try await world.run { await world.store.nodes().first?.condition.pause != nil }
            let start = world.seconds
            try await world.run(upTo: 60) { world.seconds > start + 20 }
            #expect(world.runs.isEmpty)
            let pause = try #require(await world.store.nodes().first?.condition.pause)
            #expect(pause.code == code && !pause.reason.isEmpty)
            let told = try #require(try await world.service.explain(job, members: nil))
            #expect(told.reason.code == .nodesWithoutRoom && told.reason.text.contains(pause.reason))
            #expect(told.needsOperator)
            world.machine.withLock { $0 = MachineReading() }
            #expect(try await world.runToEnd(job).status == .ready)
            try await world.run { await world.store.nodes().first?.condition.pause == nil }
        }
    }

    @Test func `memory that only suffices for one stage makes a node work on one at a time`() async throws {
        try await inWorld(try World(machineThreads: 4)) { world in
            world.machine.withLock { $0 = MachineReading(memoryAvailableBytes: 600 << 20) }
            let job = try await world.submit()
            try world.start("a")
            #expect(try await world.runToEnd(job).status == .ready)
            let runs = world.runs
            let overlaps = runs.contains { one in
                runs.contains { $0.key != one.key && $0.start < (one.end ?? .infinity) && one.start < ($0.end ?? 0) }
            }
            #expect(!overlaps)
        }
    }

    @Test func `this machine can be read`() async throws {
        try await inWorld(try World()) { world in
            let reading = MachineReading.now(world.blobs)
            let memory = try #require(reading.memoryAvailableBytes), disk = try #require(reading.diskFreeBytes)
            #expect(memory > 0 && disk > 0)
        }
    }
}
