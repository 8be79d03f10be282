package import ClusterSimulation
package import Store
import Synchronization

/// PostgreSQL as nodes meet it, in virtual time: serialisable, and at the far end of connections that die.
///
/// Calls are carried out one after another, each at one moment, by a server that stands still for nobody. What is
/// between it and its callers is drawn from a seed: calls that come late, never, or twice, and answers that are lost
/// after the `COMMIT` was sent.
package final class ModelDatabase: Sendable {
    /// One node's way to the server, for one life of the node.
    package final class Link: Sendable {
        struct State {
            var isCut = false
            var isDead = false
            var slowness = Duration.zero
            /// Raised whenever its connections break.
            var generation = 0
        }

        package let name: String
        let state = Mutex(State())

        package init(_ name: String) { self.name = name }
    }

    /// How often things happened: a run that meets no trouble proves nothing.
    package struct Counts: Sendable, Hashable {
        package var calls = 0
        package var troubles: [Trouble: Int] = [:]
        package var restarts = 0
        package var answersLost = 0
        package var signalsLost = 0
    }

    /// A call under way. Its caller is answered once, whatever else becomes of it.
    struct Request: Sendable {
        let link: Link
        /// Carries it out, and gives back what hands the answer over.
        let carryOut: @Sendable () async -> (@Sendable () -> Void)
        let fail: @Sendable (any Error) -> Void
        let isCancelled: @Sendable () -> Bool
        /// Until when the adapter tries again.
        var patience = Duration.zero
        var losesAnswer = false
        var answerDelay = Duration.zero
        /// The server that it was first sent to.
        var serverLife = 0
    }

    private struct Subscriber: Sendable {
        let link: Link
        let continuation: AsyncStream<StoreSignal>.Continuation
    }

    private struct State {
        var random: SeededGenerator
        var weather = Weather.calm
        var isDown = false
        var serverLife = 0
        var subscribers: [Int: Subscriber] = [:]
        var lastSubscriber = 0
        var gathered: [StoreSignal] = []
        var counts = Counts()
    }

    package let ledger: Ledger
    let base: any Store
    let scheduler: Scheduler
    private let state: Mutex<State>
    private let work: AsyncStream<@Sendable () async -> Void>.Continuation
    private let errands = Mutex<[Errand<Void>]>([])

    /// - Parameters:
    ///   - truth: what the ledger reads.
    ///   - base: what answers: the truth, or a bug around it.
    ///   - lets: which signals are sent at all.
    package init(
        _ scheduler: Scheduler, seed: UInt64, truth: InMemoryStore, base: (any Store)? = nil,
        lets: @escaping @Sendable (StoreSignal) -> Bool = { _ in true }
    ) {
        self.scheduler = scheduler
        self.base = base ?? truth
        ledger = Ledger(truth, scheduler)
        state = Mutex(State(random: SeededGenerator(seed)))
        let (stream, continuation) = AsyncStream<@Sendable () async -> Void>.makeStream()
        work = continuation
        let signals = self.base.signals()
        let executor = scheduler.executor()
        errands.withLock { errands in
            errands = [
                Errand(executor) { for await item in stream { await item() } },
                Errand(executor) { [weak self] in for await signal in signals where lets(signal) { self?.heard(signal) }
                },
            ]
        }
    }

    /// The server is gone for good.
    package func shutdown() {
        work.finish()
        for errand in errands.withLock({ $0 }) { errand.cancel() }
    }

    package var counts: Counts { state.withLock { $0.counts } }

    // MARK: Faults

    package func set(_ weather: Weather) { state.withLock { $0.weather = weather } }

    /// Every connection breaks, signals on their way are lost, and for a while nobody can connect.
    package func restart(downFor length: Duration) {
        state.withLock { state in
            state.isDown = true
            state.serverLife += 1
            state.counts.restarts += 1
            state.gathered = []
        }
        scheduler.after(length) { [weak self] in self?.up() }
    }

    private func up() {
        let links = state.withLock { state in
            state.isDown = false
            return state.subscribers.sorted { $0.key < $1.key }.map(\.value)
        }
        for subscriber in links { resynchronise(subscriber) }
    }

    package func cut(_ link: Link) {
        link.state.withLock { link in
            link.isCut = true
            link.generation += 1
        }
    }

    package func mend(_ link: Link) {
        guard link.state.withLock({ $0.isCut }) else { return }
        link.state.withLock { $0.isCut = false }
        let own = state.withLock { $0.subscribers.sorted { $0.key < $1.key }.map(\.value).filter { $0.link === link } }
        for subscriber in own { resynchronise(subscriber) }
    }

    package func slow(_ link: Link, by slowness: Duration) { link.state.withLock { $0.slowness = slowness } }

    /// The process at the near end is gone. What it has sent may still arrive.
    package func kill(_ link: Link) { link.state.withLock { $0.isDead = true } }

    // MARK: Calls

    func begin(_ asked: Request) {
        if asked.link.state.withLock({ $0.isDead }) {
            return asked.fail(StoreError(.unavailable, "the process is gone"))
        }
        var request = asked
        let (trouble, way) = state.withLock { state -> (Trouble?, Duration) in
            state.counts.calls += 1
            request.serverLife = state.serverLife
            request.patience = scheduler.now + state.random.duration(in: .zero ... .seconds(15))
            let way = state.random.duration(in: Self.way)
            guard state.random.chance(state.weather.trouble) else { return (nil, way) }
            let trouble = Trouble.allCases[state.random.below(Trouble.allCases.count)]
            state.counts.troubles[trouble, default: 0] += 1
            return (trouble, way)
        }
        guard let trouble else { return send(request, after: way) }
        meet(trouble, request, way)
    }

    private static let way = Duration.microseconds(100) ... .microseconds(800)

    private func draw(_ range: ClosedRange<Duration>) -> Duration {
        state.withLock { $0.random.duration(in: range) }
    }

    private func meet(_ trouble: Trouble, _ asked: Request, _ way: Duration) {
        var request = asked
        switch trouble {
        case .unavailable: fail(request, .unavailable, after: draw(.zero ... .milliseconds(50)))
        case .poolExhausted: fail(request, .poolExhausted, after: .seconds(5))
        case .timedOut: fail(request, .timedOut, after: .seconds(10))
        case .commitForgotten: fail(request, .unavailable, after: draw(.milliseconds(1) ... .seconds(5)))
        case .answerLost:
            request.losesAnswer = true
            send(request, after: way)
        case .effectAfterError:
            fail(request, .unavailable, after: draw(.zero ... .seconds(1)))
            send(request, after: draw(.seconds(1) ... .seconds(4)))
        case .late: send(request, after: draw(.milliseconds(1) ... .seconds(6)))
        case .answerLate:
            request.answerDelay = draw(.milliseconds(1) ... .seconds(12))
            send(request, after: way)
        case .twice:
            var first = request
            first.losesAnswer = true
            send(Request.unheard(first), after: way)
            send(request, after: way + draw(.milliseconds(50) ... .seconds(2)))
        }
    }

    private func fail(_ request: Request, _ code: StoreError.Code, after delay: Duration) {
        scheduler.after(delay) { request.fail(StoreError(code, "as the weather has it")) }
    }

    private func send(_ request: Request, after delay: Duration) {
        let slowness = request.link.state.withLock { $0.slowness }
        scheduler.after(delay + slowness) { self.arrived(request) }
    }

    private func arrived(_ asked: Request) {
        var request = asked
        let isCut = request.link.state.withLock { $0.isCut }
        let (isDown, life) = state.withLock { ($0.isDown, $0.serverLife) }
        guard !isDown, !isCut else {
            // The adapter waits between two tries, and that wait ends when the caller is cancelled.
            if request.isCancelled() { return request.fail(CancellationError()) }
            guard scheduler.now < request.patience else {
                return request.fail(StoreError(.unavailable, "nobody answers"))
            }
            return send(request, after: draw(.milliseconds(50) ... .seconds(2)))
        }
        // It was sent to a server that has crashed since: the adapter knows of nothing that was committed, and sends it
        // again, or gives up.
        if request.serverLife != life, state.withLock({ $0.random.chance(0.3) }) {
            return request.fail(StoreError(.unavailable, "the connection broke"))
        }
        request.serverLife = life
        let generation = request.link.state.withLock { $0.generation }
        let sent = request
        work.yield { [weak self] in
            let answer = await sent.carryOut()
            guard let self else { return }
            let slowness = sent.link.state.withLock { $0.slowness }
            scheduler.after(draw(Self.way) + sent.answerDelay + slowness) {
                self.answered(sent, answer, generation)
            }
        }
    }

    private func answered(_ request: Request, _ answer: @escaping @Sendable () -> Void, _ generation: Int) {
        let link = request.link.state.withLock { $0 }
        let isBroken =
            link.isCut || link.generation != generation || state.withLock { $0.serverLife } != request.serverLife
        guard isBroken || request.losesAnswer else { return answer() }
        let choice = state.withLock { state in
            state.counts.answersLost += 1
            return state.random.below(4)
        }
        switch choice {
        case 0, 1: request.fail(StoreError(.unavailable, "the connection died after COMMIT was sent"))
        case 2:
            // The transaction's fate was found out.
            scheduler.after(draw(.milliseconds(100) ... .seconds(8)), answer)
        default:
            // It was not, and the body has to bear to run again.
            var again = request
            (again.losesAnswer, again.answerDelay) = (false, .zero)
            send(again, after: draw(.milliseconds(50) ... .seconds(2)))
        }
    }

    // MARK: Signals

    func subscribe(_ link: Link) -> AsyncStream<StoreSignal> {
        AsyncStream(bufferingPolicy: .bufferingNewest(StoreLimits.signalsMax)) { continuation in
            let number = state.withLock { state in
                state.lastSubscriber += 1
                state.subscribers[state.lastSubscriber] = Subscriber(link: link, continuation: continuation)
                return state.lastSubscriber
            }
            continuation.onTermination = { [weak self] _ in
                _ = self?.state.withLock { $0.subscribers.removeValue(forKey: number) }
            }
        }
    }

    /// Gathered until the moment is over, and sorted: the rules send sets, which have no order.
    private func heard(_ signal: StoreSignal) {
        let isFirst = state.withLock { state in
            state.gathered.append(signal)
            return state.gathered.count == 1
        }
        if isFirst { scheduler.after(.zero) { self.notify() } }
    }

    private func notify() {
        let (signals, subscribers, isDown) = state.withLock { state in
            defer { state.gathered = [] }
            let signals = Dictionary(state.gathered.map { ("\($0)", $0) }) { first, _ in first }
            return (
                signals.sorted { $0.key < $1.key }.map(\.value),
                state.subscribers.sorted { $0.key < $1.key }.map(\.value), state.isDown
            )
        }
        for subscriber in subscribers {
            guard !isDown, !subscriber.link.state.withLock({ $0.isCut }) else { continue }
            for signal in signals { deliver(signal, to: subscriber) }
        }
    }

    private func deliver(_ signal: StoreSignal, to subscriber: Subscriber) {
        let delays = state.withLock { state -> [Duration] in
            let weather = state.weather
            if state.random.chance(weather.signalsLost) {
                state.counts.signalsLost += 1
                return []
            }
            let isLate = state.random.chance(weather.signalsLate)
            let delay = state.random.duration(in: isLate ? Duration.zero...weather.signalDelayMax : Self.way)
            let isRepeated = state.random.chance(weather.signalsRepeated)
            return isRepeated ? [delay, delay + state.random.duration(in: .zero ... .seconds(1))] : [delay]
        }
        let life = state.withLock { $0.serverLife }
        let generation = subscriber.link.state.withLock { $0.generation }
        for delay in delays {
            scheduler.after(delay) { [weak self] in
                guard let self, state.withLock({ $0.serverLife }) == life,
                    subscriber.link.state.withLock({ $0.generation }) == generation
                else { return }
                subscriber.continuation.yield(signal)
            }
        }
    }

    private func resynchronise(_ subscriber: Subscriber) {
        scheduler.after(draw(.milliseconds(50) ... .seconds(2))) { subscriber.continuation.yield(.resynchronise) }
    }
}

extension ModelDatabase.Request {
    /// The same work, of which nobody hears.
    static func unheard(_ request: Self) -> Self {
        Self(
            link: request.link,
            carryOut: {
                _ = await request.carryOut()
                return {}
            }, fail: { _ in }, isCancelled: { false }, patience: request.patience, losesAnswer: false,
            answerDelay: .zero, serverLife: request.serverLife)
    }
}
