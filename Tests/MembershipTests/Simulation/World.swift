import Membership

/// Some nodes, a network that misbehaves and a clock that only moves here. Everything follows from the seed.
final class World {
    enum Event {
        case deliver(MembershipMessage, from: MemberLife, to: Int, life: MemberLife)
        case tell(Int, life: MemberLife, Membership.Event)
        case wake(Int, at: Int64)
        case dialled(Int, PeerAddress, expecting: MemberLife?, startedAt: Int64)
        case gaveUp(Int, PeerAddress, expecting: MemberLife?)
        case silent(Int, Int)
        case heartbeat(Int, life: MemberLife)
        case script((World) -> Void)
    }

    struct Lease {
        let life: MemberLife
        let renewedAt: Int64
    }

    let seed: UInt64
    let configuration: MembershipConfiguration
    private(set) var now: Int64 = 0
    var dice: Dice
    var nodes: [SimulatedNode] = []
    var faults = NetworkFaults()
    /// Sees and may change what goes in and out: how bugs are planted.
    var tamper: Tamper?
    var record = Record()

    private var heap = EventHeap<Event>()
    private var lives: [MemberLife: Int] = [:]
    /// `from * count + to`
    private var blocked: [Bool] = []
    private var rejecting: [Bool] = []
    private var isConnected: [Bool] = []
    private var waiting: [Int: [MembershipMessage]] = [:]
    /// When connections that are clogged let go of what they hold.
    private var cloggedUntil: [Int: Int64] = [:]
    private var leases: [MemberID: Lease] = [:]

    /// `zones` nodes in turn get zones a, b, ...
    init(seed: UInt64, nodes count: Int, zones: Int = 1, configuration: MembershipConfiguration = .lan) {
        self.seed = seed
        self.configuration = configuration
        dice = Dice(seed: seed)
        for index in 0..<count { addNode(id: memberID("n\(index)"), zone: "z\(index % zones)") }
    }

    @discardableResult func addNode(id: MemberID, zone: String = "z0") -> Int {
        let index = nodes.count
        let address = PeerAddress(host: "n", port: 7000 + index)
        nodes.append(
            SimulatedNode(index: index, id: id, metadata: MemberMetadata(region: "r", zone: zone, peerAddress: address))
        )
        let count = nodes.count
        blocked = Array(repeating: false, count: count * count)
        rejecting = blocked
        isConnected = blocked
        return index
    }

    // MARK: - Script

    func at(_ time: Duration, _ body: @escaping (World) -> Void) {
        heap.push(.script(body), at: time.wholeMicroseconds)
    }

    func address(_ index: Int) -> PeerAddress { nodes[index].metadata.peerAddress }

    func start(_ index: Int, seeds: [Int], epoch: UInt64? = nil) {
        let life = MemberLife(id: nodes[index].id, epoch: epoch ?? UInt64(1_000_000 + now / 1000))
        if let machine = nodes[index].machine { nodes[index].earlierCounters.append(machine.counters) }
        nodes[index].machine = Membership(
            life: life, metadata: nodes[index].metadata, configuration: configuration, seed: dice.next())
        nodes[index].life = life
        nodes[index].state = .running
        nodes[index].hasDeparted = false
        nodes[index].wasReplaced = false
        nodes[index].lastViewNumber = 0
        nodes[index].lastViewDigest = nil
        nodes[index].inbox = []
        nodes[index].wakeAt = nil
        lives[life] = index
        record.started(life)
        tell(index, .started(seeds: seeds.map(address)))
        if nodes[index].seesDatabase {
            heap.push(.heartbeat(index, life: life), at: now + Int64.random(in: 0...1_000_000, using: &dice))
        }
    }

    /// Kill -9: the kernel closes its connections and refuses new ones.
    func crash(_ index: Int) {
        nodes[index].state = .exited
        for peer in nodes.indices where isConnected[index * nodes.count + peer] {
            disconnect(index, peer)
            guard !blocked[index * nodes.count + peer], let life = nodes[index].life else { continue }
            push(.disconnected(life), to: peer, after: delay(from: index, to: peer))
        }
    }

    /// The host or its network is gone, without a word.
    func loseHost(_ index: Int) {
        nodes[index].state = .hostLost
        for peer in nodes.indices { disconnect(index, peer) }
    }

