import ClipModel
import HTTPGateway
import Store
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct NodeGlanceTests {
    /// Lets a test answer the database's questions one by one.
    private final class Desk: Sendable {
        private let state = Mutex<(count: Int, waiting: [CheckedContinuation<[Node], any Error>])>((0, []))
        private let arrivals: AsyncStream<Int>
        private let arrived: AsyncStream<Int>.Continuation

        init() { (arrivals, arrived) = AsyncStream.makeStream() }

        var store: BrokenStore {
            BrokenStore(
                StoreError(.unavailable, "gone"),
                listing: { [self] in
                    try await withCheckedThrowingContinuation { continuation in
                        let count = state.withLock { state in
                            state.waiting.append(continuation)
                            state.count += 1
                            return state.count
                        }
                        arrived.yield(count)
                    }
                })
        }

        var count: Int { state.withLock { $0.count } }

        /// Waits until the database has been asked so often.
        func questions(_ count: Int) async {
            for await number in arrivals where number >= count { return }
        }

        func answer(_ result: Result<[Node], any Error>) {
            let waiting = state.withLock { state in
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume(with: result) }
        }
    }

    private func running<Answer: Sendable>(
        _ glance: NodeGlance, _ body: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        try await withThrowingTaskGroup(of: Answer?.self) { group in
            group.addTask {
                await glance.run()
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let answer = try await group.next() { if let answer { return answer } }
            throw StoreError(.refused, "the body did not answer")
        }
    }

    @Test func `a database that answers is shown as it is`() async throws {
        let store = InMemoryStore(now: { .sample })
        let glance = NodeGlance(store: store, waitMax: .seconds(30), clock: ContinuousClock())
        try await running(glance) {
            #expect(await glance.read().nodes == [])
            _ = try await store.register(
                NodeDraft(
                    id: NodeID("one")!, region: Region("eu")!, http: "", version: "", threads: 1, leaseSeconds: 5))
            let reading = await glance.read()
            #expect(reading.state == .ok && reading.nodes?.count == 1 && reading.detail == nil)
        }
    }

    @Test func `a database that is silent is not waited for, and what it said last is shown`() async throws {
        let desk = Desk()
        let glance = NodeGlance(store: desk.store, waitMax: .milliseconds(20), clock: ContinuousClock())
        try await running(glance) {
            // No answer comes before all this has been read.
            let silent = await glance.read()
            #expect(silent.state == .slow && silent.nodes == nil && silent.ageSeconds == nil)
            // One question is enough, however many ask.
            for _ in 0..<5 { #expect(await glance.read().state == .slow) }
            #expect(desk.count == 1)
            desk.answer(.success([ClusterSample.row("one")]))
            await desk.questions(2)
            let stale = await glance.read()
            #expect(stale.state == .slow && stale.nodes?.count == 1 && stale.ageSeconds ?? -1 >= 0)
            desk.answer(.failure(CancellationError()))
            await desk.questions(3)
            desk.answer(.failure(CancellationError()))
        }
    }

    @Test func `an error is told, and what was known before is kept`() async throws {
        let failing = BrokenStore(StoreError(.unavailable, "connection refused"))
        let glance = NodeGlance(store: failing, waitMax: .seconds(30), clock: ContinuousClock())
        try await running(glance) {
            let reading = await glance.read()
            #expect(reading.state == .down && reading.nodes == nil)
            #expect(reading.detail == "store unavailable: connection refused")
        }
    }

    @Test func `many who ask at once all get an answer`() async throws {
        let store = InMemoryStore(now: { .sample })
        let glance = NodeGlance(store: store, waitMax: .seconds(30), clock: ContinuousClock())
        try await running(glance) {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<200 { group.addTask { #expect(await glance.read().state == .ok) } }
            }
        }
    }
}
