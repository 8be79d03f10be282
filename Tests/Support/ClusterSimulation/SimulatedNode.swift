package import ActorCluster
import Logging
package import Membership
import Synchronization
import WireProtocol

/// One life of a node: the real actor system on its own executor and clock.
package final class SimulatedNode: Sendable {
    /// How `run` came to its end.
    package enum End: Sendable {
        case returned
        case threw(any Error)
    }

    private struct State {
        var views: [MembershipView] = []
        var end: End?
        var isKilled = false
    }

    package let life: MemberLife
    package let system: ClusterActorSystem
    package let executor: SimulatedExecutor
    package let clock: VirtualClock
    package let log: RecordingLog
    private let state = Mutex(State())
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(
        life: MemberLife, system: ClusterActorSystem, executor: SimulatedExecutor, clock: VirtualClock,
        log: RecordingLog
    ) {
        self.life = life
        self.system = system
        self.executor = executor
        self.clock = clock
        self.log = log
    }

    package var name: String { life.id.rawValue }
    /// All views it has published, in order.
    package var views: [MembershipView] { state.withLock { $0.views } }
    package var end: End? { state.withLock { $0.end } }
    /// It runs, as far as anybody outside could tell.
    package var isRunning: Bool { state.withLock { $0.end == nil && !$0.isKilled } }
    package var isKilled: Bool { state.withLock { $0.isKilled } }

    func start(seeds: [PeerAddress]) {
        let started = Task(executorPreference: executor) { [self] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { [self] in
                    for await view in system.views() { state.withLock { $0.views.append(view) } }
                }
                do {
                    try await system.run(seeds: seeds)
                    state.withLock { $0.end = .returned }
                } catch {
                    state.withLock { $0.end = .threw(error) }
                }
                group.cancelAll()
            }
        }
        task.withLock { $0 = started }
    }

    /// What it does from now on is seen by nobody: its connections are gone already. It is unwound, which a killed
    /// process is not, so that its memory comes back.
    func kill() {
        state.withLock { $0.isKilled = true }
        task.withLock { $0 }?.cancel()
    }
}

/// What was asked of a node, and its outcome when there is one.
package final class Errand<Answer: Sendable>: Sendable {
    private let state = Mutex<Result<Answer, any Error>?>(nil)
    private let task = Mutex<Task<Void, Never>?>(nil)

    package var result: Result<Answer, any Error>? { state.withLock { $0 } }
    package var isDone: Bool { result != nil }

    package init(_ executor: SimulatedExecutor, _ body: @escaping @Sendable () async throws -> Answer) {
        let started = Task(executorPreference: executor) { [self] in
            do {
                let answer = try await body()
                state.withLock { $0 = .success(answer) }
            } catch {
                state.withLock { $0 = .failure(error) }
            }
        }
        task.withLock { $0 = started }
    }

    package func cancel() { task.withLock { $0 }?.cancel() }
}

/// Keeps the last lines of a node's log, for whoever has to find out why a seed failed.
package final class RecordingLog: Sendable {
    private let lines = Mutex<[String]>([])
    private let scheduler: Scheduler
    private let name: String
    private static let linesMax = 400

    init(_ scheduler: Scheduler, name: String) {
        self.scheduler = scheduler
        self.name = name
    }

    package var recent: [String] { lines.withLock { $0 } }

    package func contains(_ text: String) -> Bool { recent.contains { $0.contains(text) } }

    var logger: Logger {
        var logger = Logger(label: name) { _ in Handler(log: self) }
        logger.logLevel = .debug
        return logger
    }

    fileprivate func write(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) {
        let facts = metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        let line = "\(scheduler.now) \(name) \(level): \(message) \(facts)"
        lines.withLock { lines in
            lines.append(line)
            if lines.count > Self.linesMax { lines.removeFirst(lines.count - Self.linesMax) }
        }
    }

    private struct Handler: LogHandler {
        let log: RecordingLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.write(event.level, "\(event.message)", metadata.merging(event.metadata ?? [:]) { $1 })
        }
    }
}