    func pause(_ index: Int) {
        guard nodes[index].state == .running else { return }
        nodes[index].state = .paused
        for peer in nodes.indices { watch(index, peer) }
    }

    func resume(_ index: Int) {
        guard nodes[index].state == .paused else { return }
        nodes[index].state = .running
        let inbox = nodes[index].inbox
        nodes[index].inbox = []
        for event in inbox { tell(index, event) }
        tell(index, .tick)
    }

    func restart(_ index: Int, seeds: [Int]) {
        crash(index)
        start(index, seeds: seeds)
    }

    /// Nothing from `from` reaches `to`; the other direction is not touched.
    func cut(from: Int, to: Int, _ isCut: Bool = true) {
        blocked[from * nodes.count + to] = isCut
        if isCut { watch(from, to) }
    }

    /// Shells give up a connection that is silent for too long, each for itself.
    private func watch(_ one: Int, _ other: Int) {
        guard isConnected[one * nodes.count + other] else { return }
        heap.push(.silent(one, other), at: now + faults.silenceTimeout)
    }

    private func breakIfSilent(_ one: Int, _ other: Int) {
        let isCut = blocked[one * nodes.count + other] || blocked[other * nodes.count + one]
        guard isCut || nodes[one].state == .paused || nodes[other].state == .paused else { return }
        guard isConnected[one * nodes.count + other] else { return }
        disconnect(one, other)
        if let life = nodes[other].life { push(.disconnected(life), to: one, after: 0) }
        if let life = nodes[one].life { push(.disconnected(life), to: other, after: 0) }
    }

    /// For so long nothing that is sent arrives; then all of it does. A connection behind a full buffer is like that.
    func clog(from: Int, to: Int, for length: Duration) {
        cloggedUntil[from * nodes.count + to] = now + length.wholeMicroseconds
    }

    /// A connection between two that are well breaks: a bit was turned on the way and TLS ends it.
    func snap(_ one: Int, _ other: Int) {
        guard isConnected[one * nodes.count + other] else { return }
        disconnect(one, other)
        if let life = nodes[other].life { push(.disconnected(life), to: one, after: delay()) }
        if let life = nodes[one].life { push(.disconnected(life), to: other, after: delay()) }
    }

    func cutBetween(_ left: some Sequence<Int>, _ right: [Int], _ isCut: Bool = true) {
        for one in left {
            for other in right {
                cut(from: one, to: other, isCut)
                cut(from: other, to: one, isCut)
            }
        }
    }

    /// A firewall answers `from`'s connections to `to` with a reset, and breaks the one that stands.
    func reject(from: Int, to: Int, _ isRejected: Bool = true) {
        rejecting[from * nodes.count + to] = isRejected
        guard isRejected, isConnected[from * nodes.count + to] else { return }
        disconnect(from, to)
        if let life = nodes[to].life { push(.disconnected(life), to: from, after: delay()) }
        if let life = nodes[from].life { push(.disconnected(life), to: to, after: delay()) }
    }

    /// Everybody knows everybody, at rest: how a cluster looks long after it started.
    func startSettled() {
        let all = nodes.map { node in
            Rumour(Member(life: MemberLife(id: node.id, epoch: 1_000_000), metadata: node.metadata))
        }.sorted { $0.member.life < $1.member.life }
        for index in nodes.indices {
            start(index, seeds: [(index + 1) % nodes.count], epoch: 1_000_000)
            let other = MemberLife(id: nodes[(index + 1) % nodes.count].id, epoch: 1_000_000)
            let time = nodes[index].localTime(now)
            _ = nodes[index].machine?.handle(.connected(other), at: time)
            _ = nodes[index].machine?.handle(.received(.syncReply(rumours: all, isLast: true), from: other), at: time)
        }
        isConnected = Array(repeating: true, count: nodes.count * nodes.count)
        for index in nodes.indices { scheduleWake(index) }
    }

    // MARK: - Time

    func run(until end: Duration) {
        let end = end.wholeMicroseconds
        while let next = heap.nextTime, next <= end, let (time, event) = heap.pop() {
            now = time
            perform(event)
        }
        now = end
    }

