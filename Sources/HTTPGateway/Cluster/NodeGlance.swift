package import ClipModel
package import Store

/// The rows of nodes in the database, for questions that must be answered soon: whoever asks waits for a fresh reading,
/// but no longer than `waitMax`, and is then given the last one there was.
///
/// One query is under way at a time, however many ask; those who come while it runs are served by the next one, since
/// its rows may be from before their question.
package actor NodeGlance {
    package struct Reading: Sendable {
        package let state: ClusterReport.Database.State
        /// Nil: the database never answered.
        package let nodes: [Node]?
        package let ageSeconds: Double?
        package let detail: String?

        package init(
            state: ClusterReport.Database.State, nodes: [Node]?, ageSeconds: Double?, detail: String? = nil
        ) {
            self.state = state
            self.nodes = nodes
            self.ageSeconds = ageSeconds
            self.detail = detail
        }
    }

    private let store: any Store
    private let waitMax: Duration
    private let clock: any Clock<Duration>
    private let elapsed: @Sendable () -> Double
    private let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation
    private var nodes: [Node]?
    private var readAt = 0.0
    private var trouble: String?
    private var asked = 0
    private var answered = 0
    /// Questions that wait, by their numbers.
    private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    /// Questions whose time was up before they had begun to wait.
    private var overdue: Set<Int> = []

    /// - Parameter waitMax: leaves room for the rest of an answer that must come within 100 ms.
    package init(store: any Store, waitMax: Duration = .milliseconds(60), clock: any Clock<Duration>) {
        self.store = store
        self.waitMax = waitMax
        self.clock = clock
        elapsed = stopwatch(clock)
        (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Asks the database for those who wait, until cancelled.
    package func run() async {
        for await _ in bell {
            let number = asked
            do {
                nodes = try await store.nodes()
                readAt = elapsed()
                trouble = nil
            } catch let error as StoreError {
                // The detail may hold the server's address: it is for operators only, as everything here.
                trouble = error.description
            } catch {
                trouble = "\(error)"
            }
            answered = max(answered, number)
            for question in waiting.keys where question <= answered { wake(question) }
        }
    }

    package func read() async -> Reading {
        asked += 1
        let number = asked
        ring.yield()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(for: number) }
            group.addTask { [clock, waitMax] in
                // Ends early when the answer is there or nobody waits for it any more.
                try? await clock.sleep(for: waitMax)
                await self.wake(number)
            }
            await group.next()
            group.cancelAll()
        }
        return Reading(
            state: answered < number ? .slow : trouble == nil ? .ok : .down, nodes: nodes,
            ageSeconds: nodes == nil ? nil : elapsed() - readAt, detail: answered < number ? nil : trouble)
    }

    private func wait(for number: Int) async {
        guard answered < number, overdue.remove(number) == nil else { return }
        await withCheckedContinuation { waiting[number] = $0 }
    }

    private func wake(_ number: Int) {
        if let continuation = waiting.removeValue(forKey: number) {
            continuation.resume()
        } else if answered < number {
            overdue.insert(number)
        }
    }
}
