import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// One thread that runs everything: jobs of tasks in an order drawn from a seed, and events in an order of virtual
/// time.
///
/// Time stands still while any job is ready and jumps to the next event when none is. So a minute of a cluster takes as
/// long as its work does, and nothing depends on how quick the machine is.
package final class Scheduler: Sendable {
    /// Whose jobs: a life of a node, or the test itself.
    package struct Owner: Hashable, Sendable {
        let number: Int
    }

    private struct Job {
        let owner: Owner
        let job: UnownedJob
    }

    private struct State {
        var random: SeededGenerator
        var now = Duration.zero
        var ready: [Job] = []
        /// Jobs of owners that stand still.
        var held: [Job] = []
        var paused: Set<Owner> = []
        var events = EventQueue()
        var owners = 0
        var executors: [Int: SimulatedExecutor] = [:]
        var hash = TraceHash()
        var steps = 0
        var foreignJobs = 0
    }

    private let state: Mutex<State>
    private let thread: UInt

    package init(seed: UInt64) {
        state = Mutex(State(random: SeededGenerator(seed)))
        thread = Self.currentThread
    }

    // MARK: What happened

    package var now: Duration { state.withLock { $0.now } }
    /// Of every choice and every event so far.
    package var traceHash: TraceHash { state.withLock { $0.hash } }
    /// Jobs that were run.
    package var steps: Int { state.withLock { $0.steps } }
    /// Jobs that came from other threads: something has escaped, and the run cannot be replayed.
    package var foreignJobs: Int { state.withLock { $0.foreignJobs } }

    /// Adds what a part of the run saw to the trace.
    package func note(_ number: UInt64) { state.withLock { $0.hash.mix(number) } }

    // MARK: Owners

    /// An executor for the tasks of somebody: hand it to `Task(executorPreference:)`.
    package func executor() -> SimulatedExecutor {
        let owner = state.withLock { state -> Owner in
            state.owners += 1
            return Owner(number: state.owners)
        }
        let executor = SimulatedExecutor(self, owner)
        state.withLock { $0.executors[owner.number] = executor }
        return executor
    }

    /// The owner's jobs wait from here on, as those of a process that was stopped do.
    package func pause(_ owner: Owner) {
        state.withLock { state in
            state.paused.insert(owner)
            state.held += state.ready.filter { $0.owner == owner }
            state.ready.removeAll { $0.owner == owner }
        }
    }

    package func resume(_ owner: Owner) {
        state.withLock { state in
            state.paused.remove(owner)
            state.ready += state.held.filter { $0.owner == owner }
            state.held.removeAll { $0.owner == owner }
        }
    }

    package func isPaused(_ owner: Owner) -> Bool { state.withLock { $0.paused.contains(owner) } }

    // MARK: Events

    /// Something that happens at a moment; `cancel` takes it back.
    @discardableResult
    package func at(_ moment: Duration, _ event: @escaping @Sendable () -> Void) -> EventQueue.Ticket {
        state.withLock { state in state.events.insert(at: max(moment, state.now), event) }
    }

    @discardableResult
    package func after(_ delay: Duration, _ event: @escaping @Sendable () -> Void) -> EventQueue.Ticket {
        at(now + delay, event)
    }

    /// Whether it was still to come.
    @discardableResult
    package func cancel(_ ticket: EventQueue.Ticket) -> Bool { state.withLock { $0.events.remove(ticket) } }

    // MARK: Running

    func enqueue(_ job: UnownedJob, _ owner: Owner) {
        state.withLock { state in
            if Self.currentThread != thread { state.foreignJobs += 1 }
            if state.paused.contains(owner) {
                state.held.append(Job(owner: owner, job: job))
            } else {
                state.ready.append(Job(owner: owner, job: job))
            }
        }
    }

    /// Runs until `isDone`, which is asked whenever nothing is ready and before time moves on, or until `limit`. False
    /// when the limit came first, or nothing is left to happen.
    @discardableResult
    package func run(until limit: Duration, _ isDone: () -> Bool = { false }) -> Bool {
        precondition(Self.currentThread == thread, "a simulation runs on the thread that made it")
        while true {
            while let (job, executor) = nextJob() { unsafe job.runSynchronously(on: executor.asUnownedTaskExecutor()) }
            if isDone() { return true }
            guard let event = nextEvent(before: limit) else { return false }
            event()
        }
    }

    private func nextJob() -> (UnownedJob, SimulatedExecutor)? {
        state.withLock { state in
            guard !state.ready.isEmpty else { return nil }
            let index = state.random.below(state.ready.count)
            let job = state.ready[index]
            // The order of the rest does not matter: the next one is drawn too.
            state.ready.swapAt(index, state.ready.count - 1)
            state.ready.removeLast()
            state.steps += 1
            state.hash.mix(UInt64(job.owner.number) << 32 | UInt64(index))
            guard let executor = state.executors[job.owner.number] else { return nil }
            return (job.job, executor)
        }
    }

    private func nextEvent(before limit: Duration) -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard let (moment, event) = state.events.takeFirst(before: limit) else {
                state.now = max(state.now, limit)
                return nil
            }
            state.now = moment
            state.hash.mix(UInt64(truncatingIfNeeded: moment.components.seconds))
            state.hash.mix(UInt64(truncatingIfNeeded: moment.components.attoseconds))
            return event
        }
    }

    private static var currentThread: UInt { UInt(pthread_self()) }
}

/// The executor of one owner's tasks: their actors, child tasks and continuations follow it (SE-0417).
package final class SimulatedExecutor: TaskExecutor {
    private let scheduler: Scheduler
    package let owner: Scheduler.Owner

    init(_ scheduler: Scheduler, _ owner: Scheduler.Owner) {
        self.scheduler = scheduler
        self.owner = owner
    }

    package func enqueue(_ job: consuming ExecutorJob) { scheduler.enqueue(UnownedJob(job), owner) }
}

/// Events by their moments; those of one moment in the order they were made.
package struct EventQueue: Sendable {
    package struct Ticket: Hashable, Sendable {
        let moment: Duration
        let number: UInt64
    }

    private struct Entry: Sendable {
        let ticket: Ticket
        let event: @Sendable () -> Void
    }

    private var heap: [Entry] = []
    private var removed: Set<UInt64> = []
    private var pending: Set<UInt64> = []
    private var last: UInt64 = 0

    mutating func insert(at moment: Duration, _ event: @escaping @Sendable () -> Void) -> Ticket {
        last += 1
        let ticket = Ticket(moment: moment, number: last)
        pending.insert(last)
        heap.append(Entry(ticket: ticket, event: event))
        var child = heap.count - 1
        while child > 0, Self.precedes(heap[child], heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
        return ticket
    }

    mutating func remove(_ ticket: Ticket) -> Bool {
        guard pending.remove(ticket.number) != nil else { return false }
        removed.insert(ticket.number)
        return true
    }

    mutating func takeFirst(before limit: Duration) -> (moment: Duration, event: @Sendable () -> Void)? {
        while let first = heap.first {
            if removed.remove(first.ticket.number) != nil {
                removeFirst()
                continue
            }
            guard first.ticket.moment < limit else { return nil }
            pending.remove(first.ticket.number)
            removeFirst()
            return (first.ticket.moment, first.event)
        }
        return nil
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, Self.precedes(heap[child + 1], heap[child]) { child += 1 }
            guard Self.precedes(heap[child], heap[parent]) else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }

    private static func precedes(_ one: Entry, _ other: Entry) -> Bool {
        (one.ticket.moment, one.ticket.number) < (other.ticket.moment, other.ticket.number)
    }
}