    private func perform(_ event: Event) {
        switch event {
        case .deliver(let message, let sender, let index, let life):
            guard nodes[index].life == life else { return }
            tell(index, .received(message, from: sender))
        case .tell(let index, let life, let event):
            if nodes[index].life == life { tell(index, event) }
        case .wake(let index, let time):
            guard nodes[index].wakeAt == time else { return }
            nodes[index].wakeAt = nil
            guard nodes[index].state == .running, let wakeUp = nodes[index].machine?.nextWakeUp else { return }
            if nodes[index].worldTime(wakeUp) > now { scheduleWake(index) } else { tell(index, .tick) }
        case .dialled(let index, let address, let expecting, let startedAt):
            dialled(index, address, expecting: expecting, startedAt: startedAt)
        case .gaveUp(let index, let address, let expecting):
            finishDial(index, address, expecting: expecting, .silent)
        case .silent(let one, let other): breakIfSilent(one, other)
        case .heartbeat(let index, let life): heartbeat(index, life: life)
        case .script(let body): body(self)
        }
    }

    private func scheduleWake(_ index: Int) {
        guard nodes[index].state == .running, let wakeUp = nodes[index].machine?.nextWakeUp else { return }
        let time = max(now + 1, nodes[index].worldTime(wakeUp))
        if let wakeAt = nodes[index].wakeAt, wakeAt <= time { return }
        let late = time + Int64.random(in: nodes[index].shellDelay, using: &dice)
        nodes[index].wakeAt = late
        heap.push(.wake(index, at: late), at: late)
    }

    /// The shell hands an event to the machine and does what it says.
    func tell(_ index: Int, _ event: Membership.Event) {
        switch nodes[index].state {
        case .running: break
        case .paused:
            nodes[index].inbox.append(event)
            return
        case .exited, .hostLost: return
        }
        let time = nodes[index].localTime(now)
        var actions: [Membership.Action] = []
        for event in tamper?.incoming(event, self, index) ?? [event] {
            actions += nodes[index].machine?.handle(event, at: time) ?? []
        }
        record.mixTrace(now, index, actions.count)
        if let member = nodes[index].machine?.ownMember { record.declared(member) }
        for action in actions {
            for action in tamper?.outgoing(action, self, index) ?? [action] { act(index, action) }
        }
        scheduleWake(index)
    }

    func act(_ index: Int, _ action: Membership.Action) {
        guard let life = nodes[index].life else { return }
        switch action {
        case .send(let message, let recipient, let address):
            record.sent(message, from: life, limits: configuration)
            send(message, from: index, to: recipient, at: address)
        case .connect(let address, let expecting): dial(index, address, expecting: expecting)
        case .publish(let view):
            record.published(view, by: index, number: nodes[index].lastViewNumber, digest: nodes[index].lastViewDigest)
            record.views.append(Record.View(time: now, observer: index, view: view))
            nodes[index].lastViewNumber = view.number
            nodes[index].lastViewDigest = view.digest
        case .changed(let change): noteChange(change, seenBy: index)
        case .replaced:
            nodes[index].wasReplaced = true
            crash(index)
        case .departed:
            nodes[index].hasDeparted = true
            crash(index)
        }
    }

    func noteChange(_ change: MemberChange, seenBy observer: Int) {
        record.changes.append(Record.Change(time: now, observer: observer, change: change))
        guard change.member.status == .dead, let subject = lives[change.member.life] else { return }
        let node = nodes[subject]
        if node.life == change.member.life, node.isUp {
            record.falseDeaths.append("\(nodes[observer].id) buried \(change.member.life) at \(now) us")
        }
    }

    // MARK: - Network

    private func delay() -> Int64 { Int64.random(in: faults.delay, using: &dice) }

    private func delay(from: Int, to: Int) -> Int64 {
        let isFar = faults.distance > 0 && nodes[from].metadata.zone != nodes[to].metadata.zone
        return delay() + (isFar ? faults.distance : 0)
    }

    /// When a message that is sent now arrives. What a clogged connection held comes at once, in order.
    private func arrival(from: Int, to: Int) -> Int64 {
        let time = now + delay(from: from, to: to)
        guard !cloggedUntil.isEmpty, let end = cloggedUntil[from * nodes.count + to] else { return time }
        return max(time, end)
    }

