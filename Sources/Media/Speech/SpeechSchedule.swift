/// Who listens to what: the queue of requests and the workers of one node.
///
/// Requests are served in order, by a warm worker if there is one; a worker is started only when all that run have
/// work. A request whose worker is lost goes back to the head of the queue, until it has cost `lossesMax` workers.
package struct SpeechSchedule: Sendable {
    package enum Action: Hashable, Sendable {
        case start(child: Int)
        case send(SpeechOrder, child: Int)
        /// End its standard input; it goes when it is through.
        case close(child: Int)
        case kill(child: Int)
        case tell(request: Int, fraction: Double)
        case answer(request: Int, TranscribedChunk)
        case refuse(request: Int, MediaError)
    }

    /// How a process ended.
    package enum Ending: Hashable, Sendable {
        case exited(Int32)
        case signalled(Int32)
        case notStarted(MediaError)
    }

    private struct Ticket {
        let request: TranscriptionRequest
        let threads: Int
        var losses = 0
        var fraction = 0.0
    }

    private let limits: SpeechConfiguration
    private var tickets: [Int: Ticket] = [:]
    private var queue: [Int] = []
    package private(set) var children: [SpeechChild]
    private var isOpen = false

    package init(_ limits: SpeechConfiguration) {
        self.limits = limits
        children = Array(repeating: SpeechChild(), count: limits.childrenMax)
    }

    /// The pool runs: what was asked for before may be served.
    package mutating func opened(at now: Double) -> [Action] {
        isOpen = true
        return dispatch(at: now)
    }

    /// The pool ends: nobody will be served any more.
    package mutating func closed() -> [Action] {
        isOpen = false
        let requests = tickets.keys.sorted()
        (tickets, queue) = ([:], [])
        return requests.map { .refuse(request: $0, MediaError(.cancelled, "the node is stopping")) }
    }

    package mutating func submitted(
        _ id: Int, _ request: TranscriptionRequest, threads: Int, at now: Double
    ) -> [Action] {
        precondition(tickets[id] == nil, "request \(id) was submitted twice")
        guard queue.count < limits.queueMax else {
            return [.refuse(request: id, MediaError(.speechFailed, "\(queue.count) requests wait already"))]
        }
        tickets[id] = Ticket(request: request, threads: threads)
        queue.append(id)
        return dispatch(at: now)
    }

    /// The caller of `id` went away.
    package mutating func cancelled(_ id: Int, at now: Double) -> [Action] {
        guard tickets.removeValue(forKey: id) != nil else { return [] }
        queue.removeAll { $0 == id }
        for index in children.indices where children[index].told(toStop: id, at: now) {
            return [.send(.cancel(id: id), child: index)]
        }
        return []
    }

    package mutating func reported(_ report: SpeechReport, by child: Int, at now: Double) -> [Action] {
        switch report {
        case .ready:
            children[child].becameReady(at: now)
            return dispatch(at: now)
        case .progress(let id, let fraction):
            guard children[child].heard(of: id, at: now), let ticket = tickets[id] else { return [] }
            // A second try starts from nothing again; what the caller sees must not fall.
            guard fraction > ticket.fraction else { return [] }
            tickets[id]?.fraction = fraction
            return [.tell(request: id, fraction: fraction)]
        case .transcribed(let id, let chunk):
            return answered(id, by: child, at: now) { .answer(request: id, chunk) }
        case .failed(let id?, let code, let detail):
            let error = MediaError(MediaError.Code(rawValue: code) ?? .speechFailed, detail)
            return answered(id, by: child, at: now) { .refuse(request: id, error) }
        case .failed(nil, _, _):
            return []  // it is about to end, and its exit code says the same
        }
    }

    package mutating func ended(_ ending: Ending, child: Int, at now: Double) -> [Action] {
        let lost = children[child].ended(at: now, limits)
        var actions: [Action] = []
        if let id = lost, var ticket = tickets[id] {
            ticket.losses += 1
            if ticket.losses < limits.lossesMax {
                tickets[id] = ticket
                queue.insert(id, at: 0)
            } else {
                tickets[id] = nil
                let detail = "\(ticket.losses) workers were lost on this request, the last one \(ending)"
                actions.append(.refuse(request: id, MediaError(.speechWorkerLost, detail)))
            }
        }
        if let error = hopeless(ending, child) { actions += refuseQueue(error) }
        return actions + dispatch(at: now)
    }

    /// Time passed.
    package mutating func ticked(at now: Double) -> [Action] {
        var actions: [Action] = []
        for index in children.indices {
            switch children[index].due(at: now, limits) {
            case .close: actions.append(.close(child: index))
            case .kill: actions.append(.kill(child: index))
            case nil: break
            }
        }
        return actions + dispatch(at: now)
    }

    private mutating func answered(
        _ id: Int, by child: Int, at now: Double, _ action: () -> Action
    ) -> [Action] {
        let due = children[child].answered(id, at: now, requestsMax: limits.requestsPerChildMax)
        var actions: [Action] = tickets.removeValue(forKey: id) == nil ? [] : [action()]
        if due == .close { actions.append(.close(child: child)) }
        return actions + dispatch(at: now)
    }

    /// Gives work to warm workers, and starts as many more as there is work for.
    private mutating func dispatch(at now: Double) -> [Action] {
        guard isOpen else { return [] }
        var actions: [Action] = []
        while !queue.isEmpty, let ready = children.firstIndex(where: \.isReady) {
            let id = queue.removeFirst()
            guard let ticket = tickets[id] else { continue }
            children[ready].assigned(id, at: now)
            actions.append(
                .send(.transcribe(id: id, request: ticket.request, threads: ticket.threads), child: ready))
        }
        var coming = children.count(where: \.isStarting)
        while coming < queue.count, let free = children.firstIndex(where: { $0.canStart(at: now) }) {
            children[free].started(at: now)
            actions.append(.start(child: free))
            coming += 1
        }
        return actions
    }

    /// Why the queue need not wait any longer, if so: only while no worker is alive, since one that is proves that it
    /// can be done.
    private func hopeless(_ ending: Ending, _ child: Int) -> MediaError? {
        guard children.allSatisfy(\.isAbsent), children[child].failures > 0 else { return nil }
        switch ending {
        case .exited(SpeechWorker.Ending.modelMissing.rawValue): return MediaError(.speechModelMissing)
        case .exited(SpeechWorker.Ending.modelBroken.rawValue): return MediaError(.speechModelBroken)
        case .notStarted(let error) where children[child].failures >= limits.startsMax: return error
        case _ where children[child].failures >= limits.startsMax:
            return MediaError(.speechWorkerLost, "\(children[child].failures) workers in a row: \(ending)")
        default: return nil
        }
    }

    private mutating func refuseQueue(_ error: MediaError) -> [Action] {
        defer { queue = [] }
        return queue.filter { tickets.removeValue(forKey: $0) != nil }.map { .refuse(request: $0, error) }
    }
}
