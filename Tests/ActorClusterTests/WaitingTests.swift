import ClusterSimulation
import Synchronization
import Testing
import WireProtocol

@testable import ActorCluster

/// Everything that waits, on the simulation's executor: what happens does so in an order, and in no real time.
@Suite struct WaitingTests {
    private let scheduler = Scheduler(seed: 1)

    private func begin<Answer: Sendable>(_ body: @escaping @Sendable () async throws -> Answer) -> Errand<Answer> {
        Errand(scheduler.executor(), body)
    }

    @Test func `a promise tells all who wait, and all who ask later`() throws {
        let promise = Promise<Int>()
        let early = (0..<3).map { _ in begin { try await promise.wait() } }
        scheduler.run(until: .seconds(1))
        #expect(early.allSatisfy { !$0.isDone })
        promise.settle(.success(7))
        promise.settle(.success(8))
        let late = begin { try await promise.wait() }
        scheduler.run(until: .seconds(2))
        for errand in early + [late] { #expect(try errand.result?.get() == 7) }
    }

    @Test func `one of those who wait for a promise may give up`() throws {
        let promise = Promise<Int>()
        let errands = (0..<2).map { _ in begin { try await promise.wait() } }
        scheduler.run(until: .seconds(1))
        errands[0].cancel()
        scheduler.run(until: .seconds(2))
        #expect(throws: CancellationError.self) { try errands[0].result?.get() }
        promise.settle(.success(7))
        scheduler.run(until: .seconds(3))
        #expect(try errands[1].result?.get() == 7)
    }

    @Test func `a bell that rang before anybody listened is heard once`() {
        let bell = Bell()
        bell.ring()
        bell.ring()
        let first = begin { await bell.wait() }
        scheduler.run(until: .seconds(1))
        #expect(first.isDone)
        let second = begin { await bell.wait() }
        scheduler.run(until: .seconds(2))
        #expect(!second.isDone)
        bell.ring()
        scheduler.run(until: .seconds(3))
        #expect(second.isDone)
    }

    @Test func `waiting for a bell ends with the time`() {
        let timeline = Timeline(VirtualClock(scheduler))
        let bell = Bell()
        let errand = begin { await bell.wait(until: .seconds(5), on: timeline) }
        scheduler.run(until: .seconds(4))
        #expect(!errand.isDone)
        scheduler.run(until: .seconds(6))
        #expect(errand.isDone)
    }

    @Test func `what takes longer than allowed is cancelled`() throws {
        let clock = VirtualClock(scheduler)
        let timeline = Timeline(clock)
        let wasCancelled = Flag()
        let slow = begin {
            try await timeline.before(.seconds(1)) {
                do { try await clock.sleep(for: .seconds(60)) } catch { wasCancelled.set() }
                return 1
            }
        }
        let quick = begin {
            try await timeline.before(.seconds(1)) {
                try await clock.sleep(for: .milliseconds(10))
                return 2
            }
        }
        scheduler.run(until: .seconds(2))
        #expect(try slow.result?.get() == .some(.none))
        #expect(wasCancelled.isSet)
        #expect(try quick.result?.get() == 2)
    }

    @Test func `jobs of a nursery end with it, also those that nobody began`() {
        let nursery = Nursery()
        let done = Flag()
        let running = begin { await nursery.run() }
        #expect(nursery.start { done.set() })
        scheduler.run(until: .seconds(1))
        #expect(done.isSet)
        let late = Flag()
        #expect(nursery.start { if Task.isCancelled { late.set() } })
        running.cancel()
        scheduler.run(until: .seconds(2))
        #expect(running.isDone)
        #expect(late.isSet)
        #expect(!nursery.start {})
    }

    @Test func `a call that was answered before its caller waited is answered`() throws {
        let early = PendingCall()
        early.answer(.success([1, 2, 3]))
        early.answer(.success([4]))
        let errand = begin { try await early.wait() }
        scheduler.run(until: .seconds(1))
        #expect(try errand.result?.get() == [1, 2, 3])
    }
}

@Suite struct OutboxTests {
    private let scheduler = Scheduler(seed: 1)
    private let connection = StubConnection()

    private func begin<Answer: Sendable>(_ body: @escaping @Sendable () async throws -> Answer) -> Errand<Answer> {
        Errand(scheduler.executor(), body)
    }

    @Test func `frames between cork and uncork leave in one write`() {
        let outbox = Outbox(connection, heldBytesMax: 100)
        outbox.cork()
        #expect(outbox.post([1]))
        outbox.cork()
        #expect(outbox.post([2]))
        outbox.uncork()
        #expect(connection.writes.isEmpty)
        outbox.uncork()
        #expect(connection.writes == [[1, 2]])
    }

    @Test func `what the connection does not take follows in order when it has drained`() {
        let outbox = Outbox(connection, heldBytesMax: 100)
        let running = begin { await outbox.run() }
        #expect(outbox.post([1]))
        connection.isFull = true
        #expect(outbox.post([2]))
        #expect(outbox.isCongested)
        connection.isFull = false
        // Not before what is held.
        #expect(outbox.post([3]))
        #expect(connection.writes == [[1]])
        connection.drain()
        scheduler.run(until: .seconds(1))
        #expect(connection.writes == [[1], [2, 3]])
        #expect(!outbox.isCongested)
        running.cancel()
    }

    @Test func `who can wait waits while much is held, who cannot is refused at twice as much`() throws {
        let outbox = Outbox(connection, heldBytesMax: 100)
        let running = begin { await outbox.run() }
        connection.isFull = true
        #expect(outbox.post(Array(repeating: 1, count: 101)))
        let waiting = begin { try await outbox.send([9]) }
        scheduler.run(until: .seconds(1))
        #expect(!waiting.isDone)
        #expect(outbox.post(Array(repeating: 2, count: 100)))
        #expect(!outbox.post([3]))
        connection.isFull = false
        connection.drain()
        scheduler.run(until: .seconds(2))
        #expect(waiting.isDone)
        #expect(connection.writes.last == [9])
        running.cancel()
    }

    @Test func `who waits for room is told when the connection ends`() {
        let outbox = Outbox(connection, heldBytesMax: 10)
        connection.isFull = true
        #expect(outbox.post(Array(repeating: 1, count: 11)))
        let waiting = begin { try await outbox.send([9]) }
        scheduler.run(until: .seconds(1))
        outbox.close()
        scheduler.run(until: .seconds(2))
        #expect(throws: Outbox.ClosedError.self) { try waiting.result?.get() }
        #expect(!outbox.post([1]))
    }
}

/// Takes bytes or does not, as the test says.
private final class StubConnection: PeerConnection {
    private struct State {
        var writes: [[UInt8]] = []
        var isFull = false
    }

    private let state = Mutex(State())
    private let bell = Bell()

    let certifiedNames = ["stub"]
    let remoteAddress = "stub"
    let certificateEnd: Int? = nil

    var writes: [[UInt8]] { state.withLock { $0.writes } }
    var isFull: Bool {
        get { state.withLock { $0.isFull } }
        set { state.withLock { $0.isFull = newValue } }
    }

    func drain() { bell.ring() }

    func send(_ bytes: [UInt8]) -> Bool {
        state.withLock { state in
            if state.isFull { return false }
            state.writes.append(bytes)
            return true
        }
    }

    func drained() async throws {
        await bell.wait()
        try Task.checkCancellation()
    }

    func receive() async throws -> [UInt8]? { nil }
    func close(flush: Bool) {}
}

private final class Flag: Sendable {
    private let state = Mutex(false)
    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
}