    private func push(_ event: Membership.Event, to index: Int, after delay: Int64) {
        guard let life = nodes[index].life else { return }
        heap.push(.tell(index, life: life, event), at: now + delay)
    }

    private func send(
        _ message: MembershipMessage, from sender: Int, to recipient: MemberLife, at address: PeerAddress?
    ) {
        guard let target = address.map({ $0.port - 7000 }) ?? lives[recipient] else { return }
        guard let from = nodes[sender].life, let to = nodes[target].life else { return }
        if isConnected[sender * nodes.count + target] {
            // The connection is with whoever lives there; a message for an earlier life is for nobody.
            guard to == recipient, !blocked[sender * nodes.count + target] else { return }
            guard !dice.happens(faults.loss) else { return }
            heap.push(.deliver(message, from: from, to: target, life: to), at: arrival(from: sender, to: target))
            if dice.happens(faults.duplicates) {
                let again = arrival(from: sender, to: target)
                heap.push(.deliver(message, from: from, to: target, life: to), at: again)
            }
        } else if let address {
            waiting[sender * nodes.count + target, default: []].append(message)
            dial(sender, address, expecting: recipient)
        }
    }

    private var dialling: Set<Int> = []

    private func dial(_ index: Int, _ address: PeerAddress, expecting: MemberLife?) {
        let target = address.port - 7000, pair = index * nodes.count + target
        guard target != index else {
            return push(.couldNotReach(address, .rejected(reason: "self")), to: index, after: 10)
        }
        if isConnected[pair] {
            if expecting == nil, let life = nodes[target].life { push(.connected(life), to: index, after: delay()) }
            return
        }
        guard dialling.insert(pair).inserted else { return }
        let roundTrip = delay(from: index, to: target) + delay(from: target, to: index)
        heap.push(.dialled(index, address, expecting: expecting, startedAt: now), at: now + roundTrip)
    }

    private func dialled(_ index: Int, _ address: PeerAddress, expecting: MemberLife?, startedAt: Int64) {
        let target = address.port - 7000, pair = index * nodes.count + target
        let isCut = blocked[pair] || blocked[target * nodes.count + index]
        if !isCut, rejecting[pair] || nodes[target].state == .exited {
            return finishDial(index, address, expecting: expecting, .refused)
        }
        guard !isCut, nodes[target].state == .running, let theirs = nodes[target].life, let ours = nodes[index].life
        else {
            let time = max(now, startedAt + faults.connectTimeout)
            return heap.push(.gaveUp(index, address, expecting: expecting), at: time)
        }
        dialling.remove(pair)
        isConnected[pair] = true
        isConnected[target * nodes.count + index] = true
        push(.connected(theirs), to: index, after: 0)
        push(.connected(ours), to: target, after: 0)
        guard expecting == theirs else {
            waiting[pair] = nil
            return
        }
        for message in waiting.removeValue(forKey: pair) ?? [] {
            send(message, from: index, to: theirs, at: nil)
        }
    }

    private func finishDial(
        _ index: Int, _ address: PeerAddress, expecting: MemberLife?, _ failure: ConnectionFailure
    ) {
        let pair = index * nodes.count + address.port - 7000
        dialling.remove(pair)
        waiting[pair] = nil
        if let expecting {
            tell(index, .couldNotConnect(expecting, failure))
        } else {
            tell(index, .couldNotReach(address, failure))
        }
    }

    private func disconnect(_ one: Int, _ other: Int) {
        isConnected[one * nodes.count + other] = false
        isConnected[other * nodes.count + one] = false
    }

    // MARK: - Database

    private func heartbeat(_ index: Int, life: MemberLife) {
        guard nodes[index].life == life, nodes[index].isUp else { return }
        heap.push(.heartbeat(index, life: life), at: now + 1_000_000)
        guard nodes[index].state == .running, nodes[index].seesDatabase else { return }
        leases[life.id] = Lease(life: life, renewedAt: now)
        let sightings = nodes.compactMap { node in
            leases[node.id].map { lease in
                LeaseSighting(
                    life: lease.life, renewedAt: UInt64(1_000_000 + lease.renewedAt / 1000),
                    age: .microseconds(now - lease.renewedAt))
            }
        }
        tell(index, .leasesSeen(sightings))
    }
}
